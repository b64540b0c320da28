// "Are you sure?", with the name of what will happen to whom. One <dialog>, from the page's template.

import {html, render} from "../vendor/lit-3.3.3.js";
import {icon} from "./icons.js";

export class Confirm {
  #dialog;
  #asked = null;

  constructor(dialog) {
    this.#dialog = dialog;
    this.#part("cancel").addEventListener("click", () => dialog.close());
    this.#part("confirm").addEventListener("click", () => this.#confirmed());
    dialog.addEventListener("close", () => { this.#asked = null; });
    dialog.addEventListener("keydown", event => this.#moved(event));
  }

  /**
   * @param {import("./actions.js").Action} action
   * @param {{label: string, value: string}[]} facts
   * @param {() => string} objection why it can no longer be done; "" while it can
   */
  ask(action, facts, objection, then) {
    this.#asked = {objection, then};
    this.#part("question").textContent = action.confirm;
    this.#part("confirm").textContent = action.label;
    this.#part("confirm").classList.toggle("danger", action.danger);
    this.#part("confirm").classList.toggle("primary", !action.danger);
    render(facts.map(({label, value}) => html`<dt>${label}</dt><dd class="num"><bdi>${value}</bdi></dd>`), this.#part("call"));
    this.look();
    this.#dialog.showModal();
    this.#part("cancel").focus(); // Enter by habit must not hang up
  }

  /** The floor moved while she was reading. */
  look() {
    if (!this.#asked) return;
    const objection = this.#asked.objection();
    const note = this.#part("note");
    note.hidden = !objection;
    render(objection ? html`${icon("alert-triangle")}<span>${objection}</span>` : "", note);
    this.#part("confirm").disabled = Boolean(objection);
  }

  #confirmed() {
    const {then} = this.#asked;
    this.#dialog.close();
    then();
  }

  #moved(event) {
    if (event.key === "ArrowRight") this.#part("confirm").focus();
    if (event.key === "ArrowLeft") this.#part("cancel").focus();
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-ask-${name}]`);
  }
}
