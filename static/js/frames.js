// Which frames of the panel a drawing shows: told to who measures, when they are in the document.

export class Frames {
  #waiting = [];

  /** @param {import("./store.js").Change} change */
  note({pbx, frame}) {
    if (frame && !document.hidden) this.#waiting.push({pbx, ...frame});
  }

  drawn() {
    const at = performance.timeOrigin + performance.now();
    for (const frame of this.#waiting) document.dispatchEvent(new CustomEvent("phoenix:rendered", {detail: {...frame, at}}));
    this.#waiting = [];
  }
}
