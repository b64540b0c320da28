// "Somebody listens to your call": on every page of who is monitored, as long as it is so. From `spy` entities alone; who
// may not be told is not sent any.

import {html, render} from "../vendor/lit-3.3.3.js";
import {clean, timeOfDay} from "./format.js";
import {icon} from "./icons.js";
import {mine} from "./spies.js";
import {pbxOf} from "./store.js";
import {roleWords, SOMEBODY, TOLD} from "./words.js";

export class Told {
  #root;
  #store;
  #text = "";

  /** @param {{root: HTMLElement, store: import("./store.js").Store}} parts */
  constructor({root, store}) {
    this.#root = root;
    this.#store = store;
    store.subscribe(({reset, keys}) => {
      if (reset || keys.spy || keys.call || keys.party) this.#draw();
    });
  }

  /** It is read aloud: only when its words change. */
  #draw() {
    const lines = onMyCalls(this.#store).map(spy => line(spy, this.#store.session.user.told_by));
    const text = JSON.stringify(lines);
    if (text === this.#text) return;
    this.#text = text;
    render(lines.map(({look, words}) => html`<p class="told-line">${icon(look)}<span>${words}</span></p>`), this.#root);
  }
}

/** Those that hear a call at one of my phones, but for my own. */
export function onMyCalls(store) {
  const phones = store.session.user?.phones ?? {};
  const own = new Set(mine(store).map(({key}) => key));
  const isMine = key => {
    const party = store.get("party", key);
    return party?.side === "internal" && party.number !== "" && party.number === phones[pbxOf(key)];
  };
  return store.all("spy").filter(spy => !own.has(spy.key) && (store.get("call", spy.call)?.parties ?? []).some(isMine));
}

function line(spy, by) {
  const {icon: look, says} = TOLD[spy.mode] ?? TOLD.listen;
  const who = (by === "role" ? [roleWords(spy.role)] : [spy.user, spy.name, spy.number]).map(clean).find(Boolean) ?? SOMEBODY;
  return {look, words: interpolate(says, {who, since: timeOfDay(spy.since)}, true)};
}
