// Ticks every running time on the page once a second, together, and only those in the document.

import {duration} from "./format.js";

export class Clock {
  #server;
  #stoppedAt = new Map();

  /** @param {import("./serverclock.js").ServerClock} server */
  constructor(server) {
    this.#server = server;
  }

  start() {
    const tick = () => {
      if (!document.hidden) this.paint(document);
      setTimeout(tick, 1_005 - (this.#server.now() % 1_000)); // just after the panel's full second
    };
    tick();
  }

  /** The times of a PBX that we no longer hear stand still: a running clock would claim to know. */
  stop(pbx) {
    if (!this.#stoppedAt.has(pbx)) this.#stoppedAt.set(pbx, this.#server.now());
  }

  resume(pbx) {
    this.#stoppedAt.delete(pbx);
  }

  /** Writes what each `[data-since]` shows now; those with `[data-until]` are over and stand still. `[data-left]` counts
   * down to its time. */
  paint(root) {
    const now = this.#server.now();
    for (const cell of root.querySelectorAll("[data-since]")) {
      const {since, until, pbx, atLeast, atMost} = cell.dataset;
      const end = until ? Number(until) : this.#stoppedAt.get(pbx) ?? now;
      // Whole seconds on both sides, so that every time on the page changes at the same moment.
      const text = duration(Math.floor(end / 1_000) * 1_000 - Math.floor(Number(since) / 1_000) * 1_000);
      const sign = atLeast !== undefined ? "≥ " : atMost !== undefined ? "≤ " : "";
      write(cell, sign + text);
    }
    for (const cell of root.querySelectorAll("[data-left]")) {
      const {left, pbx} = cell.dataset;
      write(cell, duration(Math.floor(Number(left) / 1_000) * 1_000 - Math.floor((this.#stoppedAt.get(pbx) ?? now) / 1_000) * 1_000));
    }
  }
}

function write(cell, shown) {
  if (cell.textContent !== shown) cell.textContent = shown;
}
