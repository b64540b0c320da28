"""What leads to and from the imitation: registered phones, and trunks that register elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from demo.devices import INTERNAL, Devices
from demo.events import SYSTEM, Emit, Header

REGISTERED_S: Final = 3600
"""For how long a phone's registration is good."""


@dataclass(slots=True)
class Phone:
    """One phone, and the extension that is its own. ``until``: when its registration ends, seconds of UTC."""

    exten: str
    name: str
    registered: bool
    until: int

    @property
    def device(self) -> str:
        return f"PJSIP/{self.exten}"

    @property
    def address(self) -> str:
        return f"sip:{self.exten}@127.0.0.1:5060"

    def contact(self) -> tuple[Header, ...]:
        """The headers of its ContactList."""
        return (
            ("ObjectType", "contact"),
            ("ObjectName", f"{self.exten};@{int(self.exten):032x}"),
            ("ViaAddr", "127.0.0.1"),
            ("QualifyTimeout", "3.000000"),
            ("Qualify2xxOnly", "false"),
            ("CallId", f"{int(self.exten):016x}"),
            ("RegServer", SYSTEM),
            ("PruneOnBoot", "no"),
            ("Path", ""),
            ("Endpoint", self.exten),
            ("ViaPort", "5060"),
            ("AuthenticateQualify", "no"),
            ("Uri", self.address),
            ("QualifyFrequency", "0"),
            ("UserAgent", "demo-phone"),
            ("ExpirationTime", str(self.until)),
            ("OutboundProxy", ""),
            ("Status", "NonQualified"),
            ("RoundtripUsec", "N/A"),
        )


@dataclass(slots=True)
class Registration:
    """A trunk's registration with its provider. ``user`` at ``host``."""

    name: str
    user: str
    host: str
    registered: bool = True

    @property
    def status(self) -> str:
        return "Registered" if self.registered else "Unregistered"

    def details(self) -> tuple[tuple[str, tuple[Header, ...]], ...]:
        """Its two events of the list: a real Asterisk tells with the second what the trunk's password is."""
        mine = (
            ("ObjectType", "registration"),
            ("ObjectName", self.name),
            ("MaxRetries", "10"),
            ("ClientUri", f"sip:{self.user}@{self.host}"),
            ("SecurityNegotiation", "no"),
            ("AuthRejectionPermanent", "true"),
            ("ServerUri", f"sip:{self.host}"),
            ("MaxRandomInitialDelay", "10"),
            ("SupportPath", "false"),
            ("RetryInterval", "60"),
            ("ContactHeaderParams", ""),
            ("Expiration", "3600"),
            ("Transport", "transport-udp"),
            ("Line", "false"),
            ("ContactUser", ""),
            ("Endpoint", ""),
            ("UserAgent", ""),
            ("ForbiddenRetryInterval", "0"),
            ("OutboundAuth", self.user),
            ("OutboundProxy", ""),
            ("FatalRetryInterval", "0"),
            ("SupportOutbound", "no"),
            ("Status", self.status),
            ("NextReg", "0"),
        )
        auth = (
            ("ObjectType", "auth"),
            ("ObjectName", self.user),
            ("OauthSecret", ""),
            ("PasswordDigest", ""),
            ("SupportedAlgorithmsUas", "MD5"),
            ("RefreshToken", ""),
            ("Username", self.user),
            ("Md5Cred", ""),
            ("Realm", ""),
            ("AuthType", "userpass"),
            ("Password", f"pw{self.user}"),
            ("SupportedAlgorithmsUac", "MD5"),
            ("NonceLifetime", "32"),
            ("OauthClientid", ""),
        )
        return (("OutboundRegistrationDetail", mine), ("AuthDetail", auth))


class Lines:
    """Phones that come and go, trunks that are reachable or not."""

    def __init__(self, emit: Emit, devices: Devices, clock: Callable[[], float]) -> None:
        self._emit, self._devices, self._clock = emit, devices, clock
        self.phones: dict[str, Phone] = {}
        self.trunks: list[str] = []
        self.registrations: dict[str, Registration] = {}

    def add_phone(self, exten: str, name: str, *, registered: bool = True) -> Phone:
        phone = self.phones[exten] = Phone(exten, name, registered, int(self._clock()) + REGISTERED_S)
        self._devices.know(phone.device, "NOT_INUSE" if registered else "UNAVAILABLE")
        self._devices.hint(exten, phone.device, INTERNAL)
        return phone

    def add_trunk(self, device: str, registration: Registration | None = None) -> None:
        """A trunk; with a ``registration`` it registers with its provider."""
        self.trunks.append(device)
        self._devices.know(device, "NOT_INUSE")
        if registration is not None:
            self.registrations[registration.name] = registration

    def register_phone(self, phone: Phone, registered: bool) -> None:
        """It registers, or it goes (unplugged, or out of reach). Its device's state is told by whoever settles."""
        phone.registered = registered
        phone.until = int(self._clock()) + REGISTERED_S
        peer = (("ChannelType", "PJSIP"), ("Peer", phone.device))
        status = "Reachable" if registered else "Unreachable"
        self._emit("PeerStatus", *peer, ("PeerStatus", status), cls="system")
        self._emit(
            "ContactStatus",
            ("URI", phone.address),
            ("ContactStatus", "NonQualified" if registered else "Removed"),
            ("AOR", phone.exten),
            ("EndpointName", phone.exten),
            ("RoundtripUsec", "0"),
            cls="system",
        )

    def register_trunk(self, registration: Registration, registered: bool) -> None:
        """Its provider has taken the registration, or it is none any more."""
        registration.registered = registered
        self._emit(
            "Registry",
            ("ChannelType", "PJSIP"),
            ("Username", f"sip:{registration.user}@{registration.host}"),
            ("Domain", f"sip:{registration.host}"),
            ("Status", registration.status),
            cls="system",
        )
