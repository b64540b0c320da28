"""The audit's codes in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.record import VERBS

OWN: dict[str, str | Promise] = {
    "sign.in": _("Signed in"),
    "sign.out": _("Signed out"),
    "sign.failed": _("Sign-in failed"),
    "sign.password": _("Password changed"),
    "sign.factor_set": _("Second factor set up"),
    "sign.factor_removed": _("Second factor removed"),
    "page.open": _("Open a page"),
    "monitor.began": _("Monitoring began"),
    "monitor.turned": _("Monitoring changed"),
    "monitor.ended": _("Monitoring ended"),
    "monitoring.policy": _("Monitoring policy"),
    "people.invite": _("Invited"),
    "people.change": _("Person changed"),
    "people.on": _("Account switched on"),
    "people.off": _("Account switched off"),
    "people.link": _("Link for a new password made"),
    "people.sessions": _("Sessions ended"),
    "people.factors": _("Second factors taken away"),
    "people.tokens": _("Tokens revoked"),
    "people.import": _("People from a file"),
    "people.breakglass": _("Changed by the break-glass door"),
    "roles.change": _("Role changed"),
    "roles.delete": _("Role deleted"),
    "teams.change": _("Team changed"),
    "teams.delete": _("Team deleted"),
    "teams.import": _("Teams from a file"),
    "protected.change": _("Protected people changed"),
    "permissions.apply": _("Permissions file applied"),
    "audit.export": _("Export of the audit"),
    "audit.purge": _("Purge of the audit"),
    "audit.hold": _("Hold on audit entries"),
    "audit.release": _("End of a hold"),
    "audit.adopted": _("Entries taken into the chain"),
}

CODES: dict[str, str | Promise] = {
    "no_right": _("no right to"),
    "inactive": _("account not active"),
    "hidden": _("out of sight"),
    "protected": _("somebody protected"),
    "scope": _("outside the teams' part"),
    "beyond": _("more than the asker holds"),
    "last_admin": _("nobody would be left to manage"),
    "shipped": _("comes with the panel"),
    "no_entry": _("name or password wrong"),
    "gone": _("it was gone"),
    "changed": _("it had changed"),
    "expired": _("too late"),
    "too_late": _("too late"),
    "stale_epoch": _("picture out of date"),
    "link_down": _("no link to the PBX"),
    "asterisk": _("Asterisk refused"),
    "not_proved": _("sent, not proved"),
    "not_provable": _("sent, can't be proved"),
    "not_now": _("not possible then"),
    "bad_command": _("no such command"),
    "phone_busy": _("phone busy"),
    "phone_unreachable": _("phone not reachable"),
    "no_answer": _("no answer"),
    "no_phone": _("no phone on that PBX"),
    "number_denied": _("number not allowed"),
    "number_bad": _("no such number"),
    "reason_required": _("no reason given"),
    "no_tone": _("the tone could not be given"),
}

TOLD: dict[str, str | Promise] = {"screen": _("on screen"), "tone": _("by a tone"), "no": _("not told")}

MODES: dict[str, str | Promise] = {
    "listen": _("Listen"),
    "whisper": _("Whisper"),
    "barge": _("Barge in"),
}


def verb(code: str) -> str:
    return str(OWN.get(code) or VERBS.get(code) or code)


def code(name: str) -> str:
    return str(CODES.get(name, name))
