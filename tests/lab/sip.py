"""SIP as text (RFC 3261): messages, names, digest authentication. No socket here."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Self, TypeAlias

Headers: TypeAlias = list[tuple[str, str]]

SHORT_NAMES = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "c": "content-type",
    "l": "content-length",
}

REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    405: "Method Not Allowed",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    491: "Request Pending",
    603: "Decline",
}


@dataclass
class Message:
    """A request or a response: its first line, its headers in order, its body."""

    start: str
    headers: Headers = field(default_factory=list)
    body: str = ""

    @classmethod
    def request(cls, method: str, uri: str, headers: Headers, body: str = "") -> Self:
        """A request of ours; a body is a session description (SDP)."""
        return cls(f"{method} {uri} SIP/2.0", headers, body)

    @classmethod
    def response(cls, request: Message, status: int, extra: Headers, *, tag: str = "", body: str = "") -> Self:
        """Our answer to a request; `tag` marks our end of the dialog unless the request carries it already."""
        to = request.get("to")
        if tag and not tag_of(to):
            to += f";tag={tag}"
        copied = [("Via", via) for via in request.all("via")]
        copied += [("Record-Route", route) for route in request.all("record-route")]
        copied += [("From", request.get("from")), ("To", to)]
        copied += [("Call-ID", request.get("call-id")), ("CSeq", request.get("cseq"))]
        return cls(f"SIP/2.0 {status} {REASONS.get(status, 'No Reason')}", copied + extra, body)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a datagram. Raises ValueError when it is no SIP message."""
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        if "SIP/2.0" not in first:
            raise ValueError(f"not a SIP message: {first[:60]!r}")
        pairs = (line.partition(":") for line in lines)
        return cls(first, [(name.strip(), value.strip()) for name, _, value in pairs], body)

    def render(self) -> bytes:
        """The datagram."""
        body = self.body.encode()
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body

    def all(self, name: str) -> list[str]:
        """Every value of a header, by its long lower-case name."""
        return [value for key, value in self.headers if SHORT_NAMES.get(key.lower(), key.lower()) == name]

    def get(self, name: str) -> str:
        """The first value of a header, or ""."""
        values = self.all(name)
        return values[0] if values else ""

    @property
    def status(self) -> int:
        """The status code of a response; 0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """The method of a request, or of the request that a response answers."""
        return self.get("cseq").split()[-1] if self.status else self.start.split()[0]

    @property
    def sequence(self) -> int:
        """The number in CSeq."""
        return int(self.get("cseq").split()[0])

    @property
    def branch(self) -> str:
        """What names the transaction: the branch of the topmost Via."""
        return parameter(self.get("via"), "branch")


def parameter(value: str, name: str) -> str:
    """The parameter `;name=…` of a header value, or ""."""
    match = re.search(rf";\s*{name}=([^;>,\s]+)", value)
    return match.group(1) if match else ""


def tag_of(address: str) -> str:
    """The tag of a From or To, or ""."""
    # A quoted name may hold anything, even what looks like a tag.
    return parameter(re.sub(r'^\s*"(?:\\.|[^"\\])*"', "", address), "tag")


def uri_of(address: str) -> str:
    """The URI of a From, To or Contact, with its parameters when it stands in angle brackets."""
    bare = re.sub(r'^\s*"(?:\\.|[^"\\])*"', "", address)
    match = re.search(r"<([^>]*)>", bare)
    return match.group(1) if match else bare.split(";")[0].strip()


def user_of(address: str) -> str:
    """The user part of an address: the number."""
    match = re.match(r"sips?:([^@;]*)@", uri_of(address))
    return match.group(1) if match else ""


def name_of(address: str) -> str:
    """The display name of an address, unquoted; "" when it has none."""
    quoted = re.match(r'\s*"((?:\\.|[^"\\])*)"', address)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted.group(1))
    return address.partition("<")[0].strip() if "<" in address else ""


def address(uri: str, name: str = "", tag: str = "") -> str:
    """A From, To or Contact. Raises ValueError for a name that would end the header."""
    if re.search(r"[\r\n\0]", name):
        raise ValueError("a display name cannot hold line ends or NUL")
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", name) + '" ' if name else ""
    return f"{quoted}<{uri}>" + (f";tag={tag}" if tag else "")


def new_token() -> str:
    """A fresh tag, branch or Call-ID."""
    return secrets.token_hex(8)


def authorization(response: Message, method: str, uri: str, user: str, password: str) -> tuple[str, str]:
    """The header that answers the challenge in a 401 or 407 (digest, MD5)."""
    own = "Authorization" if response.status == 401 else "Proxy-Authorization"
    challenge = response.get("www-authenticate") or response.get("proxy-authenticate")
    given = {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', challenge)}
    secret = _md5(f"{user}:{given['realm']}:{password}")
    what = _md5(f"{method}:{uri}")
    fields = {"username": user, "realm": given["realm"], "nonce": given["nonce"], "uri": uri}
    bare = "algorithm=MD5"
    if "qop" in given:
        fields["cnonce"] = new_token()
        bare += ", qop=auth, nc=00000001"
        proof = f"{secret}:{given['nonce']}:00000001:{fields['cnonce']}:auth:{what}"
    else:
        proof = f"{secret}:{given['nonce']}:{what}"
    fields["response"] = _md5(proof)
    if "opaque" in given:
        fields["opaque"] = given["opaque"]
    return own, "Digest " + ", ".join([*(f'{name}="{value}"' for name, value in fields.items()), bare])


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def session(host: str, port: int, version: int, direction: str) -> str:
    """The description (SDP) of our audio: µ-law and telephone events at host:port."""
    return (
        f"v=0\r\no=- 1 {version} IN IP4 {host}\r\ns=phone\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        f"a=fmtp:101 0-15\r\na=ptime:20\r\na={direction}\r\n"
    )


def session_address(body: str) -> tuple[str, int] | None:
    """Where the other side wants its audio, or None when the body does not say."""
    host = re.search(r"^c=IN IP4 (\S+)", body, re.MULTILINE)
    port = re.search(r"^m=audio (\d+)", body, re.MULTILINE)
    return (host.group(1), int(port.group(1))) if host and port else None


def session_direction(body: str) -> str:
    """sendrecv, sendonly, recvonly or inactive, as the other side sees it."""
    match = re.search(r"^a=(sendonly|recvonly|inactive|sendrecv)", body, re.MULTILINE)
    return match.group(1) if match else "sendrecv"
