"""What can go wrong on the wire: one class per cause.

Every class carries ``code``, a word that never changes and that a page may translate; the text of the error
is Asterisk's or the system's own wording. ``LINK_CODES`` are the codes that a link's state can show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ami.protocol import Message

LINK_CODES = (
    "unreachable",
    "no_greeting",
    "login_refused",
    "rights_missing",
    "shutting_down",
    "lost",
    "silent",
    "malformed",
)


class AmiError(Exception):
    """Base of all errors of this library."""

    code = "lost"


class ProtocolError(AmiError):
    """The peer broke the protocol (a size cap). The connection must be dropped: its frame is lost."""

    code = "malformed"


class IncompleteMessage(ProtocolError):
    """The stream ended inside a message. Asterisk does that to a slow reader (``writetimeout``): measured."""


class EncodingRefused(AmiError, ValueError):
    """A value that must not reach the wire. ``field`` names the header; the value is never shown."""

    code = "encoding_refused"

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


class Unreachable(AmiError):
    """No connection: refused, no route, no such host, time over, TLS failed. The text is the system's."""

    code = "unreachable"


class NoGreeting(AmiError):
    """Connected, but nobody greeted as an Asterisk Call Manager (a stopped process, or another service)."""

    code = "no_greeting"


class LoginRefused(AmiError):
    """Asterisk refused the login; ``reason`` is its text.

    A wrong secret, an unknown user and a mismatched ACL all read "Authentication failed" (measured on 16
    and 22). While Asterisk shuts down it says so: then ``code`` is ``shutting_down`` and trying again soon is right.
    """

    code = "login_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        if "shutting down" in reason.lower():
            self.code = "shutting_down"


class ActionRefused(AmiError):
    """Asterisk answered ``Response: Error``. ``response`` is that message, ``action`` the action's name.

    ``code`` is ``rights_missing`` when the account lacks the class: Asterisk does not tell which one.
    """

    code = "action_refused"

    def __init__(self, action: str, response: Message) -> None:
        # rstrip: some of Asterisk's texts end in a line feed of their own.
        self.text = response.get("Message").rstrip()
        super().__init__(f"{action}: {self.text}")
        self.action = action
        self.response = response
        if self.text == "Permission denied":
            self.code = "rights_missing"


class ActionTimedOut(AmiError):
    """No answer in time. Whether Asterisk did it is unknown: a mutating action is never sent again."""

    code = "silent"


class NotConnected(AmiError):
    """Nothing was sent: there is no live session."""

    code = "lost"


class TooManyPending(NotConnected):
    """Nothing was sent: too many actions already wait for an answer."""

    code = "busy"


class ConnectionLost(AmiError):
    """The session ended. An action that was under way may or may not have been done."""

    code = "lost"


class Silent(ConnectionLost):
    """The session was given up since no byte came for too long, not even the answer to a Ping."""

    code = "silent"


class ShutDown(ConnectionLost):
    """The session ended after Asterisk had announced its shutdown."""

    code = "shutting_down"
