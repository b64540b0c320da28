// A command's life on the page: from the press to the proof. It draws nothing; the row, the dialog and the toast do.

import {COMMAND_WORDS, resultWords} from "./words.js";

const ACK_WITHIN = 1_000;
const RESULT_WITHIN = 10_000;
const BEYOND_PATIENCE = 6_000; // the panel says `unknown` itself before this is over
const SHOWN_FOR = {done: 3_000, refused: 10_000, unknown: 30_000};
const SHOWN_FOR_UNPROVABLE = 6_000; // nothing more will come

/** To these several things may be done at a time, while a phone rings for one of them. */
const MANY = new Set(["pbx", "room"]);

/**
 * @typedef {{verb: string, target: string, label: string, confirm: string, danger: boolean, when: string, phone: boolean, args: Field[]}} Action
 * @typedef {{name: string, label: string, help: string, type: "string"|"integer"|"number"|"boolean"|"choice", required: boolean,
 *   default: *, choices: {value: *, label: string}[], pattern: string, entity: string, format: string, own_phone: boolean,
 *   least?: number, most?: number, shortest?: number, longest?: number}} Field
 * @typedef {{id: string, at: number, action: Action, key: string, name: string, hers: boolean, state: "pending"|"done"|"refused"|"unknown",
 *   text: string, acked: boolean, over: boolean, target: object, args: object, whyNot: boolean}} Command  `hers`: it rings her own
 *   phone; `over`: no longer worth showing; `whyNot`: it was refused for want of a reason, and of nothing else
 */

/** 128 random bits as 32 hex digits. randomUUID would need HTTPS. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
}

export class Actions extends EventTarget {
  #socket;
  #store;
  #byId = new Map();
  #byTarget = new Map();

  constructor(socket, store) {
    super();
    this.#socket = socket;
    this.#store = store;
    socket.addEventListener("ack", ({detail}) => this.#acked(detail));
    socket.addEventListener("result", ({detail}) => this.#answered(detail));
    socket.addEventListener("state", () => socket.state === "open" || this.#cut());
  }

  /** @returns {Action[]} what this user may do to such a thing, or to this one: the only source of buttons */
  of(kind, key = "") {
    const denied = this.#store.get(kind, key)?.no ?? [];
    return this.#store.session.actions.filter(({target, verb}) => target === kind && !denied.includes(verb));
  }

  /** Of the picture that she looks at: a click on another is refused. */
  #epoch(key) {
    return this.#store.pbxs.get(key.split("/", 1)[0])?.epoch || 0;
  }

  /** The last command for an entity, while it is worth showing. @returns {Command|undefined} */
  about(kind, key) {
    return this.#byTarget.get(`${kind} ${key}`);
  }

  /** One thing at a time, to one thing. */
  isBusy(kind, key) {
    const command = this.about(kind, key);
    return command?.state === "pending" && !(MANY.has(kind) && command.action.phone);
  }

  /**
   * @param {Action} action
   * @param {{kind: string, key: string, rev: number}} target as it was under her finger
   * @param {string} name how to speak of it when its row is gone
   * @returns {Command|undefined} undefined while another is under way
   */
  send(action, target, name, args = {}) {
    if (this.isBusy(target.kind, target.key)) return undefined;
    const command = {id: newId(), at: performance.now(), action, key: target.key, name, target, args, whyNot: false, state: "pending", text: COMMAND_WORDS.sent, acked: false, over: false, timers: []};
    command.hers = action.phone && !action.args.some(field => field.own_phone && args[field.name]);
    this.#byId.set(command.id, command);
    this.#byTarget.set(`${target.kind} ${target.key}`, command);
    const left = this.#socket.send({type: "cmd", id: command.id, verb: action.verb, target, args, epoch: this.#epoch(target.key)});
    if (left) {
      command.timers.push(setTimeout(() => this.#say(command, COMMAND_WORDS.silent), ACK_WITHIN));
      command.timers.push(setTimeout(() => this.#overdue(command), RESULT_WITHIN));
      this.#changed(command);
    } else {
      this.#end(command, "refused", COMMAND_WORDS.silent);
    }
    return command;
  }

  #acked({id, patience_ms: patience}) {
    const command = this.#byId.get(id);
    if (command?.state !== "pending") return;
    command.acked = true;
    command.timers.forEach(clearTimeout);
    command.timers = [setTimeout(() => this.#overdue(command), patience + BEYOND_PATIENCE)];
    const {phone} = command.action;
    this.#say(command, phone ? (command.hers ? COMMAND_WORDS.ringing : COMMAND_WORDS.ringingOther) : COMMAND_WORDS.acked);
  }

  #overdue(command) {
    this.#end(command, "unknown", command.acked ? COMMAND_WORDS.overdue : COMMAND_WORDS.unanswered);
  }

  /** An `unknown` may be settled by a second result. */
  #answered({id, outcome, code, detail}) {
    const command = this.#byId.get(id);
    if (!command) return;
    if (code === "reason_required") {
      command.whyNot = true;
      command.timers.forEach(clearTimeout);
      this.#forget(command); // nothing to say of it: she is asked instead
      return;
    }
    const unprovable = code === "not_provable";
    this.#end(command, outcome, resultWords(command, outcome, code, detail), unprovable ? SHOWN_FOR_UNPROVABLE : SHOWN_FOR[outcome]);
  }

  #cut() {
    for (const command of this.#byId.values()) {
      if (command.state === "pending") this.#end(command, "unknown", COMMAND_WORDS.cut);
    }
  }

  #say(command, text) {
    command.text = text;
    this.#changed(command);
  }

  #end(command, state, text, shownFor = SHOWN_FOR[state]) {
    command.timers.forEach(clearTimeout);
    command.timers = [setTimeout(() => this.#forget(command), shownFor)];
    Object.assign(command, {state, text});
    this.#changed(command);
  }

  #forget(command) {
    command.over = true;
    this.#byId.delete(command.id);
    const target = `${command.action.target} ${command.key}`;
    if (this.#byTarget.get(target) === command) this.#byTarget.delete(target);
    this.#changed(command);
  }

  #changed(command) {
    this.dispatchEvent(new CustomEvent("change", {detail: command}));
  }
}
