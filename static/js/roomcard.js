// One room and those in it, as cards. Strangers' words come in as text bindings only.

import {html, nothing, repeat} from "../vendor/lit-3.3.3.js";
import {icon} from "./icons.js";
import {actionButton, resultNote} from "./notes.js";
import {initials} from "./seats.js";

/** Per verb: its icon, whether its word stands beside it, when it means something, and (by its place here) where. */
const LOOKS = {
  "conferences.mute": {iconName: "microphone", wordy: true, when: seat => !seat.muted},
  "conferences.unmute": {iconName: "microphone-off", wordy: true, pressed: true, when: seat => seat.muted},
  "conferences.video": {iconName: "users-group", when: seat => !seat.video},
  "conferences.kick": {iconName: "user-minus"},
  "conferences.mute_others": {iconName: "microphone-off", wordy: true, when: (_room, {others}) => others.unmuted},
  "conferences.unmute_others": {iconName: "microphone", wordy: true, when: (_room, {others}) => others.muted},
  "conferences.lock": {iconName: "lock", wordy: true, when: room => !room.locked},
  "conferences.unlock": {iconName: "lock-open", wordy: true, when: room => room.locked},
  "conferences.record": {iconName: "player-record", wordy: true, when: room => !room.recording},
  "conferences.stop_record": {iconName: "player-stop", wordy: true, when: room => room.recording},
  "conferences.invite": {iconName: "user-plus", wordy: true},
  "conferences.kick_all": {iconName: "user-minus", wordy: true},
};
const PLACES = Object.keys(LOOKS);
const placeOf = ({verb}) => (PLACES.includes(verb) ? PLACES.indexOf(verb) : PLACES.length);

export const roomName = room => interpolate(gettext("Room %(room)s"), {room: room.name}, true);

export const seatName = seat => [seat.number, seat.name].filter(Boolean).join(" ") || gettext("Unknown number");

/**
 * @param {import("./seats.js").Room} room
 * @param {import("./seats.js").Seat[]} seats
 * @param {{showPbx: boolean, stale: boolean, others: {muted: number, unmuted: number},
 *   about: (kind: string, key: string) => import("./actions.js").Command|undefined, isBusy: (kind: string, key: string) => boolean,
 *   objection: (thing: object, action: import("./actions.js").Action) => string, actions: (kind: string, key: string) => import("./actions.js").Action[]}} view
 */
export function roomCard(room, seats, view) {
  return html`<section class="room ${view.stale ? "stale" : ""}" data-kind="room" data-key=${room.key} aria-label=${roomName(room)}>
    <header class="room-head">
      <h2><bdi>${roomName(room)}</bdi>${view.showPbx ? html` <small class="muted">${room.pbx}</small>` : nothing}</h2>
      <p class="meta">${people(room)}<span title=${gettext("Open for")}>${icon("clock")}${clock(room, {atLeast: room.approx})}</span></p>
      ${room.recording ? html`<span class="chip act-now">${icon("record-mail")}${gettext("Recording")}</span>` : nothing}
      ${room.locked ? html`<span class="chip held">${icon("lock")}${gettext("Locked")}</span>` : nothing}
      <div class="room-acts">${resultNote(view.about("room", room.key))}${buttons("room", room, view)}</div>
    </header>
    <ul class="seats">${repeat(seats, seat => seat.key, seat => seatCard(seat, view))}</ul>
  </section>`;
}

function people({count}) {
  const words = ngettext("%(count)s participant", "%(count)s participants", count);
  return html`<span class="num">${icon("users")}${interpolate(words, {count}, true)}</span>`;
}

/** The clock writes the figures: they change when nothing else does. A room that stood when the panel came is older
 * than it knows; who was in it came in after its call was answered. */
function clock({pbx, since}, bounds) {
  return html`<span class="num" data-pbx=${pbx} data-since=${since} data-at-least=${bounds.atLeast ? "" : nothing}
    data-at-most=${bounds.atMost ? "" : nothing}></span>`;
}

function seatCard(seat, view) {
  const classes = [seat.talking && !seat.gone && "speaking", seat.gone && "gone"].filter(Boolean).join(" ");
  const [first, second] = seat.name ? [seat.name, seat.number] : [seat.number || gettext("Unknown number"), ""];
  return html`<li class="seat ${classes}" data-kind="participant" data-key=${seat.key} aria-label=${seatName(seat)}>
    <span class="avatar ${seat.side}" aria-hidden="true">${initials(seat.name) || icon("user")}</span>
    <div class="seat-who"><strong><bdi>${first}</bdi></strong><small class="num">${[second, role(seat)].filter(Boolean).join(", ")}</small></div>
    ${seat.admin || seat.marked ? html`<span class="crown" title=${role(seat)}>${icon("crown")}</span>` : nothing}
    <span class="seat-time muted" title=${gettext("In the room for")}>${seat.gone ? nothing : clock(seat, {atMost: seat.approx})}</span>
    ${state(seat)}
    <div class="seat-acts">${resultNote(view.about("participant", seat.key))}${buttons("participant", seat, view)}</div>
  </li>`;
}

function role({admin, marked, video}) {
  const word = admin ? pgettext("participant", "admin") : marked ? pgettext("participant", "leader") : "";
  return [word, video && pgettext("participant", "shown to all")].filter(Boolean).join(", ");
}

/** What it does now, in one word: the ring and the icon say the same. */
function state(seat) {
  const [hue, name, word] = stateWords(seat);
  return html`<span class="seat-state ${hue}">${name ? icon(name) : nothing}${word}</span>`;
}

function stateWords(seat) {
  if (seat.gone) return ["idle", "", pgettext("participant", "Left")];
  if (seat.waiting) return ["waiting", "clock", pgettext("participant", "Waits for the leader")];
  if (seat.muted) return ["held", "microphone-off", pgettext("participant", "Muted")];
  if (seat.talking) return ["talking", "", pgettext("participant", "Speaking")];
  return ["idle", "", pgettext("participant", "In the room")];
}

function buttons(kind, thing, view) {
  if (view.isBusy(kind, thing.key)) return nothing;
  const shown = view.actions(kind, thing.key).filter(({verb}) => LOOKS[verb]?.when?.(thing, view) ?? true);
  shown.sort((a, b) => placeOf(a) - placeOf(b));
  return shown.map(action => actionButton(action, {...LOOKS[action.verb], objection: view.objection(thing, action)}));
}
