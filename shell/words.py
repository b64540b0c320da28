"""What a code of docs/frames.md means, and what to do about it, in one line for whoever sits at the shell."""

from __future__ import annotations

from typing import Any, Final

from switchboard import Outcome

_CODES: Final = {
    "no_right": "that user may not do this",
    "gone": "it is no more",
    "scope": "part of it is not in that user's teams",
    "protected": "somebody on it may not be monitored",
    "changed": "it is another by now: look again",
    "expired": "it took too long to be begun: try again",
    "bad_command": "Asterisk can't be told so",
    "link_down": "the link to the PBX has just broken: try again",
    "audit_unavailable": "the audit can't be written, so nothing is done: is the database there, and migrated?",
    "not_proved": "it was sent, and neither an event nor a list has shown its effect",
    "not_provable": "Asterisk took it, and tells nobody of its effect",
    "not_now": "what it is about is not in a state for it: a call must talk, or ring",
    "no_phone": "there is no phone to ring: --phone PJSIP/900, or manage.py setphone for the user",
    "no_answer": "the phone rang and was not answered",
    "phone_busy": "the phone is busy, or refuses",
    "phone_unreachable": "the phone is not registered",
    "too_late": "the phone was answered when what it was about was over",
    "number_bad": "that is no number that can be dialled",
    "number_denied": "that number may not be dialled: PHOENIX_DIAL in docs/settings.md says which may",
    "too_many_calls": "too many calls were made in the last minute, or go on now",
    "no_extension": "no hint on the PBX names a phone for that extension",
    "no_tone": "this PBX can't give the tone that must be heard, so nobody may listen",
    "reason_required": "the policy wants a reason: --reason",
    "no_recording": "this PBX has no account that may do it: PHOENIX_PBX_<NAME>_REC in docs/settings.md",
    "ambiguous": "another channel's name begins with this one's, and Asterisk would take either",
    "asterisk": "Asterisk refuses",
}

_LINKS: Final = {
    "unreachable": "is Asterisk running, is the address right, is the port open from here?",
    "no_greeting": "something is there that does not greet as Asterisk does: frozen, or another service?",
    "login_refused": "user, secret, or the address that it permits: see manager.conf",
    "rights_missing": "the account needs read and write classes as in the README",
    "shutting_down": "Asterisk is shutting down: try again",
}


def outcome(result: Outcome) -> str:
    """``done: calls.hangup 201 Maria → 101``, or with the reason."""
    what = printable(f"{result.verb} {result.words}".strip())
    if result.done:
        return f"done: {what}"
    reason = _CODES.get(result.code, result.code)
    detail = f" ({printable(result.detail)})" if result.detail else ""
    return f"{result.outcome}: {what}: {reason}{detail}"


def link(name: str, code: str, detail: str) -> str:
    """Why the PBX can't be used, and what to look at."""
    advice = _LINKS.get(code, "")
    said = printable(detail) or code
    return f"{name} can't be used: {said}" + (f" ({advice})" if advice else "")


def printable(text: Any) -> str:
    """Fit for a terminal: strangers choose their names, and a terminal obeys what is in them."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(text))
