// How true the picture is: the pill in the top bar, the banner below it, and the clocks that stop when it is not.

import {html, nothing, render} from "../vendor/lit-3.3.3.js";
import {clean, timeOfDay} from "./format.js";
import {healthOf} from "./health.js";
import {icon} from "./icons.js";
import {hasNoPart} from "./notes.js";
import {linkWords} from "./words.js";

const LEVELS = ["live", "delayed", "stale"];
const CALM = new Set(["connecting", "resyncing"]); // on the way, nobody has to act

export class Link extends EventTarget {
  #store;
  #socket;
  #clock;
  #pill;
  #banner;
  #health = new Map();
  #pillText = "";
  #bannerText = "";
  #lostAt = 0;

  constructor({store, socket, clock, pill, banner}) {
    super();
    this.#store = store;
    this.#socket = socket;
    this.#clock = clock;
    this.#pill = pill;
    this.#banner = banner;
    store.subscribe(({frame}) => frame || this.check());
    socket.addEventListener("state", () => this.check());
    document.addEventListener("visibilitychange", () => this.check());
    setInterval(() => this.check(), 1_000);
  }

  isStale(pbx) {
    return this.#health.get(pbx)?.level === "stale";
  }

  /** Is anything on the page true at this moment? */
  get anyTrue() {
    return [...this.#health.values()].some(({level}) => level !== "stale");
  }

  check() {
    if (document.hidden) return;
    const now = performance.now();
    let changed = false;
    for (const name of this.#health.keys()) if (!this.#store.pbxs.has(name)) this.#health.delete(name);
    for (const pbx of this.#store.pbxs.values()) {
      const health = healthOf(pbx, this.#socket.state, now);
      changed ||= this.#health.get(pbx.name)?.level !== health.level;
      this.#health.set(pbx.name, health);
      if (health.level === "stale") this.#clock.stop(pbx.name);
      else this.#clock.resume(pbx.name);
    }
    this.#drawPill();
    this.#drawBanner();
    if (changed) this.dispatchEvent(new Event("change"));
  }

  #worst() {
    const all = [...this.#store.pbxs.values()].map(pbx => this.#health.get(pbx.name));
    return all.sort((a, b) => LEVELS.indexOf(b.level) - LEVELS.indexOf(a.level) || b.age - a.age)[0];
  }

  #drawPill() {
    const [hue, text, title] = this.#pillWords();
    if (this.#pillText === hue + text + title) return;
    this.#pillText = hue + text + title;
    this.#pill.className = `pill num ${hue}`;
    this.#pill.textContent = text;
    this.#pill.title = title;
  }

  #pillWords() {
    const worst = this.#worst();
    if (this.#socket.state === "open" && hasNoPart(this.#store)) return ["ready", gettext("Live"), ""];
    if (this.#socket.state === "connecting" && !worst) return ["idle", gettext("Connecting"), ""];
    if (this.#socket.state !== "open" || !worst) return ["idle", gettext("Offline"), ""];
    if (worst.level === "stale") return this.#staleWords();
    if (worst.level === "delayed") {
      const seconds = Math.floor(worst.age / 1_000);
      return ["waiting", interpolate(gettext("Delayed %(seconds)s s"), {seconds}, true), ""];
    }
    return this.#liveWords();
  }

  #staleWords() {
    const all = this.#health.size;
    const live = [...this.#health.values()].filter(({level}) => level !== "stale").length;
    if (!live) return ["idle", gettext("No live data"), ""];
    return ["waiting", interpolate(gettext("%(live)s of %(all)s live"), {live, all}, true), ""];
  }

  /** The whole way there and back: this page to the panel, the panel to the slowest PBX. */
  #liveWords() {
    if (this.#socket.rtt < 0) return ["ready", gettext("Live"), ""];
    const page = Math.max(1, Math.round(this.#socket.rtt));
    const pbx = Math.max(0, ...[...this.#store.pbxs.values()].map(({rtt}) => Math.round(rtt ?? 0)));
    const title = interpolate(gettext("This page to the panel and back: %(page)s ms. The panel to the PBX and back: %(pbx)s ms."), {page, pbx}, true);
    return ["ready", interpolate(gettext("Live %(ms)s ms"), {ms: page + pbx}, true), title];
  }

  /** It is an alert to screen readers: redrawn only when its words change, with no running figures in it. */
  #drawBanner() {
    const lines = this.#lines();
    const text = JSON.stringify(lines);
    if (text === this.#bannerText) return;
    this.#bannerText = text;
    render(lines.map(line => this.#line(line)), this.#banner);
  }

  #line({what, todo, detail, calm}) {
    return html`<div class="banner-line ${calm ? "idle" : "act-now"}">
      ${icon("plug-connected-x")}<strong>${what}</strong>
      ${todo ? html`<p>${todo}</p>` : nothing}
      ${detail ? html`<p class="code">${detail}</p>` : nothing}
    </div>`;
  }

  #lines() {
    const {state} = this.#socket;
    if (state === "forbidden") {
      return [{what: gettext("The panel does not accept this address"), todo: gettext("Open it by the address that its administrator gave you.")}];
    }
    if (state !== "open") return this.#brokenLines(state);
    this.#lostAt = 0;
    if (hasNoPart(this.#store)) return [];
    if (!this.#store.pbxs.size) {
      return [{what: gettext("No PBX has a worker yet"), todo: gettext("Start one for each PBX: manage.py runpbx NAME. If they run, look whether Redis does."), calm: true}];
    }
    return [...this.#store.pbxs.values()].flatMap(pbx => this.#pbxLines(pbx, this.#health.get(pbx.name)));
  }

  #brokenLines(state) {
    if (state === "connecting" && !this.#lostAt) return []; // the page has just opened
    this.#lostAt ||= this.#store.clock.now();
    const since = timeOfDay(this.#lostAt, {seconds: true});
    return [{
      what: interpolate(gettext("The connection to the panel broke at %(since)s"), {since}, true),
      todo: gettext("The page keeps trying. What it shows is how things stood then; nothing can be done to a call until it is back."),
    }];
  }

  #pbxLines(pbx, health) {
    if (health.level !== "stale" || health.why === "snapshot") return [];
    const {what, todo} = health.why === "age" ? linkWords({code: "silent"}) : linkWords(pbx.link);
    const said = {pbx: clean(pbx.name), what};
    const since = health.why === "link" && pbx.link?.since ? timeOfDay(pbx.link.since, {seconds: true}) : "";
    return [{
      what: since
        ? interpolate(gettext("%(pbx)s: %(what)s, since %(since)s"), {...said, since}, true)
        : interpolate(gettext("%(pbx)s: %(what)s"), said, true),
      todo,
      detail: String(pbx.link?.detail ?? "").slice(0, 400),
      calm: CALM.has(pbx.link?.phase),
    }];
  }
}
