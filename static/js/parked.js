// Who is parked, and when he goes back to whoever parked him: a strip below the table, where it moves no row.

import {html, nothing, repeat} from "../vendor/lit-3.3.3.js";
import {clean} from "./format.js";
import {icon} from "./icons.js";
import {actionButton, resultNote} from "./notes.js";
import {pbxOf} from "./store.js";

/** @typedef {{key: string, pbx: string, rev: number, gone: boolean, space: string, number: string, name: string}} Parked */

/** One parked caller; `rev` and `gone` are as the store has them at each look. @returns {?Parked} */
export function findParked(store, key) {
  const entity = store.get("parked", key);
  if (!entity) return null;
  return {
    key,
    pbx: pbxOf(key),
    entity,
    get gone() { return store.get("parked", key) !== entity; },
    get rev() { return entity.rev; },
    get space() { return clean(entity.space); },
    get number() { return clean(entity.number); },
    get name() { return clean(entity.name); },
  };
}

export const parkedName = ({number, name, space}) => [number, name].filter(Boolean).join(" ") || interpolate(gettext("Parked on %(slot)s"), {slot: space}, true);

/** @param {object} floor @param {(thing: Parked, action: object) => string} objectionTo */
export function parkedStrip({store, actions, link}, objectionTo) {
  const all = [...store.entities("parked").keys()].map(key => findParked(store, key));
  if (!all.length) return nothing;
  all.sort((a, b) => a.entity.since - b.entity.since || (a.key < b.key ? -1 : 1));
  return html`<h2>${icon("parking")}${gettext("Parked callers")} <b class="num">${all.length}</b></h2>
    <ul>${repeat(all, ({key}) => key, thing => place(thing, {
      stale: link.isStale(thing.pbx),
      command: actions.about("parked", thing.key),
      busy: actions.isBusy("parked", thing.key),
      actions: actions.of("parked", thing.key),
      objection: action => objectionTo(thing, action),
    }))}</ul>`;
}

function place(thing, {stale, command, busy, actions, objection}) {
  const {space, number, name} = thing;
  return html`<li class=${stale ? "stale" : ""} data-kind="parked" data-key=${thing.key} aria-label=${parkedName(thing)}>
    <b class="num space">${space}</b>
    <span class="who"><bdi class="num">${number || name || gettext("Unknown number")}</bdi>${number && name ? html`<small><bdi>${name}</bdi></small>` : nothing}</span>
    <span class="num left" title=${gettext("Goes back in")} data-pbx=${thing.pbx} data-left=${thing.entity.until}></span>
    ${resultNote(command)}
    ${busy ? nothing : actions.map(action => actionButton(action, {objection: objection(action), iconName: "phone-incoming", wordy: true}))}
  </li>`;
}
