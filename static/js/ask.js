// "Are you sure?", and "with what?": one <dialog>, from the page's template, for what an action needs to know first. Its
// fields come from the action's own description alone.

import {html, nothing, render, repeat} from "../vendor/lit-3.3.3.js";
import {icon} from "./icons.js";
import {pbxOf} from "./store.js";
import {fieldFault, NO_OWN_PHONE} from "./words.js";

const REFUSED_WITHIN = 700; // what the panel refuses by itself it does in milliseconds; for Asterisk nobody waits here

/** The arguments that a person is asked for: which entity is meant she has shown already, and why she does it is asked
 * only when the panel wants to know. */
export const asked = action => action.args.filter(({entity, required, format}) => required || !(entity || format === "reason"));

export class Ask {
  #dialog;
  #store;
  #asked = null;
  #times = 0;

  constructor(dialog, store) {
    this.#dialog = dialog;
    this.#store = store;
    this.#part("cancel").addEventListener("click", () => dialog.close());
    this.#part("form").addEventListener("submit", event => this.#submitted(event));
    dialog.addEventListener("close", () => { this.#asked = null; });
    dialog.addEventListener("keydown", event => this.#moved(event));
    dialog.addEventListener("input", event => this.#typed(event.target));
  }

  /**
   * @param {{action: import("./actions.js").Action, fields?: import("./actions.js").Field[], facts: {label: string, value: string}[], objection: () => string,
   *   places: {key: string, label: string}[], send: (args: object, key: string) => ?import("./actions.js").Command}} wanted
   *   `fields`: all that is asked, if not all that a person is asked for; `objection`: why it can no longer be done, ""
   *   while it can; `places`: which one, where several would do
   */
  ask(wanted) {
    const {action, facts, places, fields = asked(action)} = wanted;
    this.#asked = {...wanted, fields, command: null, refusal: ""};
    this.#times += 1;
    this.#part("question").textContent = action.confirm || action.label;
    this.#part("confirm").classList.toggle("danger", action.danger);
    this.#part("confirm").classList.toggle("primary", !action.danger);
    this.#part("call").hidden = !facts.length;
    render(facts.map(({label, value}) => html`<dt>${label}</dt><dd class="num"><bdi>${value}</bdi></dd>`), this.#part("call"));
    render(this.#fields(places), this.#part("fields"));
    this.look();
    this.#dialog.showModal();
    // Enter by habit must not hang up; what is to be filled in is filled in at once.
    (this.#dialog.querySelector("[data-ask-fields] :is(input, select)") ?? this.#part("cancel")).focus();
  }

  /** The floor moved while she was reading. */
  look() {
    if (!this.#asked) return;
    const {action, command} = this.#asked;
    const objection = this.#asked.objection();
    const words = objection || this.#asked.refusal;
    const note = this.#part("note");
    note.hidden = !words;
    render(words ? html`${icon("alert-triangle")}<span>${words}</span>` : "", note);
    const waits = command?.state === "pending";
    this.#part("confirm").disabled = Boolean(objection) || waits;
    render(html`${waits ? icon("loader-2", "turns") : nothing}${action.label}`, this.#part("confirm"));
  }

  #submitted(event) {
    event.preventDefault();
    if (!this.#asked || this.#part("confirm").disabled) return;
    const {fields, send} = this.#asked;
    const faults = fields.filter(field => this.#sayFault(field.name, this.#faultOf(field)));
    if (faults.length) {
      this.#control(faults[0].name).focus();
      return;
    }
    const values = fields.map(field => [field.name, this.#valueOf(field)]).filter(([, value]) => value !== undefined);
    const key = this.#place();
    if (!fields.length) this.#dialog.close();
    const command = send(Object.fromEntries(values), key);
    if (fields.length) this.#follow(command);
  }

  /** Open until it is known not to be refused at once: then what was wrong can be mended here. */
  #follow(command) {
    const wanted = this.#asked;
    Object.assign(wanted, {command: command ?? null, refusal: ""});
    if (!command) {
      this.#dialog.close();
      return;
    }
    setTimeout(() => this.#asked === wanted && wanted.command === command && command.state === "pending" && this.#dialog.close(), REFUSED_WITHIN);
    this.told(command);
  }

  /** A command moved. */
  told(command) {
    if (!this.#asked || this.#asked.command !== command) return;
    if (command.state === "refused") {
      this.#asked.refusal = command.text;
      this.look();
      this.#control(this.#asked.fields[0].name).focus();
    } else if (command.state === "pending") this.look();
    else this.#dialog.close();
  }

  // ---- fields ----

  #fields(places) {
    const {fields} = this.#asked;
    // New elements each time: what was typed for another call is not offered for this one.
    return html`${places.length > 1 ? this.#places(places) : nothing}
      ${repeat(fields, ({name}) => `${this.#times} ${name}`, field => this.#field(field))}
      ${fields.some(({format}) => format === "number" || format === "extension") ? this.#known() : nothing}`;
  }

  #places(places) {
    return html`<label class="labelled"><span>${gettext("Server")}</span><select data-place>
      ${places.map(({key, label}) => html`<option value=${key}>${label}</option>`)}</select></label>`;
  }

  #field(field) {
    const {name, label, help, type} = field;
    if (type === "boolean") return html`<label class="ticked"><input type="checkbox" name=${name} ?checked=${Boolean(field.default)}><span>${label}</span></label>`;
    return html`<div class="labelled">
      <label for="ask-${name}">${label}</label>
      ${type === "choice" ? this.#choice(field) : this.#input(field)}
      ${help ? html`<small id="ask-help-${name}">${help}</small>` : nothing}
      <p class="field-fault" id="ask-fault-${name}" hidden></p>
      ${field.format === "reason" ? this.#reasons(name) : nothing}</div>`;
  }

  #choice(field) {
    return html`<select id="ask-${field.name}" name=${field.name}>${field.choices.map(({value, label}) => html`
      <option value=${value} ?selected=${value === field.default}>${label}</option>`)}</select>`;
  }

  #input({name, type, help, format, required, least, most, longest, default: given}) {
    const counts = type === "integer" || type === "number";
    const known = format === "number" || format === "extension";
    return html`<input id="ask-${name}" name=${name} type=${counts ? "number" : format === "number" ? "tel" : "text"}
      inputmode=${format === "extension" ? "numeric" : format === "keys" ? "tel" : nothing}
      min=${least ?? nothing} max=${most ?? nothing} step=${type === "integer" ? 1 : nothing} maxlength=${longest ?? nothing}
      .value=${String(given ?? "")} list=${known ? "ask-known" : nothing} aria-required=${required ? "true" : nothing}
      aria-describedby=${[help && `ask-help-${name}`, `ask-fault-${name}`].filter(Boolean).join(" ")}
      autocomplete="off" autocapitalize="off" spellcheck="false">`;
  }

  /** Those that are offered: one press, and Enter. */
  #reasons(name) {
    return html`<div class="offered">${this.#store.session.reasons.map(text => html`
      <button type="button" class="btn" @click=${() => this.#fill(name, text)}>${text}</button>`)}</div>`;
  }

  #fill(name, text) {
    this.#control(name).value = text;
    this.#sayFault(name, "");
    this.#part("confirm").focus();
  }

  /** The PBX's own extensions, to choose from. */
  #known() {
    const pbx = pbxOf(this.#place());
    const found = [...this.#store.entities("extension")].filter(([key, {exten}]) => pbxOf(key) === pbx && /^\d+$/.test(exten));
    const extens = [...new Set(found.map(([, {exten}]) => exten))].sort();
    return html`<datalist id="ask-known">${extens.map(exten => html`<option value=${exten}></option>`)}</datalist>`;
  }

  #typed(control) {
    this.#sayFault(control.name, "");
    if (control.matches("[data-place]")) render(this.#fields(this.#asked.places), this.#part("fields"));
  }

  #valueOf({name, type, required}) {
    const control = this.#control(name);
    if (type === "boolean") return control.checked;
    const text = control.value.trim();
    if (type === "choice") return this.#asked.fields.find(field => field.name === name).choices[control.selectedIndex].value;
    if (!text && !required) return undefined; // as it is declared
    return type === "integer" || type === "number" ? Number(text) : text;
  }

  #faultOf(field) {
    if (field.type === "boolean" || field.type === "choice") return "";
    const control = this.#control(field.name);
    const text = control.value.trim();
    if (field.own_phone && !text && !this.#store.session.user.phones[pbxOf(this.#place())]) return NO_OWN_PHONE;
    return fieldFault(field, text, control.validity.badInput);
  }

  /** @returns {boolean} whether there is one */
  #sayFault(name, fault) {
    const note = name && this.#dialog.querySelector(`#ask-fault-${CSS.escape(name)}`);
    if (!note) return false;
    note.textContent = fault;
    note.hidden = !fault;
    this.#control(name).ariaInvalid = fault ? "true" : null;
    return Boolean(fault);
  }

  #place() {
    const chosen = this.#dialog.querySelector("[data-place]")?.value;
    return this.#asked.places.some(({key}) => key === chosen) ? chosen : this.#asked.places[0].key;
  }

  #control(name) {
    return this.#part("form").elements.namedItem(name);
  }

  // ---- keys ----

  #moved(event) {
    if (!event.target.closest("[data-ask-confirm], [data-ask-cancel]")) return;
    if (event.key === "ArrowRight") this.#part("confirm").focus();
    if (event.key === "ArrowLeft") this.#part("cancel").focus();
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-ask-${name}]`);
  }
}
