// <pp-conferences>: rooms and those in them. It draws what the store holds; what is pressed goes to the actions.

import {html, LitElement, nothing, repeat} from "../vendor/lit-3.3.3.js";
import {Deeds, objectionThere} from "./deeds.js";
import {timeOfDay} from "./format.js";
import {Frames} from "./frames.js";
import {Hand} from "./hand.js";
import {emptyNote, hasNoPart, heldNote, noPartNote, partWords} from "./notes.js";
import {Painter} from "./painter.js";
import {roomCard, roomName, seatName} from "./roomcard.js";
import {Seats} from "./seats.js";
import {CHANGED} from "./words.js";

const isRoom = thing => !("room" in thing);
const nameOf = thing => (isRoom(thing) ? roomName(thing) : seatName(thing));

class Conferences extends LitElement {
  #floor;
  #seats;
  #deeds;
  #hand = new Hand(() => this.#painter.now());
  #painter = new Painter(() => this.requestUpdate());
  #frames = new Frames();
  #shown = [];
  #waiting = 0;
  #query = "";

  /** Light DOM: the page's own style sheets and anyone's test tools reach in. */
  createRenderRoot() {
    return this;
  }

  /** @param {object} floor store, socket, link, clock, actions, ask, toasts, status */
  begin(floor) {
    this.#floor = floor;
    this.#seats = new Seats(floor.store);
    this.#deeds = new Deeds(floor, {
      find: (kind, key) => this.#find(kind, key),
      nameOf,
      factsOf: facts,
      objectionTo: (thing, action) => this.#objection(thing, action),
      changed: CHANGED,
    });
    this.#query = new URLSearchParams(location.search).get("q") ?? "";
    floor.store.subscribe(change => {
      this.#frames.note(change);
      this.#painter.soon();
    });
    floor.link.addEventListener("change", () => this.#painter.soon());
    floor.actions.addEventListener("change", ({detail}) => {
      this.#painter.now();
      this.#deeds.tell(detail, (_kind, key) => this.#isInView(key));
    });
    this.requestUpdate();
  }

  get query() {
    return this.#query;
  }

  /** The words in the search field. */
  set query(words) {
    this.#query = words.trim();
    history.replaceState(null, "", this.#query ? `?${new URLSearchParams({q: this.#query})}` : location.pathname);
    this.#chose();
  }

  /** She chose what to see: now, whatever is held under her hand. */
  #chose() {
    this.#hand.refresh();
    this.#painter.now();
  }

  /** What is held under her hand is found too when the panel has deleted it. */
  #find(kind, key) {
    if (kind === "room") return this.#seats.find(kind, key) ?? this.#shown.find(seat => seat.room?.key === key)?.room;
    return this.#shown.find(seat => seat.key === key) ?? this.#seats.find(kind, key);
  }

  willUpdate() {
    if (!this.#floor) return;
    const {rows, waiting} = this.#hand.arrange(this.#seats.list(this.#query.toLowerCase()));
    this.#shown = rows;
    this.#waiting = waiting;
  }

  render() {
    if (!this.#floor) return nothing;
    return html`${this.#waiting ? html`<div class="tools">${heldNote(this.#waiting, () => this.#chose())}</div>` : nothing}
      <div class="rooms" @click=${event => this.#deeds.clicked(event)} @pointerdown=${event => this.#deeds.pressedDown(event)}>
        ${repeat(this.#byRoom(), ([room]) => room.key, ([room, seats]) => this.#room(room, seats))}
        ${this.#shown.length ? nothing : this.#empty()}
      </div>`;
  }

  #byRoom() {
    const rooms = new Map();
    for (const seat of this.#shown) {
      if (!seat.room) continue;
      if (!rooms.has(seat.room)) rooms.set(seat.room, []);
      rooms.get(seat.room).push(seat);
    }
    return [...rooms];
  }

  #room(room, seats) {
    const {actions, link, store} = this.#floor;
    return roomCard(room, seats, {
      showPbx: store.pbxs.size > 1,
      stale: link.isStale(room.pbx),
      others: this.#seats.others(room),
      about: (kind, key) => actions.about(kind, key),
      isBusy: (kind, key) => actions.isBusy(kind, key),
      objection: (thing, action) => this.#objection(thing, action),
      actions: (kind, key) => actions.of(kind, key),
    });
  }

  #empty() {
    if (hasNoPart(this.#floor.store)) return noPartNote();
    if (!this.#floor.link.anyTrue) {
      return emptyNote("plug-connected-x", gettext("No live data yet"), gettext("Conferences appear here as soon as the PBX answers."));
    }
    if (this.#query) return emptyNote("search-off", gettext("Nobody in a conference matches"));
    const at = this.#seats.lastEndedAt;
    const last = at ? interpolate(gettext("The last conference ended at %(time)s."), {time: timeOfDay(at)}, true) : "";
    return emptyNote("users-group", gettext("No conferences right now"), [last, partWords(this.#floor.store)].filter(Boolean).join(" "));
  }

  updated() {
    if (!this.#floor) return;
    this.#watch();
    this.#floor.clock.paint(this);
    this.#floor.ask.look();
    this.#floor.socket.sayShown();
    this.#frames.drawn();
  }

  /** Once, when the cards first stand. */
  #watch() {
    const rooms = this.querySelector(".rooms");
    if (!rooms || rooms.dataset.watched) return;
    rooms.dataset.watched = "";
    this.#hand.watch(rooms);
  }

  /** Why nothing can be done to this room or participant now; "" when something can. */
  #objection(thing, action) {
    if (thing.gone) return isRoom(thing) ? gettext("The conference has ended.") : gettext("The participant has left.");
    return objectionThere(this.#floor, thing.pbx, action);
  }

  #isInView(key) {
    const box = document.querySelector(`:is(.rooms, [data-dock]) [data-key="${CSS.escape(key)}"]`)?.getBoundingClientRect();
    return Boolean(box) && box.bottom > 0 && box.top < innerHeight;
  }
}

/** What the dialog says of a participant, so that nobody removes the wrong one. */
function facts(thing) {
  if (isRoom(thing)) return [{label: gettext("Room"), value: thing.name}];
  return [
    {label: gettext("Participant"), value: seatName(thing)},
    {label: gettext("Room"), value: thing.room?.name ?? ""},
  ];
}

customElements.define("pp-conferences", Conferences);
