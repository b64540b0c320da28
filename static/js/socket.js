// The one WebSocket: connects, comes back, speaks docs/frames.md. It knows the store, and no DOM but the page's visibility.

const PING_EVERY = 5_000;
const SEEN_EVERY = 1_000; // half of what the panel asks for; four a second were a quarter of what a page costs the server
const SILENT_AFTER = 10_000; // beats come every two seconds: five missed ones are a dead line
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
const ASK_AGAIN = 3_000;

const SIGNED_OUT = 4401;
const WRONG_ORIGIN = 4403;
const TOO_FAR_BEHIND = 4408;

/** Full jitter: a thousand pages that lost one server must not come back in one wave. */
export function retryDelay(tries, random = Math.random) {
  const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** tries);
  return random() * ceiling;
}

export class PanelSocket extends EventTarget {
  state = "connecting"; // connecting | open | closed | forbidden
  retryAt = 0;
  rtt = -1;
  #url;
  #store;
  #ws = null;
  #tries = 0;
  #byeDelay = null;
  #timer = 0;
  #heardAt = 0;
  #pings = new Map();
  #pingNumber = 0;
  #askedAt = new Map();
  #shown = new Map();
  #seen = new Map();
  #seenTimer = 0;

  /** @param {import("./store.js").Store} store */
  constructor(path, store) {
    super();
    this.#url = new URL(path, location.href.replace(/^http/, "ws")).href;
    this.#store = store;
  }

  start() {
    this.#connect();
    setInterval(() => this.#ping(), PING_EVERY);
    setInterval(() => this.#watch(), 1_000);
    // A laptop that wakes or a network that returns should not wait for the back-off.
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
  }

  /** @returns {boolean} whether it left */
  send(message) {
    if (this.#ws?.readyState !== WebSocket.OPEN) return false;
    this.#ws.send(JSON.stringify(message));
    return true;
  }

  /** What the store holds now is on the screen: said to the panel at most every SEEN_EVERY. */
  sayShown() {
    for (const {name, epoch, seq, ready} of this.#store.pbxs.values()) {
      if (ready) this.#shown.set(name, {epoch, seq});
    }
    this.#seenTimer ||= setTimeout(() => this.#saySeen(), SEEN_EVERY);
  }

  #saySeen() {
    this.#seenTimer = 0;
    for (const [pbx, {epoch, seq}] of this.#shown) {
      if (this.#seen.get(pbx) === `${epoch} ${seq}`) continue;
      if (this.send({type: "seen", pbx, epoch, seq})) this.#seen.set(pbx, `${epoch} ${seq}`);
    }
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#change("connecting");
    this.#heardAt = performance.now();
    const ws = new WebSocket(this.#url);
    this.#ws = ws;
    ws.onmessage = event => this.#ws === ws && this.#receive(event.data);
    ws.onclose = event => this.#ws === ws && this.#closed(event.code);
  }

  #receive(text) {
    this.#heardAt = performance.now();
    const message = JSON.parse(text);
    this.#store.clock.hear(message.t);
    this.#handlers[message.type]?.(message);
  }

  #handlers = {
    hello: message => {
      this.#tries = 0;
      this.#byeDelay = null;
      this.#seen.clear();
      this.#shown.clear();
      this.#askedAt.clear();
      this.#store.hello(message);
      this.#change("open");
      this.#ping();
      this.dispatchEvent(new CustomEvent("hello", {detail: message}));
    },
    snapshot: message => {
      this.#store.snapshot(message);
      this.#afterMerge();
    },
    frame: message => {
      if (!this.#store.frame(message)) this.#resync(message.pbx);
      this.#afterMerge();
    },
    beat: message => {
      if (!this.#store.beat(message)) this.#resync(message.pbx);
      else this.#askAgain(message.pbx);
    },
    ack: message => this.dispatchEvent(new CustomEvent("ack", {detail: message})),
    result: message => this.dispatchEvent(new CustomEvent("result", {detail: message})),
    pong: ({n}) => {
      if (!this.#pings.has(n)) return;
      this.rtt = performance.now() - this.#pings.get(n);
      this.#pings.clear();
    },
    bye: ({retry_ms: retry}) => { this.#byeDelay = retry; },
  };

  /** A hidden page draws nothing, so nothing else would tell the panel that it keeps up. */
  #afterMerge() {
    if (document.hidden) this.sayShown();
  }

  #resync(pbx) {
    this.#askedAt.set(pbx, performance.now());
    this.send({type: "resync", pbx});
  }

  /** A snapshot that was due did not come. While the link is not live, none is due. */
  #askAgain(name) {
    const pbx = this.#store.pbxs.get(name);
    if (!pbx || pbx.ready || pbx.link?.phase !== "live") return;
    const asked = Math.max(pbx.lostAt, this.#askedAt.get(name) ?? 0);
    if (performance.now() - asked > ASK_AGAIN) this.#resync(name);
  }

  #ping() {
    if (this.state !== "open" || document.hidden) return;
    this.#pingNumber += 1;
    if (this.send({type: "ping", n: this.#pingNumber})) this.#pings.set(this.#pingNumber, performance.now());
  }

  #watch() {
    const listening = this.state === "open" || this.state === "connecting";
    if (!listening || performance.now() - this.#heardAt < SILENT_AFTER) return;
    const ws = this.#ws;
    this.#closed(0); // not ws.onclose: on a dead line the closing handshake may take minutes
    ws.close();
  }

  #closed(code) {
    this.#ws = null;
    this.#pings.clear();
    this.rtt = -1;
    if (code === SIGNED_OUT) return this.dispatchEvent(new Event("signed-out"));
    if (code === WRONG_ORIGIN) return this.#change("forbidden");
    const delay = this.#nextDelay(code);
    this.#tries += 1;
    this.retryAt = Date.now() + delay;
    this.#change("closed");
    this.#timer = setTimeout(() => this.#connect(), delay);
  }

  #nextDelay(code) {
    if (code === TOO_FAR_BEHIND && this.#tries === 0) return FIRST_DELAY * Math.random();
    if (this.#byeDelay === null) return retryDelay(this.#tries);
    const delay = this.#byeDelay * (0.5 + Math.random());
    this.#byeDelay = null;
    return delay;
  }

  #hurry() {
    if (this.state === "closed" && this.retryAt - Date.now() > FIRST_DELAY) this.#connect();
  }

  #change(state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
