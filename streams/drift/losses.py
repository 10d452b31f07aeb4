"""The experiment: sample stories with and without what records no longer tell.

Each field is taken out alone, so that a loss has a name. Then all of them at once: what one field
made up for while the other was missing is lost only then.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal, NamedTuple

from streams.sources.ordergroove import OBJECT_OF

from .bodies import WHOLE, Bodies, Rehearsal
from .fields import Without, fields
from .samples import stories

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .supply import Supply

Kind = Literal["stops", "empties", "changes"]
Stories = dict[str, Bodies]


class Effect(NamedTuple):
    """What becomes of one event type at one destination.

    Attributes:
        kind: the event is not sent any more, some of its fields are not, or have other values.
        destination: the vendor.
        event_type: of the event.
        paths: the fields in the request's body; of an event that stops, none.
    """

    kind: Kind
    destination: str
    event_type: str
    paths: tuple[str, ...]


class Loss(NamedTuple):
    """What the absence of a field does.

    Attributes:
        places: of the field; several if one entity is at several; `type …` for a type of events;
            empty: of all of them together.
        why: it is not told, where there is more to say.
        effects: on destinations, in their order.
    """

    places: tuple[str, ...]
    why: str
    effects: tuple[Effect, ...]


def losses(before: Supply, after: Supply) -> list[Loss]:
    """What destinations lose when records tell no more than `after`; without effect: nothing."""
    return _Experiment(before, after).losses()


class _Experiment:
    def __init__(self, before: Supply, after: Supply) -> None:
        self._before, self._after = before, after
        self._stories, self._rehearsal = stories(), Rehearsal()
        self._base, self._silent = _missing(before.told), frozenset(OBJECT_OF) - before.types
        self._told = self._bodies(self._base, self._silent, mapped=before.mapped)

    def losses(self) -> list[Loss]:
        gone = _missing(self._before.told & self._after.told) - self._base
        groups: dict[str, list[str]] = defaultdict(list)
        for place in fields():
            if place in gone:
                groups[fields()[place].meaning].append(place)
        types = self._before.types - self._after.types
        alone = [
            Loss((f"type {each}",), "", self._effects(self._base, self._silent | {each}))
            for each in OBJECT_OF
            if each in types
        ] + [
            Loss(tuple(each), self._why(each), self._effects(self._base.union(each), self._silent))
            for each in groups.values()
        ]
        found = [loss for loss in alone if loss.effects]
        explained = {effect for loss in found for effect in _single(loss.effects)}
        stopped = {each[1:3] for each in explained if each[0] == "stops"}
        left = [
            effect
            for effect in _single(self._effects(self._base | gone, self._silent | types))
            if effect not in explained and effect[1:3] not in stopped
        ]
        if left:
            found.append(Loss((), "", tuple(_joined(left))))
        return found

    def _why(self, places: list[str]) -> str:
        told = (self._after.why.get(place, "") for place in places)
        return next(filter(None, told), "")

    def _effects(self, places: frozenset[str], types: frozenset[str]) -> tuple[Effect, ...]:
        now = self._bodies(places, types, mapped=self._before.mapped or self._after.mapped)
        found = _joined(
            single for name, told in self._told.items() for single in _lost(told, now[name])
        )
        return tuple(found)

    def _bodies(self, places: frozenset[str], types: frozenset[str], *, mapped: bool) -> Stories:
        without = Without(places, types, mapped=mapped)
        return {
            name: self._rehearsal.bodies(map(without, story))
            for name, story in self._stories.items()
        }


def _missing(told: frozenset[str]) -> frozenset[str]:
    """The places that are not told: an entity in place of its fields, where it has none left."""
    known = fields()
    found: list[str] = []
    for place, field in known.items():
        if any(place.startswith(f"{each}.") for each in found):
            continue
        below = [] if field.leaf else [each for each in told if each.startswith(f"{place}.")]
        if place not in told and not below:
            found.append(place)
    return frozenset(found)


def _lost(before: Bodies, after: Bodies) -> Iterator[Effect]:
    """What is in the bodies of a story no more, a path at a time."""
    sent = {leaf[:2] for leaf in after}
    for leaf, values in before.items():
        destination, event_type, path = leaf
        now = after.get(leaf, [])
        if leaf[:2] not in sent:
            yield Effect("stops", destination, event_type, ())
        elif path == WHOLE:
            continue
        elif len(now) < len(values):
            yield Effect("empties", destination, event_type, (path,))
        elif now != values:
            yield Effect("changes", destination, event_type, (path,))


def _joined(single: Iterator[Effect] | list[Effect]) -> list[Effect]:
    """Effects of one kind on one event in one; what stops an event is all that is said of it."""
    paths: dict[tuple[Kind, str, str], dict[str, None]] = {}
    for each in single:
        paths.setdefault(each[:3], {}).update(dict.fromkeys(each.paths))
    stopped = {key[1:] for key in paths if key[0] == "stops"}
    emptied = _by_event(paths, "empties")
    found = []
    for (kind, destination, event_type), told in paths.items():
        event = (destination, event_type)
        if kind != "stops" and event in stopped:
            continue
        left = [each for each in told if kind != "changes" or each not in emptied.get(event, {})]
        if left or kind == "stops":
            found.append(Effect(kind, destination, event_type, tuple(sorted(left))))
    return sorted(found, key=lambda it: (it.destination, it.event_type, it.kind))


def _by_event(
    paths: Mapping[tuple[Kind, str, str], dict[str, None]], kind: Kind
) -> dict[tuple[str, str], dict[str, None]]:
    return {key[1:]: told for key, told in paths.items() if key[0] == kind}


def _single(effects: tuple[Effect, ...] | list[Effect]) -> list[Effect]:
    """Effects a path at a time."""
    found = []
    for effect in effects:
        found += [effect._replace(paths=(each,)) for each in effect.paths] or [effect]
    return found
