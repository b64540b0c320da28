// From the contract's codes to sentences. Every text that the scripts say about a call, a command or a link is here.

/** Per phase: its word, its icon, the class of its one hue, and its place in the default order (what needs a person first). */
export const PHASES = {
  waiting: {word: gettext("Waiting"), icon: "clock", hue: "waiting", rank: 0},
  ringing: {word: gettext("Ringing"), icon: "phone-ringing", hue: "ready", rank: 1},
  hold: {word: gettext("On hold"), icon: "player-pause", hue: "held", rank: 2},
  parked: {word: gettext("Parked"), icon: "parking", hue: "held", rank: 3},
  dialling: {word: gettext("Dialling"), icon: "phone-outgoing", hue: "idle", rank: 4},
  menu: {word: gettext("In menu"), icon: "dialpad", hue: "idle", rank: 5},
  talking: {word: gettext("Talking"), icon: "phone-call", hue: "talking", rank: 6},
  conference: {word: gettext("Conference"), icon: "users-group", hue: "talking", rank: 7},
  ended: {word: gettext("Ended"), icon: "phone-off", hue: "idle", rank: 8},
};
const UNKNOWN_PHASE = {word: gettext("Unknown"), icon: "help-circle", hue: "idle", rank: 9};

export const phaseWords = phase => PHASES[phase] ?? UNKNOWN_PHASE;

export const DIRECTIONS = {
  inbound: {word: gettext("Incoming"), icon: "arrow-down-left"},
  outbound: {word: gettext("Outgoing"), icon: "arrow-up-right"},
  internal: {word: gettext("Internal"), icon: "arrows-left-right"},
};

/** Where a call stands when nobody has been called yet. */
export function placeWords(call) {
  switch (call.phase) {
    case "waiting":
      return call.queue ? interpolate(gettext("Waiting in %(queue)s"), {queue: call.queue}, true) : gettext("Waiting");
    case "menu":
      return gettext("In the menu");
    case "parked":
      return call.slot ? interpolate(gettext("Parked on %(slot)s"), {slot: call.slot}, true) : gettext("Parked");
    case "conference":
      return call.room ? interpolate(gettext("In room %(room)s"), {room: call.room}, true) : gettext("In a conference");
    default:
      return "";
  }
}

/** The same, where the place stands in its own column. */
export function placeWordsShort(call) {
  switch (call.phase) {
    case "waiting":
      return gettext("Waiting for an agent");
    case "parked":
      return gettext("Parked");
    case "conference":
      return gettext("In a conference");
    default:
      return placeWords(call);
  }
}

/** The short name of the place, for its own column. */
export function placeName(call) {
  if (call.room) return interpolate(gettext("Room %(room)s"), {room: call.room}, true);
  if (call.slot) return interpolate(gettext("Slot %(slot)s"), {slot: call.slot}, true);
  return call.queue || "";
}

export const NO_LIVE_DATA = gettext("No live data from this PBX: what is shown may be over.");

/** By kind: it is another now than when she pressed. */
export const CHANGED = {
  party: gettext("The call has changed: close this and look again."),
  parked: gettext("The caller has been parked anew: close this and look again."),
  call: gettext("The call has changed: close this and look again."),
  participant: gettext("The participant has moved: close this and look again."),
  room: gettext("Somebody came or left: look again."),
};

/** Codes that say something of the thing itself, by kind. */
const RESULTS_OF = {
  call: {
    scope: gettext("Part of this call is not in your teams"),
    protected: gettext("Somebody on this call may not be monitored"),
    gone: gettext("The call had already ended"),
    changed: gettext("The call changed before the click arrived: look again"),
  },
  party: {
    gone: gettext("The party had already hung up"),
    changed: gettext("The call changed before the click arrived: look again"),
  },
  parked: {
    gone: gettext("The caller was no longer parked"),
    changed: gettext("The caller was parked anew before the click arrived: look again"),
  },
  spy: {
    gone: gettext("The listening had already ended"),
    changed: gettext("It had gone on to another call: look again"),
  },
  participant: {
    gone: gettext("The participant had already left"),
    changed: gettext("The participant moved before the click arrived: look again"),
  },
  room: {
    scope: gettext("Part of this conference is not in your teams"),
    protected: gettext("Somebody in this conference may not be recorded"),
    gone: gettext("The conference had already ended"),
    changed: gettext("Somebody came or left before the click arrived: look again"),
  },
};

