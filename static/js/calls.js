// <pp-calls>: the table of live calls. It draws what the store holds; what is pressed goes to the actions.

import {html, LitElement, nothing, repeat} from "../vendor/lit-3.3.3.js";
import {callRow, isInRow, menuLook, rowName, whoName} from "./callrow.js";
import {Deeds, objectionThere} from "./deeds.js";
import {timeOfDay} from "./format.js";
import {Frames} from "./frames.js";
import {listenToKeys} from "./gridkeys.js";
import {Hand} from "./hand.js";
import {icon} from "./icons.js";
import {emptyNote, hasNoPart, heldNote, noPartNote, partWords, resultNote} from "./notes.js";
import {Painter} from "./painter.js";
import {findParked, parkedName, parkedStrip} from "./parked.js";
import {isOrder, Rows, SEGMENTS} from "./rows.js";
import {visibleParts} from "./windowing.js";
import {CHANGED, NO_LIVE_DATA, WHEN_WORDS} from "./words.js";

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
const VERB_LETTERS = {h: "calls.hangup", l: "calls.listen", w: "calls.whisper", b: "calls.barge", p: "calls.pickup"};
const MENU_LETTER = "m";
const SUITS = {
  talks: row => row.phase === "talking" || row.phase === "hold",
  rings: row => row.rings,
  up: (_row, party) => party?.state === "up" || party?.state === "hold",
  there: (_row, party) => party?.state !== "ringing" && party?.state !== "down",
};
const NAMES = {
  call: rowName,
  party: ({who}) => whoName(who),
  parked: parkedName,
  pbx: ({name}) => name,
};
const DEFAULT_ORDER = "state";

class Calls extends LitElement {
  #floor;
  #rows;
  #hand = new Hand(() => this.#painter.now());
  #painter = new Painter(() => this.requestUpdate());
  #frames = new Frames();
  #deeds;
  #shown = [];
  #waiting = 0;
  #counts = {};
  #segment = "all";
  #query = "";
  #order = DEFAULT_ORDER;
  #active = "";
  #selected = "";
  #box = null;
  #rowHeight = 38;
  #boxHeight = 0;
  #focusWanted = false;
  #menuWasFor = "";

  /** Light DOM: the page's own style sheets and anyone's test tools reach in. */
  createRenderRoot() {
    return this;
  }

