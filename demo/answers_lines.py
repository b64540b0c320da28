"""How the imitation answers about devices, hints, phones and trunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from demo.replies import Action, Request, error, listing

if TYPE_CHECKING:
    from demo.pbx import Pbx


def _devices(pbx: Pbx, request: Request) -> bytes:
    items = [("DeviceStateChange", headers) for headers in pbx.devices.states()]
    return listing(request, "Device State Changes will follow", items, "DeviceStateListComplete")


def _extensions(pbx: Pbx, request: Request) -> bytes:
    items = [("ExtensionStatus", headers) for headers in pbx.devices.extensions()]
    return listing(request, "Extension Statuses will follow", items, "ExtensionStateListComplete")


def _contacts(pbx: Pbx, request: Request) -> bytes:
    items = [("ContactList", phone.contact()) for phone in pbx.lines.phones.values() if phone.registered]
    if not items:
        return error(request, "No Contacts found")
    message = "A listing of Contacts follows, presented as ContactList events"
    return listing(request, message, items, "ContactListComplete")


def _registrations(pbx: Pbx, request: Request) -> bytes:
    registrations = pbx.lines.registrations.values()
    items = [event for registration in registrations for event in registration.details()]
    up = sum(registration.registered for registration in registrations)
    return listing(
        request,
        "Following are Events for each Outbound registration",
        items,
        "OutboundRegistrationDetailComplete",
        ("Registered", str(up)),
        ("NotRegistered", str(len(registrations) - up)),
        counted=len(registrations),
    )


LINES: Final[dict[str, Action]] = {
    "DeviceStateList": ("List the current known device states.  (Priv: call,reporting,all)", _devices),
    "ExtensionStateList": ("List the current known extension states.  (Priv: call,reporting,all)", _extensions),
    "PJSIPShowContacts": ("Lists PJSIP Contacts.  (Priv: system,all)", _contacts),
    "PJSIPShowRegistrationsOutbound": (
        "Lists PJSIP outbound registrations.  (Priv: system,reporting,all)",
        _registrations,
    ),
}
