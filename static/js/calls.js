// <pp-calls>: the table of live calls. It draws what the store holds; what is pressed goes to the actions.

import {html, LitElement, nothing, repeat} from "../vendor/lit-3.3.3.js";
import {callRow, rowName, whoName} from "./callrow.js";
import {timeOfDay} from "./format.js";
import {listenToKeys} from "./gridkeys.js";
import {Hand} from "./hand.js";
import {icon} from "./icons.js";
import {Painter} from "./painter.js";
import {isOrder, Rows, SEGMENTS} from "./rows.js";
import {visibleParts} from "./windowing.js";
import {NO_PHONE, WHEN_WORDS} from "./words.js";

const COLUMNS = [
  {name: "state", word: gettext("State")},
  {name: "pbx", word: gettext("Server")},
  {name: "from", word: gettext("From")},
  {name: "to", word: gettext("To")},
  {name: "place", word: gettext("Queue or place")},
  {name: "time", word: gettext("Time")},
];
const SEGMENT_WORDS = {
  all: gettext("All"),
  ringing: gettext("Ringing"),
  talking: gettext("Talking"),
  hold: gettext("On hold"),
  waiting: gettext("Waiting"),
};
const VERB_LETTERS = {h: "calls.hangup", l: "calls.listen", w: "calls.whisper", p: "calls.pickup"};
const SUITS = {
  talks: row => row.phase === "talking" || row.phase === "hold",
  rings: row => row.rings,
};
const DEFAULT_ORDER = "state";

class Calls extends LitElement {
  #floor;
  #rows;
  #hand = new Hand(() => this.#painter.now());
  #painter = new Painter(() => this.requestUpdate());
  #frames = [];
  #shown = [];
  #waiting = 0;
  #counts = {};
  #segment = "all";
  #query = "";
  #order = DEFAULT_ORDER;
  #active = "";
  #selected = "";
  #pressed = null;
  #box = null;
  #rowHeight = 38;
  #boxHeight = 0;
  #focusWanted = false;

  /** Light DOM: the page's own style sheets and anyone's test tools reach in. */
  createRenderRoot() {
    return this;
  }