  /** @param {object} floor store, socket, link, clock, actions, ask, menu, toasts, status */
  begin(floor) {
    this.#floor = floor;
    this.#rows = new Rows(floor.store);
    this.#deeds = new Deeds(floor, {
      find: (kind, key) => this.#find(kind, key),
      nameOf: thing => NAMES[thing.kind ?? "call"](thing),
      factsOf: facts,
      objectionTo: (thing, action) => this.#objection(thing, action),
      changed: CHANGED,
    });
    this.#readAddress();
    floor.store.subscribe(change => this.#floorMoved(change));
    floor.link.addEventListener("change", () => this.#painter.soon());
    floor.actions.addEventListener("change", event => this.#commandMoved(event.detail));
    floor.menu.addEventListener("close", () => this.#painter.now());
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

  #floorMoved(change) {
    this.#frames.note(change);
    this.#painter.soon();
  }

  #commandMoved(command) {
    this.#painter.now();
    this.#deeds.tell(command, (kind, key) => this.#isInView(kind, key));
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
      <div class="grid-box" @scroll=${this.#scrolled}>
        <table role="grid" class="grid calls" aria-label=${gettext("Live calls")} aria-rowcount=${this.#shown.length + 1}
          @click=${this.#clicked} @pointerdown=${this.#pressedDown} @focusin=${this.#focused}>
          ${this.#columns()}
          <thead role="rowgroup"><tr role="row" aria-rowindex="1">${this.#visibleColumns().map(column => this.#head(column))}
            <th role="columnheader"><span class="said">${gettext("Actions")}</span></th></tr></thead>
          <tbody role="rowgroup">${this.#body()}</tbody>
        </table>
        ${this.#shown.length ? nothing : this.#empty()}
      </div>
      <section class="parked" aria-label=${gettext("Parked callers")} @click=${event => this.#deeds.clicked(event)}
        @pointerdown=${event => this.#deeds.pressedDown(event)}>${this.#parked()}</section>`;
  }

  #parked() {
    return parkedStrip(this.#floor, (thing, action) => this.#objection(thing, action));
  }

  #tools() {
    return html`<div class="tools">
      <div class="seg" role="group" aria-label=${gettext("State")}>${Object.keys(SEGMENTS).map(name => html`
        <button type="button" aria-pressed=${name === this.#segment} @click=${() => this.#chooseSegment(name)}>
          ${SEGMENT_WORDS[name]} <b class="num">${this.#counts[name]}</b></button>`)}
      </div>
      ${heldNote(this.#waiting, () => this.#chose())}
      ${this.#beginnings()}
    </div>`;
  }

  /** What is begun on a PBX and done to nothing that is there already. */
  #beginnings() {
    const {actions, link, store} = this.#floor;
    const known = actions.of("pbx");
    if (!known.length) return nothing;
    const last = [...store.pbxs.keys()].map(key => actions.about("pbx", key)).filter(Boolean).sort((a, b) => b.at - a.at)[0];
    const off = [...store.pbxs.keys()].every(name => link.isStale(name));
    return html`<div class="begin">${resultNote(last)}${known.map(action => html`
      <button type="button" class="btn" ?disabled=${off} title=${off ? NO_LIVE_DATA : nothing} aria-label=${action.label}
        @click=${() => this.#begin(action)}>${icon("phone-outgoing")}<span>${action.label}…</span></button>`)}</div>`;
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
    const view = {showPbx: this.#severalPbxs()};
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
    const {actions, link, menu} = this.#floor;
    const possible = actions.of("call", row.key);
    return callRow(row, {
      ...view,
      actions: possible.filter(isInRow),
      hasMenu: possible.some(action => !isInRow(action)) || row.parties.some(({key}) => actions.of("party", key).length),
      index,
      focusable: row.key === this.#active,
      selected: row.key === this.#selected,
      stale: link.isStale(row.pbx),
      command: this.#lastAbout(row),
      menuIsOpen: menu.key === row.key,
      objection: action => this.#objection(row, action),
    });
  }

  /** Of what was done to the call or to one of its parties. */
  #lastAbout(row) {
    const {actions} = this.#floor;
    const known = [actions.about("call", row.key), ...row.parties.map(({key}) => actions.about("party", key))].filter(Boolean);
    return known.sort((a, b) => b.at - a.at)[0];
  }

  #empty() {
    if (hasNoPart(this.#floor.store)) return noPartNote();
    if (!this.#floor.link.anyTrue) return emptyNote("plug-connected-x", gettext("No live data yet"), gettext("Calls appear here as soon as the PBX answers."));
    if (this.#query || this.#segment !== "all") {
      return emptyNote("search-off", gettext("No call matches"), "", html`
        <button type="button" class="btn" @click=${() => this.#showAll()}>${gettext("Show all calls")}</button>`);
    }
    const at = this.#rows.lastEndedAt;
    const last = at ? interpolate(gettext("The last one ended at %(time)s."), {time: timeOfDay(at)}, true) : "";
    return emptyNote("phone", gettext("No calls right now"), [last, partWords(this.#floor.store)].filter(Boolean).join(" "));
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
    this.#floor.ask.look();
    this.#floor.menu.look();
    this.#floor.socket.sayShown();
    this.#frames.drawn();
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

  #scrolled = () => {
    this.#floor.menu.close();
    this.#painter.now();
  };

  #begin({verb}) {
    const {link, store} = this.#floor;
    const live = [...store.pbxs.keys()].filter(name => !link.isStale(name));
    this.#deeds.doAt(verb, live.map(key => ({kind: "pbx", key, rev: 0})));
  }

  #find(kind, key) {
    const {link, store} = this.#floor;
    if (kind === "call") return this.#shown.find(row => row.key === key);
    if (kind === "parked") {
      const parked = findParked(store, key);
      return parked && Object.assign(parked, {kind});
    }
    if (kind === "pbx") return {kind, key, pbx: key, name: key, rev: 0};
    const row = this.#shown.find(({parties}) => parties.some(party => party.key === key));
    return row && partyOf(row, key);
  }

  /** What stood on the row when she pressed is what the menu is about. */
  #openMenu(row, anchor) {
    const {actions, menu} = this.#floor;
    const item = (action, target, thing) => {
      const look = menuLook(action, row);
      if (!look) return null;
      const changed = () => (thing.rev === target.rev ? "" : CHANGED.call);
      return {action, target, iconName: look.iconName, objection: () => this.#objection(thing, action) || changed()};
    };
    const group = (label, name, kind, thing) => ({
      label,
      name,
      items: actions.of(kind, thing.key).filter(action => !isInRow(action))
        .map(action => item(action, {kind, key: thing.key, rev: row.rev}, thing)).filter(Boolean),
    });
    const groups = [
      group(gettext("Call"), "", "call", row),
      ...row.parties.map((party, i) => group(i ? gettext("Called") : gettext("Caller"), whoName(party), "party", partyOf(row, party.key))),
    ].filter(({items}) => items.length);
    if (!groups.length) return;
    const label = interpolate(gettext("What to do with %(call)s"), {call: rowName(row)}, true);
    menu.open(anchor, {key: row.key, label, groups, press: ({action, target}) => this.#deeds.do(action.verb, target)});
    this.#painter.now();
  }

  #select(key) {
    this.#selected = this.#selected === key ? "" : key;
    this.#painter.now();
  }

  #pressedDown = event => {
    this.#menuWasFor = this.#floor.menu.key; // a press beside a menu closes it
    this.#deeds.pressedDown(event);
  };

  #clicked = event => {
    const row = this.#rowOf(event.target);
    const more = event.target.closest("[data-menu-for]");
    if (row && more) {
      if (this.#menuWasFor !== row.key) this.#openMenu(row, more);
      this.#menuWasFor = "";
      return;
    }
    if (row && !this.#deeds.clicked(event)) this.#select(row.key);
  };

  /** @returns {boolean} whether the letter meant something here */
  #letter(key, letter) {
    const row = this.#shown.find(shown => shown.key === key);
    const verb = VERB_LETTERS[letter];
    const more = letter === MENU_LETTER && this.#rowElement(key)?.querySelector("[data-menu-for]");
    if (row && more) {
      this.#openMenu(row, more);
      return true;
    }
    if (!row || !this.#floor.actions.of("call", key).some(action => action.verb === verb)) return false;
    this.#deeds.do(verb, {kind: "call", key, rev: row.rev});
    return true;
  }

  /** Why this cannot be done to this call, party or parked caller now; "" when it can. */
  #objection(thing, action) {
    const {when} = action;
    const row = thing.row ?? thing;
    if (row.phase === "ended") return gettext("The call has ended.");
    if (thing.gone) return thing.kind === "parked" ? gettext("The caller is no longer parked.") : gettext("The party has left the call.");
    return (when && !SUITS[when](row, thing.who) ? WHEN_WORDS[when] : "") || objectionThere(this.#floor, thing.pbx, action);
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

  /** Whether what became of it is seen where it was done. */
  #isInView(kind, key) {
    if (kind === "pbx") return true;
    if (kind === "spy") return Boolean(document.querySelector(`[data-dock] [data-key="${CSS.escape(key)}"]`));
    if (kind === "parked") return Boolean(this.querySelector(`.parked [data-key="${CSS.escape(key)}"]`));
    const thing = this.#find(kind, key);
    const element = thing && this.#rowElement((thing.row ?? thing).key);
    if (!element) return false;
    const [row, box] = [element.getBoundingClientRect(), this.#box.getBoundingClientRect()];
    return row.bottom > box.top && row.top < box.bottom;
  }
}

/** One party of a call, as of each look: it is as its call is. */
function partyOf(row, key) {
  return {
    kind: "party",
    key,
    row,
    pbx: row.pbx,
    get rev() { return row.rev; },
    get who() { return row.parties.find(party => party.key === key) ?? this.was; },
    get gone() { return !row.parties.some(party => party.key === key); },
    was: row.parties.find(party => party.key === key),
  };
}

/** What the dialog says of a call, so that nobody hangs up the wrong one. */
function facts(thing) {
  if (thing.kind === "pbx") return [];
  if (thing.kind === "parked") return [{label: gettext("Parked"), value: parkedName(thing)}];
  if (thing.kind !== "party") return factsOfCall(thing);
  const others = thing.row.parties.filter(({key}) => key !== thing.key).map(whoName).join(", ");
  return [{label: gettext("Party"), value: whoName(thing.who)}, ...(others ? [{label: gettext("In the call with"), value: others}] : [])];
}

function factsOfCall(row) {
  const people = row.to.length ? row.to.map(whoName).join(", ") : row.where;
  return [
    {label: gettext("From"), value: row.from ? whoName(row.from) : gettext("Unknown number")},
    ...(people ? [{label: gettext("To"), value: people}] : []),
  ];
}

customElements.define("pp-calls", Calls);
