// Who listens to whom, and which of it is mine. No DOM.

import {clean} from "./format.js";
import {pbxOf} from "./store.js";
import {SPY_MODES} from "./words.js";

/** @typedef {{key: string, mode: string, icon: string, words: string}} Listener */

const whoIs = party => [party?.number, party?.name].map(clean).filter(Boolean).join(" ") || gettext("Unknown number");

export class Spies {
  #store;
  #callOf = new Map();

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.#store = store;
  }

  /** @returns {Set<string>} the calls that these spies are on, or were on until now */
  moved(keys) {
    const calls = new Set();
    for (const key of keys) {
      calls.add(this.#callOf.get(key));
      const call = this.#store.get("spy", key)?.call;
      if (call) this.#callOf.set(key, call);
      else this.#callOf.delete(key);
      calls.add(call);
    }
    calls.delete(undefined);
    return calls;
  }

  /** Who listens on a call. @returns {Listener[]} */
  on(call) {
    const keys = [...this.#callOf].filter(([, of]) => of === call).map(([key]) => key).sort();
    return keys.map(key => this.#listener(key, this.#store.get("spy", key))).filter(Boolean);
  }

  #listener(key, spy) {
    if (!spy) return null;
    const {icon, says} = SPY_MODES[spy.mode] ?? SPY_MODES.listen;
    const whom = whoIs(this.#store.get("party", spy.party));
    return {key, mode: spy.mode, icon, words: interpolate(says, {who: whoIs(spy), whom}, true)};
  }
}

/** The sessions of the user who looks: begun by her, or (it may have been forgotten by whom) at her phone. */
export function mine(store) {
  const {id, phones} = store.session.user ?? {id: 0, phones: {}};
  return store.all("spy").filter(spy => (spy.user_id ? spy.user_id === id : spy.number !== "" && spy.number === phones[pbxOf(spy.key)]));
}

/** Her session on this call, where it can be turned to what a verb means: her phone is not rung a second time. */
export function turnable(store, verb, call) {
  const mode = Object.keys(SPY_MODES).find(name => verb === `calls.${name}`);
  const spy = mode && mine(store).find(one => one.switchable && one.call === call);
  return spy ? {spy, mode} : undefined;
}

/** Whom it is about: the one who is heard, and with whom he speaks. */
export function heard(store, spy) {
  const call = store.get("call", spy.call);
  const others = (call?.parties ?? []).filter(key => key !== spy.party).map(key => store.get("party", key)).filter(Boolean);
  return {whom: whoIs(store.get("party", spy.party)), others: others.map(whoIs).join(", ")};
}
