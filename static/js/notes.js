// What stands beside things on every board: buttons, what became of a command, what is held, what is not there.

import {html, nothing} from "../vendor/lit-3.3.3.js";
import {icon} from "./icons.js";

const RESULT_LOOKS = {
  pending: ["loader-2", "idle"],
  done: ["check", "ready"],
  refused: ["alert-triangle", "act-now"],
  unknown: ["help-circle", "waiting"],
};

/** @param {import("./actions.js").Command} [command] */
export function resultNote(command) {
  if (!command) return nothing;
  const [name, hue] = RESULT_LOOKS[command.state];
  const text = command.state === "pending" ? command.text : `${command.action.label}: ${command.text}`;
  return html`<span class="said-result ${hue} ${command.state}" title=${text}>${icon(name)}<span>${command.text}</span></span>`;
}

/**
 * @param {import("./actions.js").Action} action
 * @param {{objection: string, iconName?: string, wordy?: boolean, tabindex?: number, pressed?: boolean,
 *   later?: boolean}} look wordy: its word beside its icon; later: possible in another state
 */
export function actionButton({verb, label, danger}, {objection, iconName, wordy = !iconName, tabindex = 0, pressed = false, later = false}) {
  const title = objection ? `${label}: ${objection}` : label;
  const classes = [!wordy && "icon", danger && "danger", pressed && "on", later && "later"].filter(Boolean).join(" ");
  return html`<button type="button" class="btn ${classes}" tabindex=${tabindex} data-verb=${verb} title=${title} aria-label=${title}
    aria-disabled=${objection ? "true" : nothing}>${iconName ? icon(iconName) : nothing}${wordy ? label : nothing}</button>`;
}

export function heldNote(count, apply) {
  if (!count) return nothing;
  const words = ngettext("%(count)s change held", "%(count)s changes held", count);
  return html`<div class="held-note" title=${gettext("Rows keep their places while you point at them")}>${icon("player-pause")}
    <span class="num">${interpolate(words, {count}, true)}</span>
    <button type="button" class="btn" @click=${apply}>${gettext("Apply")}</button></div>`;
}

export function emptyNote(name, title, words = "", button = nothing) {
  return html`<div class="empty">${icon(name)}<strong>${title}</strong>${words ? html`<span>${words}</span>` : nothing}${button}</div>`;
}

/** Nothing of any PBX is hers. @param {import("./store.js").Store} store */
export const hasNoPart = ({session, pbxs}) => !session.scope.whole && !pbxs.size;

export const noPartNote = () =>
  emptyNote("users-group", gettext("No part of the floor is yours yet"), gettext("Ask an administrator to put you into a team."));

/** That there is more than she sees; "" for who sees all. @param {import("./store.js").Store} store */
export function partWords(store) {
  if (store.session.scope.whole) return "";
  const count = store.entities("queue").size;
  if (!count) return gettext("You see your own part of the floor; ask an administrator for more.");
  const words = ngettext("You may see %(count)s queue; ask an administrator for more.", "You may see %(count)s queues; ask an administrator for more.", count);
  return interpolate(words, {count}, true);
}
