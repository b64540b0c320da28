// One live region for those who listen instead of look: one sentence at a time, never a stream.

const BETWEEN = 5_000;
const MOST = 3; // more would be told when it is history

export class Status {
  #region;
  #waiting = [];
  #timer = 0;

  constructor(region) {
    this.#region = region;
  }

  say(text) {
    if (this.#waiting.includes(text)) return;
    this.#waiting.push(text);
    this.#waiting = this.#waiting.slice(-MOST);
    if (!this.#timer) this.#next();
  }

  #next() {
    const text = this.#waiting.shift();
    if (text === undefined) {
      this.#timer = 0;
      return;
    }
    this.#region.textContent = text;
    this.#timer = setTimeout(() => this.#next(), BETWEEN);
  }
}
