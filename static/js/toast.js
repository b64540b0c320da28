// Says what happened, at the bottom of the page.

import {html, nothing, render} from "../vendor/lit-3.3.3.js";
import {icon} from "./icons.js";

const STAYS = 8_000;
const MOST = 4;
const ICONS = {done: ["check", "ready"], refused: ["alert-triangle", "act-now"], unknown: ["help-circle", "waiting"], note: ["help-circle", "idle"]};

export class Toasts {
  #root;
  #items = [];

  constructor(root) {
    this.#root = root;
  }

  /** @param {{kind?: string, text: string, button?: {label: string, press: () => void}, stays?: boolean}} toast stays while it has a button, or until it is closed */
  show({kind = "note", text, button, stays = Boolean(button)}) {
    const item = {kind, text, button};
    this.#items = [...this.#items.slice(1 - MOST), item];
    if (!stays) setTimeout(() => this.#drop(item), STAYS);
    this.#draw();
  }

  #drop(item) {
    this.#items = this.#items.filter(other => other !== item);
    this.#draw();
  }

  #draw() {
    render(this.#items.map(item => this.#toast(item)), this.#root);
  }

  #toast(item) {
    const [name, hue] = ICONS[item.kind];
    const {button} = item;
    return html`<div class="toast ${hue}">
      ${icon(name)}<span>${item.text}</span>
      ${button ? html`<button class="btn" type="button" @click=${button.press}>${button.label}</button>` : nothing}
      <button class="btn ghost icon" type="button" aria-label=${gettext("Close")} @click=${() => this.#drop(item)}>${icon("x")}</button>
    </div>`;
  }
}
