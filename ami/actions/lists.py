"""The lists of which the live model is made. Each ends in our client when Asterisk says ``Complete``.

The classes that an action needs are those of Asterisk's own ``manager show command`` on 16 and 22.
"""

from __future__ import annotations

from ami.actions.base import Action, listing, named


def core_show_channels() -> Action:
    """List all channels. Needs write class ``system`` or ``reporting``."""
    return listing("CoreShowChannels")


def bridge_list() -> Action:
    """List all bridges, without their members. Allowed to every account."""
    return listing("BridgeList")


def status() -> Action:
    """List all channels, as ``core_show_channels`` does, from the channels themselves rather than from a cache.

    Needs write class ``system``, ``call`` or ``reporting``.
    """
    return listing("Status")


def queue_status(queue: str = "") -> Action:
    """List the queues, their members and their callers, or those of one queue. An unknown queue gives no items.

    ``QueueParams``, ``QueueMember`` and ``QueueEntry`` come mixed. Allowed to every account.
    """
    return listing("QueueStatus", *((named("Queue", queue),) if queue else ()))


def queue_summary() -> Action:
    """List the queues with how many agents are in, free, and how many wait. Allowed to every account."""
    return listing("QueueSummary")


def parked_calls() -> Action:
    """List the parked calls of all lots (``ParkedCall``). Needs write class ``call``."""
    return listing("ParkedCalls")


def parking_lots() -> Action:
    """List the parking lots, their spaces and times (``Parkinglot``). Needs write class ``call``."""
    return listing("Parkinglots")


def device_state_list() -> Action:
    """List the devices with their states (``DeviceStateChange``). Needs write class ``call`` or ``reporting``."""
    return listing("DeviceStateList")


def extension_state_list() -> Action:
    """List the hints of the dialplan with their states (``ExtensionStatus``). Needs ``call`` or ``reporting``."""
    return listing("ExtensionStateList", empty_errors=("No dialplan hints",))


def pjsip_show_endpoints() -> Action:
    """List chan_pjsip's endpoints (``EndpointList``). Needs write class ``system``: the account that we tell people
    to give the panel gets "Permission denied" [measured on 16 and 22]."""
    return listing("PJSIPShowEndpoints", empty_errors=("No endpoints found",))


def pjsip_show_contacts() -> Action:
    """List where chan_pjsip's endpoints are registered (``ContactList``). Needs write class ``system``, as above."""
    return listing("PJSIPShowContacts", empty_errors=("No Contacts found",))


def pjsip_show_registrations_outbound() -> Action:
    """List chan_pjsip's registrations at providers (``OutboundRegistrationDetail``, and its ``AuthDetail``).

    Needs write class ``system`` or ``reporting``.
    """
    return listing("PJSIPShowRegistrationsOutbound")


def sip_peers() -> Action:
    """List chan_sip's peers (``PeerEntry``). Needs ``system`` or ``reporting``; gone since Asterisk 21."""
    return listing("SIPpeers")


def sip_show_registry() -> Action:
    """List chan_sip's registrations at providers (``RegistryEntry``). Needs ``system`` or ``reporting``."""
    return listing("SIPshowregistry")


def iax_peer_list() -> Action:
    """List chan_iax2's peers (``PeerEntry``). Needs write class ``system`` or ``reporting``."""
    return listing("IAXpeerlist")


def iax_registry() -> Action:
    """List chan_iax2's registrations (``RegistryEntry``). Needs write class ``system`` or ``reporting``."""
    return listing("IAXregistry")