  /** @param {object} floor store, socket, link, clock, actions, confirm, toasts, status */
  begin(floor) {
    this.#floor = floor;
    this.#rows = new Rows(floor.store);
    this.#readAddress();
    floor.store.subscribe(change => this.#floorMoved(change));
    floor.link.addEventListener("change", () => this.#painter.soon());
    floor.actions.addEventListener("change", event => this.#commandMoved(event.detail));
    this.requestUpdate();
  }

  get query() {
    return this.#query;
  }

  /** The words in the search field. */
  set query(words) {
    this.#query = words.trim();
    this.#chose();
  }

  // ---- what comes in ----

  #floorMoved({pbx, frame}) {
    if (frame && !document.hidden) this.#frames.push({pbx, ...frame});
    this.#painter.soon();
  }

  #commandMoved(command) {
    this.#painter.now();
    if (command.state === "pending" || command.told === command.state || !this.#floor.actions.about(command.key)) return;
    command.told = command.state;
    const row = this.#shown.find(({key}) => key === command.key);
    const text = `${command.action.label}, ${row ? rowName(row) : command.name}: ${command.text}`;
    this.#floor.status.say(text);
    if (!this.#isInView(command.key)) this.#floor.toasts.show({kind: command.state, text});
  }

  /** She chose what to see: now, whatever is held under her hand. */
  #chose() {
    this.#hand.refresh();
    this.#writeAddress();
    this.#painter.now();
  }

  #readAddress() {
    const asked = new URLSearchParams(location.search);
    this.#query = asked.get("q") ?? "";
    if (asked.get("state") in SEGMENTS) this.#segment = asked.get("state");
    if (isOrder(asked.get("sort") ?? "")) this.#order = asked.get("sort");
  }

  /** A view is its address: to be marked, sent, reloaded. */
  #writeAddress() {
    const said = new URLSearchParams();
    if (this.#query) said.set("q", this.#query);
    if (this.#segment !== "all") said.set("state", this.#segment);
    if (this.#order !== DEFAULT_ORDER) said.set("sort", this.#order);
    history.replaceState(null, "", said.size ? `?${said}` : location.pathname);
  }

  // ---- drawing ----

  willUpdate() {
    if (!this.#floor) return;
    const {rows, counts} = this.#rows.list({segment: this.#segment, query: this.#query.toLowerCase(), order: this.#order});
    const arranged = this.#hand.arrange(rows);
    this.#shown = arranged.rows;
    this.#waiting = arranged.waiting;
    this.#counts = counts;
    if (!this.#shown.some(({key}) => key === this.#active)) this.#active = this.#shown[0]?.key ?? "";
    this.#focusWanted ||= this.contains(document.activeElement) && document.activeElement.dataset.key === this.#active;
  }

  render() {
    if (!this.#floor) return nothing;
    return html`${this.#tools()}
      <div class="grid-box" @scroll=${() => this.#painter.now()}>
        <table role="grid" class="grid calls" aria-label=${gettext("Live calls")} aria-rowcount=${this.#shown.length + 1}
          @click=${this.#clicked} @pointerdown=${this.#pressedDown} @focusin=${this.#focused}>
          ${this.#columns()}
          <thead role="rowgroup"><tr role="row" aria-rowindex="1">${this.#visibleColumns().map(column => this.#head(column))}
            <th role="columnheader"><span class="said">${gettext("Actions")}</span></th></tr></thead>
          <tbody role="rowgroup">${this.#body()}</tbody>
        </table>
        ${this.#shown.length ? nothing : this.#empty()}
      </div>`;
  }

  #tools() {
    return html`<div class="tools">
      <div class="seg" role="group" aria-label=${gettext("State")}>${Object.keys(SEGMENTS).map(name => html`
        <button type="button" aria-pressed=${name === this.#segment} @click=${() => this.#chooseSegment(name)}>
          ${SEGMENT_WORDS[name]} <b class="num">${this.#counts[name]}</b></button>`)}
      </div>
      ${this.#waiting ? this.#heldNote() : nothing}
    </div>`;
  }

  #heldNote() {
    const words = ngettext("%(count)s change held", "%(count)s changes held", this.#waiting);
    return html`<div class="held-note" title=${gettext("Rows keep their places while you point at them")}>${icon("player-pause")}
      <span class="num">${interpolate(words, {count: this.#waiting}, true)}</span>
      <button type="button" class="btn" @click=${() => this.#chose()}>${gettext("Apply")}</button></div>`;
  }

  #visibleColumns() {
    return COLUMNS.filter(({name}) => name !== "pbx" || this.#severalPbxs());
  }

  #severalPbxs() {
    return this.#floor.store.pbxs.size > 1;
  }

  #columns() {
    return html`<colgroup>${this.#visibleColumns().map(({name}) => html`<col class="c-${name}">`)}<col class="c-acts"></colgroup>`;
  }

  #head({name, word}) {
    const sorted = this.#order.replace(/^-/, "") === name;
    const down = this.#order.startsWith("-");
    return html`<th role="columnheader" class="${name === "time" ? "right" : ""} ${name === "place" ? "place" : ""}"
        aria-sort=${sorted ? (down ? "descending" : "ascending") : nothing}>
      <button type="button" tabindex="-1" @click=${() => this.#chooseOrder(name)}>${word}${sorted ? icon(down ? "arrow-down" : "arrow-up") : nothing}</button></th>`;
  }

  #body() {
    const view = {
      actions: this.#floor.actions.of("call"),
      showPbx: this.#severalPbxs(),
    };
    const parts = visibleParts({
      total: this.#shown.length,
      top: this.#box?.scrollTop ?? 0,
      height: this.#boxHeight,
      rowHeight: this.#rowHeight,
      keep: this.#shown.findIndex(({key}) => key === this.#active),
    });
    return repeat(parts, (part, i) => (part.gap ? `gap ${i}` : this.#shown[part.index].key), part => this.#part(part, view));
  }

  #part({gap, index}, view) {
    if (gap) return html`<tr class="pad" aria-hidden="true" data-gap=${gap}><td></td></tr>`;
    const row = this.#shown[index];
    const {actions, link} = this.#floor;
    return callRow(row, {
      ...view,
      index,
      focusable: row.key === this.#active,
      selected: row.key === this.#selected,
      stale: link.isStale(row.pbx),
      command: actions.about(row.key),
      objection: action => this.#objection(row, action),
    });
  }

  #empty() {
    if (!this.#floor.link.anyTrue) return this.#emptyNote("plug-connected-x", gettext("No live data yet"), gettext("Calls appear here as soon as the PBX answers."));
    if (this.#query || this.#segment !== "all") {
      return this.#emptyNote("search-off", gettext("No call matches"), "", html`
        <button type="button" class="btn" @click=${() => this.#showAll()}>${gettext("Show all calls")}</button>`);
    }
    const at = this.#rows.lastEndedAt;
    const last = at ? interpolate(gettext("The last one ended at %(time)s."), {time: timeOfDay(at)}, true) : "";
    return this.#emptyNote("phone", gettext("No calls right now"), last);
  }

  #emptyNote(name, title, words, button = nothing) {
    return html`<div class="empty">${icon(name)}<strong>${title}</strong>${words ? html`<span>${words}</span>` : nothing}${button}</div>`;
  }

  firstUpdated() {
    if (this.#floor) this.#settle();
  }

  updated() {
    if (!this.#floor) return;
    if (!this.#box) this.#settle();
    this.#sizeGaps();
    this.#floor.clock.paint(this);
    this.#keepFocus();
    this.#floor.confirm.look();
    this.#floor.socket.sayShown();
    this.#tellShown();
    this.dispatchEvent(new CustomEvent("counts", {detail: this.#counts}));
  }

  /** Once, when the table first stands: what needs its elements. */
  #settle() {
    this.#box = this.querySelector(".grid-box");
    const grid = this.querySelector(".grid");
    this.#hand.watch(grid);
    listenToKeys(grid, {
      move: by => this.#goTo(this.#shown.findIndex(({key}) => key === this.#active) + by),
      goTo: index => this.#goTo(index),
      page: () => Math.max(1, Math.floor(this.#boxHeight / this.#rowHeight) - 2),
      letter: (key, letter) => this.#letter(key, letter),
      select: key => this.#select(key),
    });
    new ResizeObserver(() => this.#measure()).observe(this.#box);
  }

  #measure() {
    this.#boxHeight = this.#box.clientHeight;
    this.#rowHeight = parseFloat(getComputedStyle(this.#box).getPropertyValue("--row"));
    this.#painter.now();
  }

  /** By hand, because the page's policy forbids style attributes. */
  #sizeGaps() {
    for (const gap of this.querySelectorAll("[data-gap]")) gap.style.height = `${gap.dataset.gap * this.#rowHeight}px`;
  }

  /** A row that the browser moves in the document loses the focus: give it back. */
  #keepFocus() {
    if (!this.#focusWanted) return;
    this.#focusWanted = false;
    const row = this.#rowElement(this.#active);
    if (row && !row.contains(document.activeElement)) row.focus({preventScroll: true});
  }

  #tellShown() {
    const at = performance.timeOrigin + performance.now();
    for (const frame of this.#frames) document.dispatchEvent(new CustomEvent("phoenix:rendered", {detail: {...frame, at}}));
    this.#frames = [];
  }

  // ---- what she does ----

  #chooseSegment(name) {
    this.#segment = name;
    if (this.#box) this.#box.scrollTop = 0;
    this.#chose();
  }

  /** The same head again turns the order round. */
  #chooseOrder(name) {
    this.#order = this.#order === name ? `-${name}` : name;
    this.#chose();
  }

  #showAll() {
    this.#segment = "all";
    this.dispatchEvent(new Event("show-all"));
    this.query = "";
  }

  #focused = event => {
    const row = event.target.closest("tr[data-key]");
    if (!row || row.dataset.key === this.#active) return;
    this.#active = row.dataset.key;
    this.#painter.now();
  };

  #select(key) {
    this.#selected = this.#selected === key ? "" : key;
    this.#painter.now();
  }

  /** What stood under the finger when it came down is what is meant, wherever the row is by the time it lifts. */
  #pressedDown = event => {
    const button = event.target.closest("[data-verb]");
    const row = button && this.#rowOf(button);
    this.#pressed = row ? {button, key: row.key, rev: row.rev} : null;
  };

  #clicked = event => {
    const row = this.#rowOf(event.target);
    if (!row) return;
    const button = event.target.closest("[data-verb]");
    if (!button) {
      this.#select(row.key);
      return;
    }
    const pressed = this.#pressed?.button === button ? this.#pressed : {key: row.key, rev: row.rev};
    this.#pressed = null;
    this.#do(button.dataset.verb, pressed);
  };

  /** @returns {boolean} whether the letter meant something here */
  #letter(key, letter) {
    const row = this.#shown.find(shown => shown.key === key);
    const verb = VERB_LETTERS[letter];
    if (!row || !this.#floor.actions.of("call").some(action => action.verb === verb)) return false;
    this.#do(verb, {key, rev: row.rev});
    return true;
  }

  #do(verb, {key, rev}) {
    const {actions, confirm, toasts} = this.#floor;
    const action = actions.of("call").find(known => known.verb === verb);
    const row = this.#shown.find(shown => shown.key === key);
    if (!action || !row || actions.about(key)?.state === "pending") return;
    const objection = () => this.#objection(row, action) || (row.rev === rev ? "" : gettext("The call has changed: close this and look again."));
    if (objection()) {
      toasts.show({text: objection()});
      return;
    }
    const send = () => actions.send(action, {kind: "call", key, rev}, rowName(row));
    if (action.confirm) confirm.ask(action, facts(row), objection, send);
    else send();
  }

  /** Why this cannot be done to this call now; "" when it can. */
  #objection(row, {when, phone}) {
    const {link, store} = this.#floor;
    if (row.phase === "ended") return gettext("The call has ended.");
    if (link.isStale(row.pbx)) return gettext("No live data from this PBX: what is shown may be over.");
    if (when && !SUITS[when](row)) return WHEN_WORDS[when];
    if (phone && !store.session.user.phones[row.pbx]) return NO_PHONE;
    return "";
  }

  #goTo(index) {
    if (!this.#shown.length) return;
    if (index < 0 && this.#shown[0].key === this.#active) {
      this.querySelector("th[aria-sort] button, th button")?.focus();
      return;
    }
    const at = Math.min(this.#shown.length - 1, Math.max(0, index));
    this.#active = this.#shown[at].key;
    this.#focusWanted = true;
    this.#scrollTo(at);
    this.#painter.now();
  }

  #scrollTo(index) {
    const head = this.querySelector("thead").offsetHeight;
    const top = index * this.#rowHeight;
    const {scrollTop} = this.#box;
    if (top < scrollTop) this.#box.scrollTop = top;
    else if (top + this.#rowHeight + head > scrollTop + this.#boxHeight) this.#box.scrollTop = top + this.#rowHeight + head - this.#boxHeight;
  }

  #rowOf(element) {
    const key = element.closest("tr[data-key]")?.dataset.key;
    return this.#shown.find(row => row.key === key);
  }

  #rowElement(key) {
    return this.querySelector(`tr[data-key="${CSS.escape(key)}"]`);
  }

  #isInView(key) {
    const element = this.#rowElement(key);
    if (!element) return false;
    const [row, box] = [element.getBoundingClientRect(), this.#box.getBoundingClientRect()];
    return row.bottom > box.top && row.top < box.bottom;
  }
}

/** What the dialog says of a call, so that nobody hangs up the wrong one. */
function facts(row) {
  const people = row.to.length ? row.to.map(whoName).join(", ") : row.where;
  return [
    {label: gettext("From"), value: row.from ? whoName(row.from) : gettext("Unknown number")},
    ...(people ? [{label: gettext("To"), value: people}] : []),
  ];
}

customElements.define("pp-calls", Calls);
