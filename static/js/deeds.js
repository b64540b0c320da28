// From a press to a command, and back to words: the same for a row of a table and for a card of a room.

import {asked} from "./ask.js";
import {heard, turnable} from "./spies.js";
import {NO_LIVE_DATA, NO_PHONE, NO_RECORDING} from "./words.js";

/**
 * @typedef {{kind: string, key: string, rev: number}} Target
 * @typedef {{key: string, rev: number}} Thing  lives on while it is shown: its fields change under our eyes
 */

/** Why it can't be done on this PBX now, by her; "" when it can. @param {import("./actions.js").Action} action */
export function objectionThere({link, store}, pbx, {phone, args, records}) {
  if (link.isStale(pbx)) return NO_LIVE_DATA;
  if (phone && !store.session.user.phones[pbx] && !args.some(field => field.own_phone)) return NO_PHONE;
  return records && !store.pbxs.get(pbx)?.link?.records ? NO_RECORDING : "";
}

export class Deeds {
  #floor;
  #things;
  #pressed = null;

  /**
   * @param {object} floor
   * @param {{find: (kind: string, key: string) => ?Thing, nameOf: (thing: Thing) => string,
   *   factsOf: (thing: Thing) => {label: string, value: string}[], objectionTo: (thing: Thing, action: import("./actions.js").Action) => string,
   *   changed: Object<string, string>}} things `objectionTo`: why this cannot be done to it now, "" when it
   *   can; `changed`: by kind, what to say when it is another than she saw
   */
  constructor(floor, things) {
    this.#floor = floor;
    this.#things = things;
  }

  /** What stood under the finger when it came down is what is meant, wherever it is by the time it lifts. */
  pressedDown(event) {
    const button = event.target.closest("[data-verb]");
    const target = button && this.#targetAt(button);
    this.#pressed = target ? {button, target} : null;
  }

  /** @returns {boolean} whether a button was clicked */
  clicked(event) {
    const button = event.target.closest("[data-verb]");
    if (!button) return false;
    const target = this.#pressed?.button === button ? this.#pressed.target : this.#targetAt(button);
    this.#pressed = null;
    if (target) this.do(button.dataset.verb, target);
    return true;
  }

  /** @param {string} verb @param {Target} target as she saw it */
  do(verb, target) {
    this.doAt(verb, [target]);
  }

  /** The same, to one of several that she may choose from. @param {Target[]} targets */
  doAt(verb, targets) {
    const {actions, ask, toasts} = this.#floor;
    const [target] = targets;
    const action = actions.of(target.kind, target.key).find(known => known.verb === verb);
    const thing = this.#things.find(target.kind, target.key);
    if (!action || !thing || actions.isBusy(target.kind, target.key)) return;
    const objection = () => this.#objection(thing, action, target);
    if (objection()) {
      toasts.show({text: objection()});
      return;
    }
    if (this.#turned(verb, target)) return;
    const send = (args, key) => {
      const meant = targets.find(one => one.key === key);
      return actions.send(action, meant, this.#things.nameOf(this.#things.find(meant.kind, meant.key) ?? thing), args);
    };
    if (!action.confirm && !asked(action).length) {
      send({}, target.key);
      return;
    }
    const places = targets.map(({kind, key}) => ({key, label: this.#things.nameOf(this.#things.find(kind, key))}));
    ask.ask({action, facts: this.#things.factsOf(thing), objection, places, send});
  }

  /** Who listens to it already is turned to what she asks for. @returns {boolean} whether there was such a session */
  #turned(verb, {key}) {
    const {actions, store} = this.#floor;
    const turn = actions.of("spy").find(known => known.verb === "calls.switch");
    const session = turn && turnable(store, verb, key);
    if (!session) return false;
    const {spy, mode} = session;
    if (spy.mode !== mode) actions.send(turn, {kind: "spy", key: spy.key, rev: spy.rev}, heard(store, spy).whom, {mode});
    return true;
  }

  /** Says how a command ended: to who listens, and to who looks when its place can't be seen. */
  tell(command, isInView) {
    const {ask, status, toasts} = this.#floor;
    if (command.whyNot) {
      this.#askWhy(command);
      return;
    }
    ask.told(command);
    if (command.state === "pending" || command.told === command.state || command.over) return;
    command.told = command.state;
    const thing = this.#things.find(command.action.target, command.key);
    const text = `${command.action.label}, ${thing ? this.#things.nameOf(thing) : command.name}: ${command.text}`;
    status.say(text);
    if (!isInView(command.action.target, command.key)) toasts.show({kind: command.state, text});
  }

  /** The same once more, with a reason. */
  #askWhy(command) {
    const {actions, ask} = this.#floor;
    const {action, target, name, args} = command;
    const thing = this.#things.find(target.kind, target.key);
    const fields = action.args.filter(({format}) => format === "reason").map(field => ({...field, required: true, shortest: 1}));
    if (!thing || !fields.length || command.told) return;
    command.told = command.state;
    ask.ask({
      action, fields, facts: this.#things.factsOf(thing), objection: () => this.#objection(thing, action, target), places: [{key: target.key, label: name}],
      send: values => actions.send(action, target, name, {...args, ...values}),
    });
  }

  #objection(thing, action, target) {
    return this.#things.objectionTo(thing, action) || (thing.rev === target.rev ? "" : this.#things.changed[target.kind]);
  }

  #targetAt(element) {
    const {kind, key} = element.closest("[data-key]").dataset;
    const thing = this.#things.find(kind, key);
    return thing ? {kind, key, rev: thing.rev} : null;
  }
}