const RESULTS = {
  no_right: gettext("Your role does not allow it"),
  scope: gettext("Part of this is not in your teams"),
  protected: gettext("Somebody on it may not be monitored"),
  stale_epoch: gettext("The panel had lost the PBX in between: look again"),
  expired: gettext("It took too long and was not sent"),
  bad_command: gettext("The panel did not understand the command"),
  too_fast: gettext("Too many commands: wait a moment"),
  link_down: gettext("The PBX is not reachable, nothing was sent"),
  asterisk: gettext("Asterisk refused"),
  no_worker: gettext("Nobody is connected to this PBX, nothing was sent"),
  audit_unavailable: gettext("The audit log cannot be written, so nothing was sent"),
  not_proved: gettext("No proof from the PBX"),
  pbx_unknown: gettext("The panel knows no such PBX"),
  ambiguous: gettext("Another leg's name begins like this one's, and Asterisk knows it by its name only"),
  not_now: gettext("Not possible in the call's present state"),
  no_phone: gettext("No phone of yours is known on this PBX: ask an administrator"),
  no_answer: gettext("Your phone was not answered"),
  phone_busy: gettext("Your phone is busy or refuses the call"),
  phone_unreachable: gettext("Your phone cannot be reached: is it registered?"),
  too_late: gettext("The call had gone on before your phone was answered"),
  number_bad: gettext("This is no number that can be dialled"),
  number_denied: gettext("You may not dial this number"),
  too_many_calls: gettext("Too many calls from the panel: wait a moment"),
  no_extension: gettext("The PBX knows no phone of this extension"),
  no_tone: gettext("This PBX cannot give the tone that must be heard, so nobody may listen: ask an administrator"),
  reason_required: gettext("A reason is needed"),
  no_recording: gettext("The panel has no account on this PBX that may do it: ask an administrator"),
};

/** Why the panel ended a listening by itself. */
export const ENDINGS = {
  scope_lost: gettext("Your listening was ended: somebody outside your teams is on the call now"),
  protected: gettext("Your listening was ended: somebody on the call may not be monitored"),
  no_right: gettext("Your listening was ended: you may no longer do it"),
};

/** The same of a phone that is not hers. */
const RESULTS_OF_ANOTHER = {
  no_answer: gettext("The phone was not answered"),
  phone_busy: gettext("The phone is busy or refuses the call"),
  phone_unreachable: gettext("The phone cannot be reached: is it registered?"),
  too_late: gettext("It was over before the phone was answered"),
};

/** What became of a command, in one sentence. `command`: of actions.js */
export function resultWords({action, hers}, outcome, code, detail) {
  if (outcome === "done") return gettext("Done");
  if (outcome === "unknown") {
    return code === "not_provable" ? gettext("Sent; Asterisk does not tell whether it worked") : gettext("No proof from the PBX: checking");
  }
  const reason = RESULTS_OF[action.target]?.[code] ?? (hers ? undefined : RESULTS_OF_ANOTHER[code]) ?? RESULTS[code] ?? gettext("Refused");
  return detail ? `${reason}: ${detail}` : reason;
}

/** What is wrong with what was filled in, "" if nothing is. `field`: of an action, see actions.js */
export function fieldFault({type, required, pattern, least, most, shortest = 0}, text, unreadable) {
  if (unreadable) return gettext("A number is needed");
  if (!text) return required && (type !== "string" || shortest || pattern) ? gettext("Please fill this in") : "";
  if (type === "integer" || type === "number") {
    const number = Number(text);
    if (!Number.isFinite(number) || (type === "integer" && !Number.isInteger(number))) return gettext("A whole number is needed");
    if (number < (least ?? -Infinity) || number > (most ?? Infinity)) {
      return most === undefined
        ? interpolate(gettext("At least %(least)s"), {least}, true)
        : interpolate(gettext("From %(least)s to %(most)s"), {least: least ?? "…", most}, true);
    }
    return "";
  }
  return fits(pattern, text) ? "" : gettext("This cannot be used here");
}

