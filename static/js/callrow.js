// One call as a row of the table. Strangers' words come in as text bindings only.

import {html, nothing} from "../vendor/lit-3.3.3.js";
import {icon} from "./icons.js";
import {actionButton, resultNote} from "./notes.js";
import {DIRECTIONS, phaseWords, WHEN_WORDS} from "./words.js";

/** What is done most has its button in the row, in this order; all else is in the row's menu. */
const IN_ROW = {
  "calls.listen": "ear",
  "calls.whisper": "message-2",
  "calls.barge": "users-group",
  "calls.pickup": "phone-incoming",
  "calls.hangup": "phone-off",
};
const IN_MENU = {
  "calls.record": {iconName: "player-record", fits: row => !row.recording},
  "calls.pause_record": {iconName: "player-pause", fits: row => row.recording === "on"},
  "calls.resume_record": {iconName: "player-play", fits: row => row.recording === "paused"},
  "calls.stop_record": {iconName: "player-stop", fits: row => row.recording},
  "calls.transfer": {iconName: "arrow-forward-up"},
  "calls.attend": {iconName: "phone-outgoing"},
  "calls.cancel_attend": {iconName: "arrow-back-up"},
  "calls.park": {iconName: "parking"},
  "calls.mute": {iconName: "microphone-off"},
  "calls.keys": {iconName: "dialpad"},
};
const OTHER = {iconName: "phone"};
const RECORDINGS = {on: ["record-mail", gettext("Being recorded"), "recorded"], paused: ["player-pause", gettext("Recording paused"), ""]};

export const isInRow = ({verb}) => verb in IN_ROW;

/** How it looks in the menu; null when it means nothing for this call now. */
export function menuLook({verb}, row) {
  const look = IN_MENU[verb] ?? OTHER;
  return look.fits && !look.fits(row) ? null : look;
}

/** How a row is called where there is no table around it: in a dialog, in a toast, for a screen reader. */
export function rowName(row) {
  const people = [row.from, ...row.to].filter(Boolean).map(whoName);
  return people.join(" → ") || gettext("Unknown number");
}

export const whoName = who => [who.number, who.name].filter(Boolean).join(" ") || gettext("Unknown number");

/**
 * @param {import("./rows.js").Row} row
 * @param {{index: number, focusable: boolean, selected: boolean, stale: boolean, showPbx: boolean,
 *   actions: import("./actions.js").Action[], hasMenu: boolean, menuIsOpen: boolean, command?: import("./actions.js").Command,
 *   objection: (action: import("./actions.js").Action) => string}} view
 */
export function callRow(row, view) {
  const over = row.phase === "ended";
  const classes = [over && "ended", view.stale && "stale", view.menuIsOpen && "open"].filter(Boolean).join(" ");
  return html`<tr role="row" class=${classes} aria-rowindex=${view.index + 2} aria-selected=${view.selected}
      tabindex=${view.focusable ? 0 : -1} data-kind="call" data-key=${row.key}>
    <td role="gridcell">${chip(row.phase)}</td>
    ${view.showPbx ? html`<td role="gridcell" class="pbx">${row.pbx}</td>` : nothing}
    <td role="gridcell" class="who from num">${direction(row)}${row.from ? person(row.from) : none()}</td>
    <td role="gridcell" class="who to num">${callees(row, over)}</td>
    <td role="gridcell" class="place">${row.place}</td>
    <td role="gridcell" class="right time">${time(row)}</td>
    <td role="gridcell" class="acts-cell"><div class="acts">${flags(row)}${resultNote(view.command)}${over ? nothing : toolbar(row, view)}</div></td>
  </tr>`;
}

function chip(phase) {
  const {word, icon: name, hue} = phaseWords(phase);
  return html`<span class="chip ${hue}">${icon(name)}${word}</span>`;
}

function direction(row) {
  const way = DIRECTIONS[row.direction];
  return way ? html`<span class="way" title=${way.word}>${icon(way.icon)}<span class="said">${way.word}</span></span>` : nothing;
}

const none = () => html`<span class="none">–</span>`;

/** The number leads; the name stands beside it, or in its stead. */
function person(who) {
  const [first, second] = who.number ? [who.number, who.name] : [who.name || gettext("Unknown number"), ""];
  return html`<span class="name"><bdi>${first}</bdi>${second ? html`<small><bdi>${second}</bdi></small>` : nothing}</span>${who.hold ? holding() : nothing}`;
}

const holding = () => html`<span title=${gettext("On hold")}>${icon("player-pause", "held")}<span class="said">${gettext("On hold")}</span></span>`;

function callees(row, over) {
  const [first, ...others] = row.to;
  if (!first) return over && row.reason ? reason(row) : where(row);
  const more = others.length ? html` <small title=${others.map(whoName).join(", ")}>+${others.length}</small>` : nothing;
  return html`${person(first)}${more}${over && row.reason ? html`<small>${row.reason}</small>` : nothing}`;
}

/** Narrow tables have no column for the place: there the words name it. */
function where({where: full, whereShort: short}) {
  if (!full) return none();
  return html`<span class="words short">${short}</span><span class="words full">${full}</span>`;
}

const reason = row => html`<span class="words">${row.reason}</span>`;

/** The clock writes the figures: they change when nothing else does. */
function time(row) {
  const over = row.phase === "ended";
  const title = row.approx ? gettext("At least so long: the panel came later than the call") : "";
  return html`<span class="dur num" title=${title || nothing} data-pbx=${row.pbx} data-at-least=${row.approx ? "" : nothing}
    data-since=${over ? row.started : row.since} data-until=${over ? row.since : nothing}></span>`;
}

function flags(row) {
  const flag = (name, words, extra = "") =>
    html`<span class="flag ${extra}" title=${words}>${icon(name)}<span class="said">${words}</span></span>`;
  const recording = row.phase === "ended" ? undefined : RECORDINGS[row.recording];
  if (!row.parent && !row.listeners.length && !recording) return nothing;
  return html`<span class="flags">${row.parent ? flag("arrows-split-2", gettext("Split from another call")) : nothing}${
    recording ? flag(...recording) : nothing}${
    row.listeners.map(({icon: name, words, mode}) => flag(name, words, `listener ${mode}`))}</span>`;
}

function toolbar(row, {actions, hasMenu, menuIsOpen, command, objection, index}) {
  const shown = Object.keys(IN_ROW).map(name => actions.find(({verb}) => verb === name)).filter(Boolean);
  if (!(shown.length || hasMenu) || command?.state === "pending") return nothing;
  const label = interpolate(gettext("What to do with %(call)s"), {call: rowName(row)}, true);
  const more = gettext("More");
  return html`<div role="toolbar" aria-label=${label} data-index=${index}>${shown.map(action => button(action, objection(action)))}${
    hasMenu ? html`<button type="button" class="btn icon" tabindex="-1" data-menu-for=${row.key} title=${more} aria-label=${more}
      aria-haspopup="menu" aria-expanded=${menuIsOpen}>${icon("dots")}</button>` : nothing}</div>`;
}

/** What only another state of the call allows comes `later`: a narrow row leaves it out. */
function button(action, objection) {
  const later = Object.values(WHEN_WORDS).includes(objection);
  return actionButton(action, {objection, iconName: IN_ROW[action.verb], tabindex: -1, later});
}
