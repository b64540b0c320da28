// A command's life on the page: from the press to the proof. It draws nothing; the row, the dialog and the toast do.

import {COMMAND_WORDS, resultWords} from "./words.js";

const ACK_WITHIN = 1_000;
const RESULT_WITHIN = 10_000;
const BEYOND_PATIENCE = 6_000; // the panel says `unknown` itself before this is over
const SHOWN_FOR = {done: 3_000, refused: 10_000, unknown: 30_000};

/**
 * @typedef {{verb: string, target: string, label: string, confirm: string, danger: boolean, when: string, phone: boolean}} Action
 * @typedef {{id: string, action: Action, key: string, name: string, state: "pending"|"done"|"refused"|"unknown", text: string, acked: boolean}} Command
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
  #byKey = new Map();

  constructor(socket, store) {
    super();
    this.#socket = socket;
    this.#store = store;
    socket.addEventListener("ack", ({detail}) => this.#acked(detail));
    socket.addEventListener("result", ({detail}) => this.#answered(detail));
    socket.addEventListener("state", () => socket.state === "open" || this.#cut());
  }

  /** @returns {Action[]} what this user may do to such a thing: the only source of buttons */
  of(kind) {
    return this.#store.session.actions.filter(action => action.target === kind);
  }

  /** Of the picture that she looks at: a click on another is refused. */
  #epoch(key) {
    return this.#store.pbxs.get(key.split("/", 1)[0])?.epoch || 0;
  }

  /** The last command for an entity, while it is worth showing. @returns {Command|undefined} */
  about(key) {
    return this.#byKey.get(key);
  }

  /**
   * @param {Action} action
   * @param {{kind: string, key: string, rev: number}} target as it was under her finger
   * @param {string} name how to speak of it when its row is gone
   */
  send(action, target, name) {
    if (this.about(target.key)?.state === "pending") return;
    const command = {id: newId(), action, key: target.key, name, state: "pending", text: COMMAND_WORDS.sent, acked: false, timers: []};
    this.#byId.set(command.id, command);
    this.#byKey.set(target.key, command);
    const left = this.#socket.send({type: "cmd", id: command.id, verb: action.verb, target, args: {}, epoch: this.#epoch(target.key)});
    if (!left) return this.#end(command, "refused", COMMAND_WORDS.silent);
    command.timers.push(setTimeout(() => this.#say(command, COMMAND_WORDS.silent), ACK_WITHIN));
    command.timers.push(setTimeout(() => this.#overdue(command), RESULT_WITHIN));
    this.#changed(command);
  }

  #acked({id, patience_ms: patience}) {
    const command = this.#byId.get(id);
    if (command?.state !== "pending") return;
    command.acked = true;
    command.timers.forEach(clearTimeout);
    command.timers = [setTimeout(() => this.#overdue(command), patience + BEYOND_PATIENCE)];
    this.#say(command, command.action.phone ? COMMAND_WORDS.ringing : COMMAND_WORDS.acked);
  }

  #overdue(command) {
    this.#end(command, "unknown", command.acked ? COMMAND_WORDS.overdue : COMMAND_WORDS.unanswered);
  }

  /** An `unknown` may be settled by a second result. */
  #answered({id, outcome, code, detail}) {
    const command = this.#byId.get(id);
    if (command) this.#end(command, outcome, resultWords(command.action.target, outcome, code, detail));
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

  #end(command, state, text) {
    command.timers.forEach(clearTimeout);
    command.timers = [setTimeout(() => this.#forget(command), SHOWN_FOR[state])];
    Object.assign(command, {state, text});
    this.#changed(command);
  }

  #forget(command) {
    this.#byId.delete(command.id);
    if (this.#byKey.get(command.key) === command) this.#byKey.delete(command.key);
    this.#changed(command);
  }

  #changed(command) {
    this.dispatchEvent(new CustomEvent("change", {detail: command}));
  }
}
