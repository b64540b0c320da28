// The monitor dock: at the bottom of the page while a session of mine lives. It is drawn from `spy` entities alone, so
// that a reload, another tab, or a panel that was restarted show the same.

import {html, nothing, render} from "../vendor/lit-3.3.3.js";
import {icon} from "./icons.js";
import {heard, mine} from "./spies.js";
import {pbxOf} from "./store.js";
import {SPY_MODES} from "./words.js";

export class Dock {
  #root;
  #store;
  #actions;
  #clock;
  #link;

  /** @param {{root: HTMLElement, store: object, actions: object, clock: object, link: object}} parts */
  constructor({root, store, actions, clock, link}) {
    this.#root = root;
    this.#store = store;
    this.#actions = actions;
    this.#clock = clock;
    this.#link = link;
    store.subscribe(({reset, keys}) => {
      if (reset || keys.spy || (this.#root.childElementCount && (keys.party || keys.call))) this.#draw();
    });
    link.addEventListener("change", () => this.#draw());
    // What became of a command the board says, as for all that is not in its view.
    actions.addEventListener("change", ({detail}) => detail.action.target === "spy" && this.#draw());
    document.addEventListener("keydown", event => this.#key(event));
  }

  #draw() {
    render(mine(this.#store).map(spy => this.#session(spy)), this.#root);
    this.#clock.paint(this.#root);
  }

  #session(spy) {
    const mode = SPY_MODES[spy.mode] ?? SPY_MODES.listen;
    const {whom, others} = heard(this.#store, spy);
    const pbx = pbxOf(spy.key);
    return html`<section class="session ${spy.mode}" aria-label=${mode.word} data-key=${spy.key}>
      <span class="mode">${icon(mode.icon)}${mode.word}</span>
      <span class="whom"><bdi class="num">${whom}</bdi>${others ? html`<small class="num">${interpolate(gettext("with %(others)s"), {others}, true)}</small>` : nothing}</span>
      <span class="mic">${spy.mode === "listen" ? gettext("Nobody hears you") : spy.mode === "whisper" ? gettext("Only this party hears you") : gettext("Everybody hears you")}</span>
      <span class="dur num" data-pbx=${pbx} data-since=${spy.since}></span>
      ${this.#stop(spy, pbx)}
    </section>`;
  }

  #stop(spy, pbx) {
    const action = this.#actions.of("spy").find(({verb}) => verb === "calls.stop");
    if (!action) return nothing;
    const command = this.#actions.about(spy.key);
    const off = command?.state === "pending" || this.#link.isStale(pbx);
    return html`<button type="button" class="btn" ?disabled=${off} title=${action.label} aria-keyshortcuts="Escape" @click=${() => this.#actions.send(action, {kind: "spy", key: spy.key, rev: spy.rev}, heard(this.#store, spy).whom)}>
      ${icon(command?.state === "pending" ? "loader-2" : "player-stop")}${gettext("Stop")}<kbd aria-hidden="true">Esc</kbd></button>`;
  }

  /** Esc ends it, unless it has something nearer to end: a dialog, a search. */
  #key(event) {
    const busy = event.defaultPrevented || event.target.closest("input, textarea, select") || document.querySelector("dialog[open]");
    if (event.key !== "Escape" || busy) return;
    this.#root.querySelector("button:not(:disabled)")?.click();
  }
}
