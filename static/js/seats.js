// From rooms and participants to what the cards say. No DOM.

import {clean, searchable} from "./format.js";
import {pbxOf} from "./store.js";

/**
 * @typedef {object} Room
 * @property {string} key
 * @property {string} pbx
 * @property {number} rev
 * @property {string} name
 * @property {boolean} locked
 * @property {boolean} recording
 * @property {number} since
 * @property {boolean} approx
 * @property {number} count
 * @property {boolean} gone      the panel has deleted it
 *
 * @typedef {object} Seat  one participant's place
 * @property {string} key
 * @property {string} pbx
 * @property {number} rev
 * @property {Room} room
 * @property {string} number
 * @property {string} name
 * @property {string} side
 * @property {boolean} admin
 * @property {boolean} marked
 * @property {boolean} muted
 * @property {boolean} talking
 * @property {boolean} video     all are shown its picture
 * @property {boolean} waiting
 * @property {number} since
 * @property {boolean} approx
 * @property {string} search
 * @property {number} stamp     rises when it moved to another room
 * @property {boolean} gone
 */

const collator = new Intl.Collator(document.documentElement.lang, {numeric: true});

export class Seats {
  /** When the last room ended, as far as this page saw it; 0 when it saw none. */
  lastEndedAt = 0;
  #store;
  #rooms = new Map();
  #seats = new Map();
  #dirty = {room: new Set(), participant: new Set()};

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.#store = store;
    store.subscribe(({keys}) => {
      for (const kind in this.#dirty) for (const key of keys[kind] ?? []) this.#dirty[kind].add(key);
    });
  }

  /** All that match, room by room, in the order in which they came. @returns {Seat[]} */
  list(query) {
    this.#refresh();
    const wanted = query.split(/\s+/).filter(Boolean).map(searchable);
    const rooms = [...this.#rooms.values()].sort((a, b) => collator.compare(a.pbx, b.pbx) || collator.compare(a.name, b.name));
    return rooms.flatMap(room => this.#of(room)).filter(seat => wanted.every(word => seat.search.includes(word)));
  }

  /** How many of a room can be muted, and how many are: its admins are let alone. */
  others(room) {
    const others = this.#of(room).filter(({admin}) => !admin);
    const muted = others.filter(seat => seat.muted).length;
    return {muted, unmuted: others.length - muted};
  }

  find(kind, key) {
    return (kind === "room" ? this.#rooms : this.#seats).get(key);
  }

  #of(room) {
    const keys = this.#store.get("room", room.key)?.participants ?? [];
    return keys.map(key => this.#seats.get(key)).filter(Boolean);
  }

  #refresh() {
    for (const key of this.#dirty.room) this.#follow(this.#rooms, "room", key, fillRoom);
    for (const key of this.#dirty.participant) {
      this.#follow(this.#seats, "participant", key, (seat, fields) => this.#fillSeat(seat, fields));
    }
    for (const dirty of Object.values(this.#dirty)) dirty.clear();
  }

  /** What the page holds follows what the store says: the same object as long as the entity lives. */
  #follow(map, kind, key, fill) {
    const fields = this.#store.get(kind, key);
    const known = map.get(key);
    if (!fields) {
      if (known) known.gone = true;
      if (known && kind === "room") this.lastEndedAt = this.#store.clock.now();
      map.delete(key);
      return;
    }
    const thing = known ?? {key, pbx: pbxOf(key), stamp: 0, gone: false};
    map.set(key, thing);
    fill(thing, fields);
  }

  #fillSeat(seat, {rev, room, number, name, side, admin, marked, muted, talking, waiting, video, since, approx}) {
    const there = this.#rooms.get(room) ?? null;
    if (seat.room !== there) seat.stamp += 1;
    Object.assign(seat, {rev, room: there, number: clean(number), name: clean(name), side});
    Object.assign(seat, {admin, marked, muted, talking, waiting, video, since, approx});
    seat.search = [seat.number, seat.name, there?.name ?? ""].map(searchable).join("\n");
  }
}

function fillRoom(room, {rev, name, locked, recording, since, approx, participants}) {
  Object.assign(room, {rev, name: clean(name), locked, recording, since, approx, count: participants.length});
}

/** Up to two letters for the round mark beside a name; "" when there is none to take. */
export function initials(name) {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.slice(0, 2).map(word => [...word][0]).join("").toUpperCase();
}
