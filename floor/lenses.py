"""What each watcher is shown of a PBX: its whole, or her part of it; numbers in full, or veiled.

Watchers with equal views get the same text. Who is shown the whole of a PBX, and is denied nothing there, costs no
more than a join; for the others it is kept which entities they have been told of, so that one that leaves their part
is deleted there, and one that enters it arrives whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import orjson

from accounts.permissions import (
    MONITORS_ALL,
    NUMBERS,
    WHOLE_FLOOR,
    TargetSnapshot,
    UserSnapshot,
    decide,
    enough,
    sees,
    visible,
)
from floor import registry, veil
from floor.frames import Beat, Fragments, Frame, FrameText, Snapshot, encode_frame, encode_snapshot, member, members
from floor.sight import NAMES, Ref, Sight
from live.changes import Entities, Fields, Value

_ALL: Final = UserSnapshot(0, "", active=True, rights=frozenset(), scope=WHOLE_FLOOR)

JUDGED: Final = 10_000
"""Answers remembered for each view; then all are asked anew."""


@dataclass(frozen=True, slots=True)
class View:
    """What somebody is shown, by what she may see and do."""

    kinds: frozenset[str]
    user: UserSnapshot = _ALL
    """As far as it matters here."""
    masked: bool = False

    @classmethod
    def of(cls, user: UserSnapshot) -> View:
        """Of two who see the whole floor and may do the same there it is the same."""
        who = replace(user, name="", language="", roles=())
        if user.scope.everywhere:
            who = replace(who, id=0, phones=(), scope=WHOLE_FLOOR, monitoring=None)
        if who.monitoring is not None and not (who.phones and who.monitoring.covert):
            who = replace(who, monitoring=None)  # nothing is kept from her by it
        if not user.rights & MONITORS_ALL:
            who = replace(who, protected=frozenset())
        return cls(registry.seen_by(user.rights), who, masked=NUMBERS not in user.rights)

    def sees_some(self, pbx: str) -> bool:
        """Whether anything of this PBX may be hers: one of which nothing is, is to her as if it were not there."""
        return sees(self.user.scope, TargetSnapshot("pbx", pbx, pbx))

    def sees_all(self, pbx: str) -> bool:
        """Whether she is shown all of its kinds there, and denied nothing by whom it is about."""
        return self.user.scope.covers("pbx", pbx) and not self.user.protected and self.user.monitoring is None


class Lens:
    """A view that is not of the whole, on one PBX."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.told: dict[Ref, tuple[str, ...]] = {}
        """What it has been told of, and the verbs that are denied there."""
        self._rights = {
            kind: {
                action.verb: action.right
                for action in registry.ACTIONS.values()
                if action.target == kind and enough(action.right) & view.user.rights
            }
            for kind in view.kinds
        }
        self._judged: dict[tuple[object, ...], tuple[str, ...]] = {}

    def denied(self, target: TargetSnapshot) -> tuple[str, ...]:
        """Of the verbs that she has the right to, those that she may not use on this: what it is about lies outside
        what she may act on, or is protected. What depends on whose it is, a listening, is told without."""
        rights = self._rights.get(target.kind)
        if not rights or target.kind == "spy":
            return ()
        asked = (target.kind, target.numbers, target.acted, target.queue, target.room, target.vouched)
        found = self._judged.get(asked)
        if found is None:
            decisions = {right: decide(self.view.user, right, target) for right in {*rights.values()}}
            found = tuple(verb for verb, right in rights.items() if not decisions[right].allowed)
            if len(self._judged) >= JUDGED:
                self._judged.clear()
            self._judged[asked] = found
        return found


@dataclass(eq=False, slots=True)
class _Place:
    """Where several entities lie, and which lenses are shown what lies there."""

    refs: set[Ref] = field(default_factory=set)
    lenses: set[Lens] = field(default_factory=set)


@dataclass(slots=True)
class _Page:
    """What one frame tells one lens."""

    whole: set[Ref] = field(default_factory=set)
    """New to it."""
    some: set[Ref] = field(default_factory=set)
    """Changed."""
    naming: set[Ref] = field(default_factory=set)
    """They name one that came or went."""
    judged: set[Ref] = field(default_factory=set)
    """Other verbs are denied there now."""
    gone: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Picture:
    """The entities as they are, or veiled; and what the last frame changed of them."""

    fragments: Fragments
    frame: Frame | None = None
    text: FrameText | None = None
    changed: dict[Ref, bytes] = field(default_factory=dict)
    """As members of an object."""
    naming: set[Ref] = field(default_factory=set)
    """Those of which it changed whom they name."""