/** The pattern is the panel's own; one that this browser cannot read is left to the panel, which checks all again. */
function fits(pattern, text) {
  try {
    return !pattern || new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}

export const NO_OWN_PHONE = gettext("No phone of yours is known on this PBX: name one");

export const COMMAND_WORDS = {
  sent: gettext("Sending"),
  acked: gettext("With the PBX"),
  ringing: gettext("Ringing your phone…"),
  ringingOther: gettext("Ringing the phone…"),
  silent: gettext("No answer from the panel"),
  overdue: gettext("No proof from the PBX: checking"),
  unanswered: gettext("No answer from the panel: look whether it happened"),
  cut: gettext("The connection broke: look whether it happened"),
};

/** Why an action of this kind (`when` of hello.actions) cannot be done to a call now. */
export const WHEN_WORDS = {
  talks: gettext("Possible while they talk"),
  rings: gettext("Possible while it rings"),
  up: gettext("Possible once it has been answered"),
  there: gettext("Possible once it has been answered"),
};

export const NO_PHONE = RESULTS.no_phone;
export const NO_RECORDING = RESULTS.no_recording;

/** Per mode of a `spy`: its word, its icon, and how one says that somebody does it. */
export const SPY_MODES = {
  listen: {word: gettext("Listening"), icon: "ear", says: gettext("%(who)s listens to %(whom)s")},
  whisper: {word: gettext("Whispering"), icon: "message-2", says: gettext("%(who)s whispers to %(whom)s")},
  barge: {word: gettext("In the call"), icon: "users-group", says: gettext("%(who)s speaks in the call of %(whom)s")},
};

/** Per mode of a `spy`: how who is monitored is told so. `who` */
export const TOLD = {
  listen: {icon: "ear", says: gettext("%(who)s listens to your call, since %(since)s")},
  whisper: {icon: "message-2", says: gettext("%(who)s listens to your call and can speak to you, since %(since)s")},
  barge: {icon: "users-group", says: gettext("%(who)s takes part in your call, since %(since)s")},
};

/** The roles that the panel ships with; others are called what their administrator called them. */
const ROLES = {Agent: gettext("An agent"), "Team lead": gettext("A team lead"), Supervisor: gettext("A supervisor"), Auditor: gettext("An auditor"), Admin: gettext("An administrator")};

/** @param {string} roles with commas between them */
export const roleWords = roles => roles.split(", ").map(role => ROLES[role] ?? role).join(", ");

export const SOMEBODY = gettext("Somebody");

const LINK_PHASES = {
  connecting: [gettext("The panel is connecting to the PBX"), ""],
  resyncing: [gettext("The panel is reading the PBX's lists"), gettext("This takes a few seconds.")],
  down: [gettext("The PBX does not answer"), gettext("The panel keeps trying.")],
  refused: [gettext("The PBX refuses the panel"), gettext("Check the panel's account in manager.conf.")],
};

/** Per code: what is the matter, and what to do about it. */
const LINK_CODES = {
  unreachable: [
    gettext("The PBX cannot be reached"),
    gettext("Check that Asterisk runs, that manager.conf has “enabled = yes”, and that no firewall stands between."),
  ],
  no_greeting: [
    gettext("Something answers at this address, but not Asterisk's manager"),
    gettext("Check the host and the port: AMI listens on 5038 unless manager.conf says otherwise."),
  ],
  login_refused: [
    gettext("Asterisk refused the panel's name or secret"),
    gettext("Compare PHOENIX_PBX with the account in manager.conf, check its “permit” line, then run “manager reload”."),
  ],
  rights_missing: [
    gettext("The panel's account lacks rights"),
    gettext("Add them to the “read” or “write” line of the account in manager.conf, then run “manager reload”."),
  ],
  shutting_down: [gettext("Asterisk is shutting down"), gettext("The panel comes back as soon as Asterisk does.")],
  lost: [gettext("The connection to the PBX broke"), gettext("The panel is connecting again.")],
  silent: [
    gettext("The PBX has gone silent"),
    gettext("The connection stands but nothing comes: the panel is connecting again."),
  ],
  bus_lost: [
    gettext("The panel's own parts cannot reach each other"),
    gettext("Check that the Redis that PHOENIX_REDIS names is running. The PBX itself is not concerned."),
  ],
  worker_lost: [
    gettext("The panel's worker for this PBX is gone"),
    gettext("Start it again: manage.py runpbx. The PBX itself is not concerned."),
  ],
  malformed: [
    gettext("The PBX sent what is not AMI"),
    gettext("Check that the address is Asterisk's manager port and that nothing in between changes the bytes."),
  ],
};

/** A link in words: what, and what to do. */
export function linkWords(link) {
  const [what, todo] = LINK_CODES[link?.code] ?? LINK_PHASES[link?.phase] ?? LINK_PHASES.connecting;
  return {what, todo};
}
