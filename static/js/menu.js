// A menu of what else can be done to something: one popover, from the page's template. It shows how things stood when it
// was opened; when they are no longer so, it says so and does nothing.

import {html, nothing, render} from "../vendor/lit-3.3.3.js";
import {asked} from "./ask.js";
import {icon} from "./icons.js";

const GAP = 4;
const MARGIN = 8;

/**
 * @typedef {{action: import("./actions.js").Action, iconName: string, target: import("./deeds.js").Target, objection: () => string}} Item
 * @typedef {{label: string, name: string, items: Item[]}} Group
 */

export class Menu extends EventTarget {
  #root;
  #open = null;

  constructor(root) {
    super();
    this.#root = root;
    root.addEventListener("toggle", event => event.newState === "closed" && this.#closed());
    root.addEventListener("keydown", event => this.#key(event));
    root.addEventListener("click", event => this.#clicked(event));
  }

  /** The key of what it is open for, or "". */
  get key() {
    return this.#open?.key ?? "";
  }

  /**
   * @param {HTMLElement} anchor where it opens
   * @param {{key: string, label: string, groups: Group[], press: (item: Item) => void}} menu
   */
  open(anchor, menu) {
    this.#open = menu;
    this.#root.ariaLabel = menu.label;
    this.look();
    this.#root.showPopover();
    this.#place(anchor.getBoundingClientRect());
    this.#items()[0]?.focus();
  }

  close() {
    if (this.#open) this.#root.hidePopover();
  }

  /** The floor moved while it was open. */
  look() {
    if (this.#open) render(this.#open.groups.map(group => this.#group(group)), this.#root);
  }

  #group({label, name, items}) {
    return html`<div role="group" aria-label=${[label, name].filter(Boolean).join(" ")}>
      <p class="menu-head" aria-hidden="true"><span>${label}</span>${name ? html`<bdi class="num">${name}</bdi>` : nothing}</p>
      ${items.map(item => this.#item(item))}</div>`;
  }

  #item(item) {
    const {action, iconName} = item;
    const objection = item.objection();
    const asks = action.confirm || asked(action).length;
    return html`<button type="button" role="menuitem" tabindex="-1" class=${action.danger ? "danger" : ""} .item=${item}
      data-verb=${action.verb} title=${objection || nothing} aria-disabled=${objection ? "true" : nothing}>
      ${icon(iconName)}<span>${action.label}${asks ? "…" : ""}</span>${objection ? html`<small>${objection}</small>` : nothing}</button>`;
  }

  /** Below and to the left of what was pressed; above it where there is no room. By hand: the page's policy forbids
   * style attributes. A telephone's screen has it at the bottom (menu.css). */
  #place({left, right, top, bottom}) {
    const {offsetWidth: width, offsetHeight: height, style} = this.#root;
    const below = bottom + GAP + height <= innerHeight - MARGIN;
    style.left = `${Math.max(MARGIN, Math.min(right - width, innerWidth - width - MARGIN, Math.max(left, right - width)))}px`;
    style.top = `${below ? bottom + GAP : Math.max(MARGIN, top - GAP - height)}px`;
  }

  #clicked(event) {
    const button = event.target.closest("[role=menuitem]");
    if (!button) return;
    const {press} = this.#open;
    this.close(); // first: the focus goes back to where the dialog that may come now gives it back to
    press(button.item);
  }

  #key(event) {
    const items = this.#items();
    const at = items.indexOf(document.activeElement);
    const next = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1}[event.key];
    if (next !== undefined) {
      items[(next + items.length) % items.length].focus();
      event.preventDefault();
    }
    if (event.key === "Tab") {
      this.close();
      event.preventDefault();
    }
    event.stopPropagation(); // Esc is its own
  }

  #items() {
    return [...this.#root.querySelectorAll("[role=menuitem]")];
  }

  #closed() {
    this.#open = null;
    this.dispatchEvent(new Event("close"));
  }
}
