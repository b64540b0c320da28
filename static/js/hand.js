// Stable under the hand: while she points at the table or works in it, rows keep their places. No drawing here.

const AFTER_LEAVING = 500;
const AFTER_RESTING = 10_000;

export class Hand {
  /** The rows as they stood when she came; null while the table is free. @type {?import("./rows.js").Row[]} */
  #frozen = null;
  #stamps = new Map();
  #on = false;
  #timer = 0;
  #changed;

  /** @param {() => void} changed called when the table is held, and when it comes free */
  constructor(changed) {
    this.#changed = changed;
  }

  watch(element) {
    for (const type of ["pointermove", "pointerdown", "wheel", "keydown", "focusin"]) {
      element.addEventListener(type, () => this.#hold(), {passive: true});
    }
    element.addEventListener("pointerleave", () => element.contains(document.activeElement) || this.#releaseIn(AFTER_LEAVING));
    element.addEventListener("focusout", event => element.contains(event.relatedTarget) || this.#releaseIn(AFTER_LEAVING));
  }

  /** What to show instead of `rows`, and how many changes wait. */
  arrange(rows) {
    if (!this.#on) return {rows, waiting: 0};
    if (!this.#frozen) this.#freeze(rows);
    return {rows: this.#frozen, waiting: this.#waiting(rows)};
  }

  /** Take the places as they are now, and hold those. */
  refresh() {
    this.#frozen = null;
  }

  #hold() {
    if (!this.#on) {
      this.#on = true;
      this.#changed(); // take the places as they are now, not as the next change leaves them
    }
    this.#releaseIn(AFTER_RESTING);
  }

  #releaseIn(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#release(), ms);
  }

  #release() {
    this.#on = false;
    this.#frozen = null;
    this.#changed();
  }

  #freeze(rows) {
    this.#frozen = [...rows];
    this.#stamps = new Map(rows.map(row => [row, row.stamp]));
  }

  #waiting(rows) {
    let kept = 0;
    let waiting = 0;
    for (const row of rows) {
      const stamp = this.#stamps.get(row);
      if (stamp !== undefined) kept += 1;
      if (stamp !== row.stamp) waiting += 1; // new, or it has to move
    }
    return waiting + this.#frozen.length - kept; // and those that left
  }
}
