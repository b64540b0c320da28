// What the page holds of the floor: entities by kind and key, merged as the frames come. No DOM.

import {ServerClock} from "./serverclock.js";

/**
 * @typedef {{phase: string, code: string, detail: string, since: number}} Link
 * @typedef {object} Pbx
 * @property {string} name
 * @property {string} epoch
 * @property {number} seq       the last frame merged
 * @property {boolean} ready    false from a gap until the next snapshot
 * @property {number} lostAt    since when it is not ready
 * @property {Link} link
 * @property {number} rtt       the panel's own way to the PBX and back, ms; -1 unknown
 * @property {number} age       how long the PBX had been silent at the last beat, ms
 * @property {number} heardAt   when the last message about this PBX came, ms of this page's monotonic clock
 * @property {number} behindAt  since when a beat says that a frame is missing; 0 when none is
 *
 * @typedef {{pbx: string, reset: boolean, keys: Object<string, Set<string>>, frame: ?{seq: number, rx: number, t: number}}} Change
 */

/** A PBX's own key is its name alone. */
export const pbxOf = key => key.split("/", 1)[0];

export class Store {
  /** @type {Map<string, Pbx>} */
  pbxs = new Map();
  /** @type {{server: string, user: ?{id: number, name: string, phones: Object<string, string>}, rights: string[],
   *   scope: {whole: boolean, words: string}, actions: object[], reasons: string[]}} `reasons`: for monitoring, those that are offered */
  session = {server: "", user: null, rights: [], scope: {whole: true, words: ""}, actions: [], reasons: []};
  clock = new ServerClock();
  #kinds = new Map();
  #listeners = new Set();

  /** @param {(change: Change) => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
  }

  get(kind, key) {
    return this.#kinds.get(kind)?.get(key);
  }

  /** Live view of one kind: key → entity. */
  entities(kind) {
    return this.#kindMap(kind);
  }

  /** Copies, for tests and tools: what is done to them does not reach the floor. */
  all(kind) {
    return [...this.#kindMap(kind)].map(([key, fields]) => ({key, ...fields}));
  }

  hello({server, user, rights, scope, actions, reasons, pbxs}) {
    this.session = {server, user, rights, scope, actions, reasons};
    for (const name of [...this.pbxs.keys()].filter(name => !(name in pbxs))) {
      this.pbxs.delete(name);
      this.#emit({pbx: name, reset: true, keys: this.#forget(name), frame: null});
    }
    for (const [name, {link}] of Object.entries(pbxs)) {
      // Not its epoch: only a snapshot says which numbering the entities here belong to.
      this.pbxs.set(name, {...(this.pbxs.get(name) ?? this.#newPbx(name)), link, ready: false, lostAt: performance.now(), behindAt: 0});
      this.#hear(name);
    }
    this.#emit({pbx: "", reset: true, keys: {}, frame: null});
  }

  snapshot({pbx: name, epoch, seq, up}) {
    const pbx = this.#hear(name);
    if (!pbx) return;
    const keys = this.#forget(name);
    for (const [kind, entities] of Object.entries(up)) {
      const map = this.#kindMap(kind);
      for (const [key, fields] of Object.entries(entities)) map.set(key, fields);
      keys[kind] = new Set([...(keys[kind] ?? []), ...Object.keys(entities)]);
    }
    Object.assign(pbx, {epoch, seq, ready: true, age: 0, behindAt: 0});
    this.#emit({pbx: name, reset: true, keys, frame: null});
  }

  /** @returns {boolean} false when frames are missing before this one: ask for a snapshot */
  frame({pbx: name, epoch, seq, t, rx, up = {}, del = {}}) {
    const pbx = this.#hear(name);
    if (!pbx?.ready) return true; // a snapshot is on its way
    if (epoch !== pbx.epoch || seq !== pbx.seq + 1) return this.#lose(pbx);
    Object.assign(pbx, {seq, age: 0, behindAt: 0});
    const keys = {};
    for (const [kind, entities] of Object.entries(up)) keys[kind] = this.#merge(kind, entities);
    for (const [kind, gone] of Object.entries(del)) {
      const map = this.#kindMap(kind);
      keys[kind] ??= new Set();
      for (const key of gone) {
        map.delete(key);
        keys[kind].add(key);
      }
    }
    this.#emit({pbx: name, reset: false, keys, frame: {seq, rx, t}});
    return true;
  }

  /** @returns {boolean} false when the beat shows that a frame was lost: ask for a snapshot */
  beat({pbx: name, epoch, seq, age_ms: age, rtt_ms: rtt, link}) {
    // One that hello did not name: its worker came later.
    if (!this.pbxs.has(name)) this.pbxs.set(name, {...this.#newPbx(name), lostAt: performance.now()});
    const pbx = this.#hear(name);
    Object.assign(pbx, {age, rtt, link});
    this.#emit({pbx: name, reset: false, keys: {}, frame: null});
    const behind = pbx.ready && (epoch !== pbx.epoch || seq > pbx.seq);
    if (!behind) {
      pbx.behindAt = 0;
      return true;
    }
    pbx.behindAt ||= performance.now();
    // A frame and a beat may cross; a second is longer than any crossing.
    if (performance.now() - pbx.behindAt < 1000) return true;
    return this.#lose(pbx);
  }

  #lose(pbx) {
    Object.assign(pbx, {ready: false, lostAt: performance.now()});
    return false;
  }

  #newPbx(name) {
    return {name, epoch: "", seq: -1, ready: false, lostAt: 0, link: null, rtt: -1, age: 0, heardAt: 0, behindAt: 0};
  }

  #hear(name) {
    const pbx = this.pbxs.get(name);
    if (pbx) pbx.heardAt = performance.now();
    return pbx;
  }

  #merge(kind, entities) {
    const map = this.#kindMap(kind);
    const keys = new Set();
    for (const [key, fields] of Object.entries(entities)) {
      const known = map.get(key);
      if (known) Object.assign(known, fields);
      else map.set(key, fields);
      keys.add(key);
    }
    return keys;
  }

  #forget(name) {
    const prefix = `${name}/`;
    const gone = {};
    for (const [kind, map] of this.#kinds) {
      gone[kind] = new Set([...map.keys()].filter(key => key.startsWith(prefix)));
      for (const key of gone[kind]) map.delete(key);
    }
    return gone;
  }

  #kindMap(kind) {
    if (!this.#kinds.has(kind)) this.#kinds.set(kind, new Map());
    return this.#kinds.get(kind);
  }

  #emit(change) {
    for (const listener of this.#listeners) listener(change);
  }
}
