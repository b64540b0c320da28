// From calls and parties to the rows of the table: what a row says, which rows are meant, in what order. No DOM.

import {clean, searchable} from "./format.js";
import {Spies} from "./spies.js";
import {pbxOf} from "./store.js";
import {phaseWords, placeName, placeWords, placeWordsShort} from "./words.js";

/**
 * @typedef {{number: string, name: string, side: string, hold: boolean}} Who
 * @typedef {Who & {key: string, state: string}} Party
 * @typedef {object} Row
 * @property {string} key
 * @property {string} pbx
 * @property {number} rev
 * @property {string} phase
 * @property {string} living    the last phase before `ended`: an ended call keeps its place and its segment
 * @property {number} at        since when `living`: what the order goes by
 * @property {?Who} from
 * @property {Who[]} to
 * @property {Party[]} parties  the caller first
 * @property {string} recording "", on, paused
 * @property {boolean} rings    somebody on it is being rung
 * @property {import("./spies.js").Listener[]} listeners
 * @property {string} where     in words, when there is nobody at the other end
 * @property {string} whereShort the same without the place's name
 * @property {string} place
 * @property {string} search
 * @property {number} stamp     rises when something changed that its place in the table depends on
 * @property {boolean} gone     the panel has deleted it
 */

export const SEGMENTS = {
  all: () => true,
  ringing: row => row.living === "ringing",
  talking: row => row.living === "talking",
  hold: row => row.living === "hold" || row.living === "parked",
  waiting: row => row.living === "waiting",
};

const collator = new Intl.Collator(document.documentElement.lang, {numeric: true});
const text = who => (who ? who.number || who.name : "");
const byText = read => (a, b) => collator.compare(read(a), read(b));

const ORDERS = {
  state: (a, b) => phaseWords(a.living).rank - phaseWords(b.living).rank,
  from: byText(row => text(row.from)),
  to: byText(row => text(row.to[0]) || row.where),
  place: byText(row => row.place),
  pbx: byText(row => row.pbx),
  time: (a, b) => a.at - b.at,
};

export const isOrder = name => name.replace(/^-/, "") in ORDERS;

/** `time` or, turned round, `-time`. Equal rows go by age, then by key, so that none ever swaps for no reason. */
function comparator(order) {
  const turned = order.startsWith("-") ? -1 : 1;
  const first = ORDERS[order.replace(/^-/, "")];
  return (a, b) => turned * first(a, b) || a.at - b.at || (a.key < b.key ? -1 : 1);
}

export class Rows {
  /** When the last call ended, as far as this page saw it; 0 when it saw none. */
  lastEndedAt = 0;
  #store;
  #rows = new Map();
  #ordered = [];
  #dirty = new Set();
  #spies;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.#store = store;
    this.#spies = new Spies(store);
    store.subscribe(change => this.#mark(change));
  }

  /** @returns {{rows: Row[], counts: Object<string, number>}} */
  list({segment, query, order}) {
    this.#refresh();
    this.#ordered.sort(comparator(order)); // nearly sorted already: one pass for the engine's TimSort
    const wanted = query.split(/\s+/).filter(Boolean).map(searchable);
    const counts = {all: 0, ringing: 0, talking: 0, hold: 0, waiting: 0};
    const rows = [];
    for (const row of this.#ordered) {
      if (!wanted.every(word => row.search.includes(word))) continue;
      if (SEGMENTS[segment](row)) rows.push(row);
      if (row.phase === "ended") continue;
      for (const name in counts) if (SEGMENTS[name](row)) counts[name] += 1;
    }
    return {rows, counts};
  }

  get(key) {
    return this.#rows.get(key);
  }

  #mark({keys}) {
    for (const key of keys.call ?? []) this.#dirty.add(key);
    for (const key of keys.party ?? []) {
      const party = this.#store.get("party", key);
      if (party) this.#dirty.add(party.call);
    }
    for (const call of this.#spies.moved(keys.spy ?? [])) this.#dirty.add(call);
  }

  #refresh() {
    if (!this.#dirty.size) return;
    let removed = false;
    for (const key of this.#dirty) {
      const call = this.#store.get("call", key);
      if (call) this.#update(key, call);
      else removed = this.#remove(key) || removed;
    }
    this.#dirty.clear();
    if (removed) this.#ordered = this.#ordered.filter(row => !row.gone);
  }

  #update(key, call) {
    let row = this.#rows.get(key);
    if (!row) {
      row = {key, pbx: pbxOf(key), living: call.phase, at: call.since, stamp: 0, gone: false};
      this.#rows.set(key, row);
      this.#ordered.push(row);
    }
    const before = row.phase;
    this.#fill(row, call);
    if (call.phase !== "ended") {
      if (row.living !== call.phase || row.at !== call.since) row.stamp += 1;
      row.living = call.phase;
      row.at = call.since;
    } else if (before !== "ended") {
      this.lastEndedAt = Math.max(this.lastEndedAt, call.since);
    }
  }

  #fill(row, call) {
    const keyed = (call.parties ?? []).map(key => [key, this.#store.get("party", key)]).filter(([, party]) => party);
    const parties = keyed.map(([, party]) => party);
    const caller = parties.find(party => party.role === "caller");
    // A call that ended keeps the names it had: its parties may be gone before it.
    if (parties.length || call.phase !== "ended") {
      row.from = caller ? whoIs(caller) : null;
      row.to = parties.filter(party => party !== caller).map(whoIs);
    }
    row.parties = keyed.map(([key, party]) => ({key, state: party.state, ...whoIs(party)}));
    const {rev, phase, since, started, approx, direction, parent, recording, reason} = call;
    Object.assign(row, {rev, phase, since, started, approx, direction, parent, recording, reason: clean(reason)});
    row.from ??= null;
    row.to ??= [];
    row.rings = parties.some(party => party.role === "callee" && party.state === "ringing");
    row.listeners = phase === "ended" ? [] : this.#spies.on(row.key);
    const shown = {...call, queue: clean(call.queue), room: clean(call.room), slot: clean(call.slot)};
    row.where = placeWords(shown);
    row.whereShort = placeWordsShort(shown);
    row.place = placeName(shown);
    row.search = searchText(row);
  }

  #remove(key) {
    const row = this.#rows.get(key);
    if (!row) return false;
    if (row.phase !== "ended") {
      // It left without saying when: while its row is held under a hand, its clock must not run on.
      Object.assign(row, {phase: "ended", since: this.#store.clock.now()});
      if (this.#store.session.scope.whole) this.lastEndedAt = row.since; // else it may have left her part, and go on
    }
    row.gone = true;
    this.#rows.delete(key);
    return true;
  }
}

/** @returns {Who} */
function whoIs({number, name, side, state}) {
  return {number: clean(number), name: clean(name), side, hold: state === "hold"};
}

function searchText(row) {
  const people = [row.from, ...row.to].filter(Boolean);
  return people.flatMap(who => [who.number, who.name]).concat(row.place).map(searchable).join("\n");
}
