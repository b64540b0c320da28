"""How a stranger's text is told: a caller chooses his own name and number, and may choose them to deceive.

The model keeps what Asterisk has, since Asterisk must be told the same; what is made of it for people goes through
here, once, for pages, REST, shell and audit alike. It is text all the same: nobody may take it for markup.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final

LONGEST: Final = 64
"""Signs of a name that are told: more than any directory has."""

MARKS: Final = 4
"""Combining signs on one letter: no script puts more there; heaps of them are drawn over the lines above and below."""

# C0, DEL and C1; what turns the direction of text or cannot be seen; what ends a line; halves of a surrogate pair.
_HARMFUL: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def shown(text: str) -> str:
    """The text as it is told: NFC, with U+FFFD for what can only deceive, at most ``LONGEST`` signs."""
    if len(text) <= LONGEST and text.isascii() and text.isprintable():
        return text
    return _shown(text)


@functools.lru_cache(maxsize=4_096)
def _shown(text: str) -> str:
    # Cut first, so that a long one costs no more than others: of so many signs enough are left, heaps of marks apart.
    text = unicodedata.normalize("NFC", _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", text[: 16 * LONGEST]))
    kept, marks = "", 0
    for sign in text:
        marks = marks + 1 if unicodedata.category(sign) in ("Mn", "Me") else 0
        if marks <= MARKS:
            kept += sign
    kept = unicodedata.normalize("NFC", kept)  # two that were apart may go together now
    return kept if len(kept) <= LONGEST else kept[: LONGEST - 1] + "…"
