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
    "conferences.video": _("Choose whose picture a conference shows"),
    "queues.pause": _("Pause agents and end their pauses"),
    "queues.members": _("Add, remove and rank agents of queues"),
    "queues.callers": _("Move waiting callers"),
    "floor.everywhere": _("See and act on the whole floor, not only on one's teams' part of it"),
    "calls.numbers": _("See outside numbers in full"),
    "accounts.people": _("Manage people"),
    "accounts.roles": _("Manage roles, teams and protected people"),
    "audit.view": _("Read who did what and who listened"),
    "audit.export": _("Take the audit out of the panel"),
}

# What each shipped role begins with. A role is a Django group; administrators may change what it grants.
# Agents and team leads see and reach their teams' part of the floor, and the calls of their own phones: without a team
# no more than those. A supervisor, an auditor and an administrator have the whole.
ROLES: dict[str, frozenset[str]] = {
    "Agent": frozenset({"calls.view", "calls.numbers"}),
    "Team lead": frozenset(
        {
            "calls.view",
            "calls.numbers",
            "calls.call",
            "calls.listen",
            "calls.hangup",
            "calls.pickup",
            "calls.transfer",
            "calls.park",
            "conferences.view",
            "conferences.mute",
            "conferences.kick",
            "conferences.invite",
            "queues.view",
            "queues.pause",
            "queues.members",
            "queues.callers",
        }
    ),
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
            "conferences.video",
            "conferences.view",
            "conferences.mute",
            "conferences.kick",
            "conferences.lock",
            "queues.view",
            "queues.pause",
            "queues.members",
            "queues.callers",
            "floor.everywhere",
            "calls.numbers",
        }
    ),
    # She reads who listened to whom; whom they talked with, she sees masked.
    "Auditor": frozenset(
        {"calls.view", "conferences.view", "queues.view", "floor.everywhere", "audit.view", "audit.export"}
    ),
    "Admin": frozenset(RIGHTS),
}

# Those of which a second factor is asked (accounts.mfa), where nobody has said otherwise.
MFA_ROLES = frozenset({"Admin"})
