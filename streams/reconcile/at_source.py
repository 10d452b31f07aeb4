"""Our rows beside what Ordergroove's API has: counts, status, who it is (contract §2.2, §3). Pure.

Their own `live` of a customer means something else (§2.2), so the status is counted on both sides.
What they do not tell (§5.12: a customer may have neither phone nor name) is no difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.model.subscriber import standing
from streams.reconcile.comparing import PERSON, Difference, same
from streams.reconcile.reasons import Reason, Why
from streams.sources.ordergroove import entities

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.model.subscriber import Subscriber
    from streams.sources.ordergroove.quirks import Reading

FIELDS: Final = ("email", "phone_number", "first_name", "last_name")

Body = Mapping[str, Any]
"""An entity as the API has it."""


class Held(NamedTuple):
    """A subscription at Ordergroove: whether it lives, and when it last changed, epoch ms."""

    live: bool
    updated: int


class Theirs(NamedTuple):
    """One customer at Ordergroove.

    Attributes:
        person: `FIELDS`, as far as they are told; None: no such customer.
        changed: when the customer's own entity last changed, epoch milliseconds.
        subscriptions: by id.
    """

    person: Mapping[str, str | None] | None
    changed: int
    subscriptions: Mapping[str, Held]

    @property
    def somebody(self) -> bool:
        """Whether anything is known of them there."""
        return self.person is not None or bool(self.subscriptions)

    @property
    def newest(self) -> int:
        """When anything of theirs last changed."""
        return max([self.changed, *(each.updated for each in self.subscriptions.values())])


def person_of(body: Body, reading: Reading) -> tuple[dict[str, str | None], int]:
    """The fields of a customer, and when it last changed; raises `BadRecord`."""
    told = entities.read(entities.CUSTOMER, body, reading, "customer")
    return {name: told[name] for name in FIELDS}, told["last_updated"] or 0


def held_of(body: Body, reading: Reading) -> tuple[str, Held]:
    """A subscription's id, and what is compared of it; raises `BadRecord`."""
    told = entities.subscription(body, reading, "subscription")
    return told["public_id"], Held(told["live"], told["updated"])


def theirs_of(customer: Body | None, subscriptions: Iterable[Body], reading: Reading) -> Theirs:
    """One customer, of what the API answered; raises `BadRecord`."""
    person, changed = (None, 0) if customer is None else person_of(customer, reading)
    return Theirs(person, changed, dict(held_of(each, reading) for each in subscriptions))


def compared(row: Subscriber | None, theirs: Theirs) -> tuple[Difference, ...]:
    """Where a row differs from what Ordergroove has."""
    if row is None:
        known = bool(theirs.subscriptions)
        return (Difference(PERSON, None, "known"),) if known else ()
    if not theirs.somebody:
        return (Difference(PERSON, "known", None),)
    return (*_counts(row, theirs), *_person(row, theirs))


def _counts(row: Subscriber, theirs: Theirs) -> Sequence[Difference]:
    ours = standing(row)
    active, total = (
        sum(each.live for each in theirs.subscriptions.values()),
        len(theirs.subscriptions),
    )
    status = None if not total else "active" if active else "inactive"
    pairs = (
        ("status", ours.status, status),
        ("active_subscriptions", ours.active, active),
        ("total_subscriptions", ours.total, total),
    )
    found = [Difference(*each) for each in pairs if each[1] != each[2]]
    mine, others = frozenset(row.live()), _live(theirs)
    if not found and (mine != others or row.subscriptions.keys() != theirs.subscriptions.keys()):
        found = [Difference("subscriptions", sorted(mine - others), sorted(others - mine))]
    return found


def _live(theirs: Theirs) -> frozenset[str]:
    return frozenset(id_ for id_, each in theirs.subscriptions.items() if each.live)


def _person(row: Subscriber, theirs: Theirs) -> Sequence[Difference]:
    told = theirs.person or {}
    pairs = ((name, getattr(row.profile, name), told.get(name)) for name in FIELDS)
    return [Difference(*each) for each in pairs if each[2] and not same(*each)]


def why_here(
    row: Subscriber | None,
    theirs: Theirs,
    found: Sequence[Difference],
    *,
    lags: bool,
    given_up: bool,
) -> Why:
    """Why a row differs from Ordergroove.

    Args:
        row: ours; None: there is none.
        theirs: what the API has.
        found: where it differs.
        lags: whether an event of the customer waits on the source topic.
        given_up: whether one is among the source's dead letters.
    """
    if lags:
        return Why(Reason.LAG)
    if given_up:
        return Why(Reason.GIVEN_UP)
    if row is None:
        return Why(Reason.NO_ROW)
    if not theirs.somebody:
        return Why(Reason.UNKNOWN_THERE)
    of_person = all(each.field in FIELDS for each in found)
    return _of_person(row, theirs) if of_person else _of_subscriptions(row, theirs)


def _of_person(row: Subscriber, theirs: Theirs) -> Why:
    newest = max((each.last_updated for each in row.profile.stamps), default=0)
    if theirs.changed > newest:
        return Why(Reason.NO_WEBHOOK, "contact details")
    return Why(Reason.UNEXPLAINED)


def _of_subscriptions(row: Subscriber, theirs: Theirs) -> Why:
    unknown = [each for id_, each in theirs.subscriptions.items() if id_ not in row.subscriptions]
    newer = [
        each
        for id_, each in theirs.subscriptions.items()
        if id_ in row.subscriptions and each.updated > row.subscriptions[id_].key.updated
    ]
    if unknown and not (row.complete or row.stated):
        return Why(Reason.INCOMPLETE)
    if unknown:
        return Why(Reason.NO_WEBHOOK, "a subscription that no event told of")
    return Why(Reason.UNHEARD) if newer else Why(Reason.UNEXPLAINED)
