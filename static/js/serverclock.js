// The panel's clock as this page can know it. Pure but for Date.now().

// Long enough to hold one quick message even on a bad line, short enough to follow a corrected clock.
const REMEMBERED = 30;

export class ServerClock {
  #offsets = [];
  #offset = 0;

  /** A message stamped `t` has just come. What it took on its way only adds, so the smallest difference is the truest. */
  hear(t) {
    if (!Number.isFinite(t)) return;
    this.#offsets.push(Date.now() - t);
    if (this.#offsets.length > REMEMBERED) this.#offsets.shift();
    this.#offset = Math.min(...this.#offsets);
  }

  now() {
    return Date.now() - this.#offset;
  }
}
