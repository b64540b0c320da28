// The monitor dock: at the bottom of the page while a session of mine lives. It is drawn from `spy` entities alone, so
// that a reload, another tab, or a panel that was restarted show the same.

import {html, nothing, render} from "../vendor/lit-3.3.3.js";
import {icon} from "./icons.js";
import {resultNote} from "./notes.js";
import {heard, mine} from "./spies.js";
import {pbxOf} from "./store.js";
import {ENDINGS, SPY_MODES} from "./words.js";

const MODES = ["listen", "whisper", "barge"];

export class Dock {
  #root;
  #store;
  #actions;
  #clock;
  #link;
  #toasts;
  #endings = new Set();

  /** @param {{root: HTMLElement, store: object, actions: object, clock: object, link: object, toasts: object}} parts */
  constructor({root, store, actions, clock, link, toasts}) {
    this.#root = root;
    this.#store = store;
    this.#actions = actions;
    this.#clock = clock;
    this.#link = link;
    this.#toasts = toasts;
    store.subscribe(({reset, keys}) => {
      if (reset || keys.spy || (this.#root.childElementCount && (keys.party || keys.call))) this.#draw();
    });
    link.addEventListener("change", () => this.#draw());
    actions.addEventListener("change", ({detail}) => detail.action.target === "spy" && this.#draw());
    document.addEventListener("keydown", event => this.#key(event));
  }

  #draw() {
    const sessions = mine(this.#store);
    for (const spy of sessions) this.#sayEnding(spy);
    render(sessions.map(spy => this.#session(spy)), this.#root);
    this.#clock.paint(this.#root);
  }

  /** The panel ends it by itself. It stays on the page: she looks at it when her phone falls silent. */
  #sayEnding({key, ending}) {
    if (!ending || this.#endings.has(key)) return;
    this.#endings.add(key);
    this.#toasts.show({kind: "refused", text: ENDINGS[ending] ?? ENDINGS.scope_lost, stays: true});
  }

  #session(spy) {
    const mode = SPY_MODES[spy.mode] ?? SPY_MODES.listen;
    const {whom, others} = heard(this.#store, spy);
    const pbx = pbxOf(spy.key);
    return html`<section class="session ${spy.mode}" aria-label=${mode.word} data-key=${spy.key}>
      ${this.#modes(spy, pbx) ?? html`<span class="mode">${icon(mode.icon)}${mode.word}</span>`}
      <span class="whom"><bdi class="num">${whom}</bdi>${others ? html`<small class="num">${interpolate(gettext("with %(others)s"), {others}, true)}</small>` : nothing}</span>
      <span class="mic" title=${spy.switchable ? gettext("Keys 4, 5 and 6 of your phone switch too, and tell nobody") : nothing}>${micWords(spy)}</span>
      ${resultNote(this.#actions.about("spy", spy.key))}
      <span class="dur num" data-pbx=${pbx} data-since=${spy.since}></span>
      ${this.#stop(spy, pbx)}
    </section>`;
  }

  /** Her phone is not rung again; undefined where it cannot be switched, and is what it is. */
  #modes(spy, pbx) {
    const action = this.#actions.of("spy").find(({verb}) => verb === "calls.switch");
    const choices = action?.args.find(({name}) => name === "mode")?.choices;
    if (!spy.switchable || !choices) return undefined;
    const off = this.#actions.isBusy("spy", spy.key) || this.#link.isStale(pbx);
    return html`<span class="seg modes" role="group" aria-label=${gettext("How you listen")}>${choices.map(({value, label}) => html`
      <button type="button" data-mode=${value} aria-pressed=${value === spy.mode} ?disabled=${off} aria-keyshortcuts=${MODES.indexOf(value) + 1}
        @click=${() => this.#switch(action, spy, value)}>${icon(SPY_MODES[value].icon)}${label}</button>`)}</span>`;
  }

  #switch(action, spy, mode) {
    if (mode !== spy.mode) this.#actions.send(action, {kind: "spy", key: spy.key, rev: spy.rev}, heard(this.#store, spy).whom, {mode});
  }

  #stop(spy, pbx) {
    const action = this.#actions.of("spy").find(({verb}) => verb === "calls.stop");
    if (!action) return nothing;
    const command = this.#actions.about("spy", spy.key);
    const waits = command?.action === action && command.state === "pending";
    const off = this.#actions.isBusy("spy", spy.key) || this.#link.isStale(pbx);
    return html`<button type="button" class="btn stop" ?disabled=${off} title=${action.label} aria-keyshortcuts="Escape" @click=${() => this.#actions.send(action, {kind: "spy", key: spy.key, rev: spy.rev}, heard(this.#store, spy).whom)}>
      ${icon(waits ? "loader-2" : "player-stop", waits ? "turns" : "")}${gettext("Stop")}<kbd aria-hidden="true">Esc</kbd></button>`;
  }

  /** Esc ends it, unless it has something nearer to end: a dialog, a menu, a search. 1, 2 and 3 are its modes. */
  #key(event) {
    const busy = event.defaultPrevented || event.target.closest("input, textarea, select") || document.querySelector("dialog[open], :popover-open");
    if (busy || event.ctrlKey || event.metaKey || event.altKey) return;
    const mode = MODES[Number(event.key) - 1];
    const wanted = event.key === "Escape" ? ".stop" : mode ? `[data-mode=${mode}]` : "";
    if (wanted) this.#root.querySelector(`${wanted}:not(:disabled)`)?.click();
  }
}

/** A leg that her phone's keys can turn too is told as it was turned last from here. */
function micWords({mode, switchable}) {
  if (mode === "whisper") return gettext("Only this party hears you");
  if (mode === "barge") return gettext("Everybody hears you");
  return switchable ? gettext("Nobody hears you, unless your phone's keys switched it") : gettext("Nobody hears you");
}
