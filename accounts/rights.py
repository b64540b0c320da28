"""Every right there is, in one table. The strings are what `decide()`, templates, frames and the audit use.

A right is a Django permission with a plain codename (`calls.hangup` is codename `hangup` of the app `calls`), so that
`user.has_perm("calls.hangup")`, groups and everything else of Django's that knows permissions works with it.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

RIGHTS: dict[str, str | Promise] = {
    "calls.view": _("See live calls"),
    "calls.hangup": _("Hang up calls"),
    "conferences.view": _("See conferences"),
    "queues.view": _("See queues, agents and waiting callers"),
    "conferences.mute": _("Mute and unmute conference participants"),
    "conferences.kick": _("Remove participants from conferences"),
    "conferences.lock": _("Lock and unlock conferences"),
    "calls.listen": _("Listen to calls"),
    "calls.whisper": _("Whisper to agents while they talk"),
    "calls.barge": _("Barge into calls"),
    "calls.pickup": _("Pick up calls that ring elsewhere"),
    "calls.call": _("Call from the panel"),
    "calls.transfer": _("Transfer calls"),
    "calls.park": _("Park calls and take them back"),
    "calls.record": _("Record calls"),
    "calls.mute": _("Mute a party of a call"),
    "calls.keys": _("Send keys into a call"),
    "conferences.invite": _("Invite into conferences"),
    "conferences.record": _("Record conferences"),
    "queues.pause": _("Pause agents and end their pauses"),
    "queues.members": _("Add, remove and rank agents of queues"),
    "queues.callers": _("Move waiting callers"),
}

# What each shipped role begins with. A role is a Django group; administrators may change what it grants.
# An agent has no right yet: nothing here can be limited to her own calls before there are teams. For the same reason a
# team lead sees, and does not act: hanging up, or listening, would reach every call of the floor.
ROLES: dict[str, frozenset[str]] = {
    "Agent": frozenset(),
    "Team lead": frozenset({"calls.view", "conferences.view", "queues.view"}),
    "Supervisor": frozenset(
        {
            "calls.view",
            "calls.hangup",
            "calls.listen",
            "calls.whisper",
            "calls.barge",
            "calls.pickup",
            "calls.call",
            "calls.transfer",
            "calls.park",
            "calls.record",
            "calls.mute",
            "calls.keys",
            "conferences.invite",
            "conferences.record",
            "conferences.view",
            "conferences.mute",
            "conferences.kick",
            "conferences.lock",
            "queues.view",
            "queues.pause",
            "queues.members",
            "queues.callers",
        }
    ),
    "Auditor": frozenset({"calls.view", "conferences.view", "queues.view"}),
    "Admin": frozenset(RIGHTS),
}

# Those of which a second factor is asked (accounts.mfa), where nobody has said otherwise.
MFA_ROLES = frozenset({"Admin"})