class Floor:
    """One PBX as this process knows it, and as each view shows it."""

    def __init__(self, snapshot: Snapshot, beat: Beat | None = None, beaten: float = 0.0) -> None:
        self.head = snapshot
        self.beat, self.beaten = beat, beaten
        """The last heartbeat, and when (monotonic seconds) it came."""
        self._plain = _Picture(Fragments(snapshot.up))
        self._veiled: _Picture | None = None
        self._lenses: dict[View, Lens] = {}
        self._pages: dict[Lens, _Page] = {}
        self._texts: dict[object, str] = {}
        self._sight: Sight | None = None
        self._places: dict[TargetSnapshot, _Place] = {}
        self._lies: dict[Ref, _Place] = {}

    # --- what is true

    def take(self, frame: Frame) -> None:
        """What changed; ``text`` then tells each view of it."""
        plain = self._plain
        plain.fragments.merge(frame.up, frame.gone)
        self.head = Snapshot(frame.pbx, frame.epoch, frame.seq, frame.t, {})
        _turn(plain, frame)
        if self._veiled is not None:
            _turn(self._veiled, self._veil(self._veiled.fragments, frame))
        self._pages, self._texts = {}, {}
        if self._sight is not None:
            self._look(self._sight, frame)

    def _veil(self, held: Fragments, frame: Frame) -> Frame:
        """The same frame, veiled: by what of the veiled picture is other than before."""
        plain, up = self._plain.fragments.entities, Entities()
        # Who waits or is parked is veiled by the side of its party, under the same key.
        parties = [*frame.up.get("party", ()), *frame.gone.get("party", ())]
        legs = [(kind, key) for key in parties for kind in ("waiting", "parked")]
        for kind, key in [*((kind, key) for kind, of in frame.up.items() for key in of), *legs]:
            if key not in plain.get(kind, {}):
                continue
            now, name = veil.fields(kind, key, plain), veil.key(kind, key)
            before = held.get(kind, name) or {}
            changed = {word: value for word, value in now.items() if word not in before or before[word] != value}
            if changed:
                up.setdefault(kind, {})[name] = changed
        gone = {kind: [veil.key(kind, key) for key in keys] for kind, keys in frame.gone.items()}
        held.merge(up, gone)
        return replace(frame, up=up, gone=gone)

    # --- what a view is told

    def text(self, view: View) -> str:
        """The last frame as this view gets it: also an empty one, since its number must not miss."""
        lens = self._lenses.get(view)
        picture = self._picture(view)
        assert picture.text is not None
        if lens is None:
            return picture.text.of(view.kinds)
        page = self._pages.get(lens)
        if page is None:
            return picture.text.of(frozenset())
        alike = self._alike(lens, page, picture)
        text = self._texts.get(alike)
        if text is None:
            text = self._texts[alike] = self._page_text(lens, page, picture)
        return text

    def _alike(self, lens: Lens, page: _Page, picture: _Picture) -> object:
        """What tells a lens's text of this frame from others': most that see the same entities are told the same."""
        if page.judged or not lens.told.keys().isdisjoint(page.naming - page.whole):
            return lens
        refs = page.whole | (page.some & self._plain.naming)
        if any(self._references(lens, picture, ref, self._told_of(picture, ref, page)) for ref in refs):
            return lens
        denied = tuple((ref, lens.told[ref]) for ref in page.whole if lens.told[ref])
        gone = tuple((kind, tuple(keys)) for kind, keys in page.gone.items())
        return lens.view.masked, frozenset(page.whole), frozenset(page.some), denied, gone

    def _told_of(self, picture: _Picture, ref: Ref, page: _Page) -> Fields:
        """The fields of an entity that this frame tells."""
        if ref[0] not in NAMES:
            return {}
        name = _named(picture, self._plain, ref)
        if ref in page.whole:
            return picture.fragments.get(ref[0], name) or {}
        assert picture.frame is not None
        return picture.frame.up.get(ref[0], {}).get(name, {})

    def snapshot(self, view: View) -> str:
        """All that it is shown, as a message."""
        return encode_snapshot(self.head, self.up(view))

    def up(self, view: View, kinds: frozenset[str] | None = None) -> bytes:
        """A snapshot's ``up`` object: all that it is shown, or of that these kinds."""
        wanted = view.kinds if kinds is None else view.kinds & kinds
        picture = self._picture(view)
        if view.sees_all(self.head.pbx):
            return picture.fragments.snapshot(wanted)
        lens = self._lenses.get(view) or self._new_lens(view)
        pieces: dict[str, list[bytes]] = {kind: [] for kind in sorted(wanted & picture.fragments.kinds)}
        for ref in lens.told:
            if ref[0] in pieces:
                pieces[ref[0]].append(self._piece(lens, picture, ref))
        return _up(pieces)

    def one(self, view: View, kind: str, key: str) -> Fields | None:
        """One entity's fields, if it is shown; ``key`` as that view knows it."""
        key = self.real(kind, key)
        if kind not in view.kinds or self._plain.fragments.get(kind, key) is None:
            return None
        picture, ref = self._picture(view), (kind, key)
        if view.sees_all(self.head.pbx):
            return picture.fragments.get(kind, _named(picture, self._plain, ref))
        lens = self._lenses.get(view) or self._new_lens(view)
        if ref not in lens.told:
            return None
        fields: Fields = orjson.loads(b"{%b}" % self._piece(lens, picture, ref))[_named(picture, self._plain, ref)]
        return fields

    def get(self, kind: str, key: str) -> Fields | None:
        """One entity as it is; not to be changed."""
        return self._plain.fragments.get(kind, key)

    def real(self, kind: str, key: str) -> str:
        """The key of the entity that a view knows under this one."""
        if veil.MASK not in key:
            return key
        known = self._plain.fragments.entities.get(kind, {})
        return next((one for one in known if veil.key(kind, one) == key), key)

    # --- lenses

    def open(self, view: View) -> None:
        """Somebody looks: from here on frames are kept apart for this view."""
        self._picture(view)
        if view not in self._lenses and not view.sees_all(self.head.pbx):
            lens = self._lenses[view] = self._new_lens(view)
            for place in self._places.values():
                if self._shows(lens, place):
                    place.lenses.add(lens)

    def close(self, view: View) -> None:
        """Nobody looks any more."""
        lens = self._lenses.pop(view, None)
        for place in self._places.values() if lens is not None else ():
            place.lenses.discard(lens)

    def _new_lens(self, view: View) -> Lens:
        lens = Lens(view)
        if self._sight is None:
            self._sight = Sight(self._plain.fragments.entities)
            for ref in self._sight.targets:
                self._lay(self._sight, ref)
        for place in self._places.values():
            if self._shows(lens, place):
                for ref in place.refs:
                    if ref[0] in view.kinds:
                        lens.told[ref] = lens.denied(self._sight.targets[ref])
        return lens

    def _shows(self, lens: Lens, place: _Place) -> bool:
        assert self._sight is not None
        return visible(lens.view.user, self._sight.targets[next(iter(place.refs))])

    def _lay(self, sight: Sight, ref: Ref) -> _Place | None:
        """Put it where it lies now; that place."""
        before, target = self._lies.get(ref), sight.targets.get(ref)
        if before is not None:
            before.refs.discard(ref)
        if target is None:
            now = None
            self._lies.pop(ref, None)
        else:
            spot = _spot(target)
            now = self._places.get(spot)
            if now is None:
                now = self._places[spot] = _Place()
                now.lenses = {lens for lens in self._lenses.values() if visible(lens.view.user, target)}
            now.refs.add(ref)
            self._lies[ref] = now
        return now

    # --- a frame through the lenses

    def _look(self, sight: Sight, frame: Frame) -> None:
        moved = sight.take(frame.up, frame.gone)
        for ref, was in moved.items():
            before = self._lies.get(ref)
            now = self._lay(sight, ref)
            self._move(sight, ref, before, now)
            if was is not None and before is not None and not before.refs:
                self._places.pop(_spot(was), None)
        self._touched(frame.up, masked=False)
        if self._veiled is not None and self._veiled.frame is not None:
            self._touched(self._veiled.frame.up, masked=True)

    def _move(self, sight: Sight, ref: Ref, before: _Place | None, now: _Place | None) -> None:
        here = now.lenses if now is not None else set()
        if before is not None and before is not now:
            for lens in before.lenses - here:
                if lens.told.pop(ref, None) is not None:
                    page = self._page(lens)
                    page.gone.setdefault(ref[0], []).append(ref[1])
                    page.naming.update(sight.named_by(ref))
        for lens in here:
            if ref[0] not in lens.view.kinds:
                continue
            known, denied = lens.told.get(ref), lens.denied(sight.targets[ref])
            lens.told[ref] = denied
            if known is None:
                page = self._page(lens)
                page.whole.add(ref)
                page.naming.update(sight.named_by(ref))
            elif known != denied:
                self._page(lens).judged.add(ref)

    def _touched(self, up: Entities, *, masked: bool) -> None:
        changed: dict[_Place, set[Ref]] = {}
        for kind, entities in up.items():
            for key in entities:
                ref = (kind, self.real(kind, key) if masked else key)
                place = self._lies.get(ref)
                if place is not None:
                    changed.setdefault(place, set()).add(ref)
        for place, refs in changed.items():
            for lens in place.lenses:
                if lens.view.masked is masked and (told := refs & lens.told.keys()):
                    self._page(lens).some |= told

    def _page(self, lens: Lens) -> _Page:
        page = self._pages.get(lens)
        if page is None:
            page = self._pages[lens] = _Page()
        return page

    def _page_text(self, lens: Lens, page: _Page, picture: _Picture) -> str:
        assert picture.frame is not None
        pieces: dict[str, list[bytes]] = {}
        naming = {ref for ref in page.naming if ref in lens.told}
        for ref in page.whole:
            pieces.setdefault(ref[0], []).append(self._piece(lens, picture, ref))
        for ref in (page.some | naming | page.judged) - page.whole:
            if ref in lens.told:
                judged, names = ref in page.judged, ref in naming
                pieces.setdefault(ref[0], []).append(self._piece_of(lens, picture, ref, judged=judged, names=names))
        gone = page.gone
        if picture is not self._plain:
            gone = {kind: [veil.key(kind, key) for key in keys] for kind, keys in gone.items()}
        return encode_frame(picture.frame, _up(pieces), orjson.dumps(gone))

    # --- pieces

    def _picture(self, view: View) -> _Picture:
        if not view.masked:
            return self._plain
        if self._veiled is None:
            plain = self._plain.fragments.entities
            veiled = {
                kind: {veil.key(kind, key): veil.fields(kind, key, plain) for key in of} for kind, of in plain.items()
            }
            self._veiled = _Picture(Fragments(veiled))
        return self._veiled

    def _piece(self, lens: Lens, picture: _Picture, ref: Ref) -> bytes:
        """All of an entity, with its name."""
        name, denied = _named(picture, self._plain, ref), lens.told[ref]
        fields = picture.fragments.get(ref[0], name)
        assert fields is not None
        extra = self._references(lens, picture, ref, fields)
        if denied:
            extra["no"] = [*denied]
        json = orjson.dumps({**fields, **extra}) if extra else picture.fragments.json(ref[0], name)
        return member(name, json)

    def _piece_of(self, lens: Lens, picture: _Picture, ref: Ref, *, judged: bool, names: bool) -> bytes:
        """What changed of an entity, with its name."""
        assert picture.frame is not None
        name = _named(picture, self._plain, ref)
        known = picture.changed.get(ref)
        fields = picture.frame.up.get(ref[0], {}).get(name, {})
        if known is None:
            known = picture.changed[ref] = member(name, orjson.dumps(fields))
        if not (judged or names or ref in self._plain.naming):
            return known
        whole = picture.fragments.get(ref[0], name)
        assert whole is not None
        extra = {word: whole[word] for word in NAMES.get(ref[0], ()) if names and word in whole}
        extra |= self._references(lens, picture, ref, {**fields, **extra})
        if judged:
            extra["no"] = [*lens.told[ref]]
        return member(name, orjson.dumps({**fields, **extra})) if extra else known

    def _references(self, lens: Lens, picture: _Picture, ref: Ref, fields: Fields) -> Fields:
        """Those of the fields that name others, without whom she is not shown, where that is a difference."""
        found: Fields = {}
        for word, kind in NAMES.get(ref[0], {}).items():
            if word in fields:
                said = (self._plain.fragments.get(*ref) or {})[word]
                told = _shown_of(lens, kind, said)
                if told is not said:
                    if picture is not self._plain and isinstance(told, list):
                        told = [veil.key(kind, key) for key in told]
                    found[word] = told
        return found


def _shown_of(lens: Lens, kind: str, said: Value) -> Value:
    if isinstance(said, list):
        return said if all((kind, key) in lens.told for key in said) else [k for k in said if (kind, k) in lens.told]
    return said if said == "" or (kind, said) in lens.told else ""


def _spot(target: TargetSnapshot) -> TargetSnapshot:
    """What of it decides who is shown it."""
    spy = target.kind == "spy"
    return replace(
        target,
        kind="spy" if spy else "",
        key="",
        acted=(),
        vouched=target.vouched if spy else (),  # the monitoring policy goes by it
        owner=target.owner if spy else 0,
        device=target.device if spy else "",
    )


def _turn(picture: _Picture, frame: Frame) -> None:
    picture.frame, picture.text, picture.changed = frame, FrameText(frame), {}
    picture.naming = {
        (kind, key)
        for kind, words in NAMES.items()
        for key, fields in frame.up.get(kind, {}).items()
        if not words.keys().isdisjoint(fields)
    }


def _named(picture: _Picture, plain: _Picture, ref: Ref) -> str:
    return ref[1] if picture is plain else veil.key(*ref)


def _up(pieces: dict[str, list[bytes]]) -> bytes:
    return members(member(kind, members(of)) for kind, of in pieces.items())
