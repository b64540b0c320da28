// When to draw: at once after quiet, at most once per animation frame, and rarer on a screen for which drawing is hard work.

// Drawing may take a fifth of the time at most. The panel sends twenty frames a second: a quick machine draws each one.
const REST = 4;
const LONGEST_REST = 100;

export class Painter {
  #draw;
  #cost = 0;
  #lastAt = -Infinity;
  #frame = 0;
  #timer = 0;
  #painted = new MessageChannel();

  constructor(draw) {
    this.#draw = draw;
    // A message posted while drawing arrives after the browser has laid out and painted: so the whole cost is measured.
    this.#painted.port1.onmessage = () => this.#learn(performance.now() - this.#lastAt);
    document.addEventListener("visibilitychange", () => document.hidden || this.now());
  }

  /** Something changed on the floor. */
  soon() {
    if (this.#frame || this.#timer || document.hidden) return;
    const wait = this.#lastAt + Math.min(LONGEST_REST, this.#cost * REST) - performance.now();
    if (wait <= 0) this.now();
    else this.#timer = setTimeout(() => this.now(), wait);
  }

  /** Her own hand moved something: the next animation frame shows it. */
  now() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (document.hidden) return;
    this.#frame ||= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#frame = 0;
    this.#lastAt = performance.now();
    this.#draw();
    this.#painted.port2.postMessage(0);
  }

  #learn(cost) {
    this.#cost = this.#cost * 0.8 + cost * 0.2;
  }
}
