"""Any order and any repetition of a member's webhooks comes to the same row and the same facts.

The member lives a life: enrols, changes tiers, is blocked, leaves, comes back, earns, spends. Its
webhooks are composed in order, then shuffled, repeated and told under other message ids. Dates are
told, as facts are known by them; sequence numbers count through all kinds, as Okendo's may. One
thing is drawn never, and the last test says how far it goes: a tier that is entered anew under
another date.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.model.member import Member, member_view
from tests.support.okendo import (
    ADJUSTMENT,
    DAY,
    EARNING,
    REDEMPTION,
    START,
    TIERS,
    Driver,
    deletion,
    iso,
    member,
    of_tier,
    transaction,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.sources.okendo import Webhook

PROPERTY = settings(max_examples=300, derandomize=True, deadline=None)
MEMBERS = ("enrol", "leave", "block", "tier", "tier", "balance", "silence")
POINTS = ("pending", "complete", "refund", "delete", "spend")
ACTS = st.sampled_from(MEMBERS + POINTS)
Told = set[tuple[str, str]]


class Life(NamedTuple):
    """A member as its webhooks are composed."""

    webhooks: list[Webhook]
    awards: list[str]


def composed(acts: Sequence[str], numbers: Sequence[int]) -> list[Webhook]:
    """The webhooks of a life, in order; `numbers` choose among tiers and awards."""
    life = Life([], [])
    said: dict[str, Any] = {"status": "pending", "points": {"balance": 0}}
    for nth, (act, number) in enumerate(zip(acts, numbers, strict=True), 8):
        day = START - 80 * DAY + nth * DAY
        if act in POINTS:
            life.webhooks.append(_transaction(life, act, nth, number, day))
            continue
        said |= _said(act, said, number, nth, day)
        more = {name: value for name, value in said.items() if name != "status"}
        life.webhooks.append(member(said["status"], nth, **more))
    return life.webhooks


def _said(act: str, said: dict[str, Any], number: int, nth: int, day: int) -> dict[str, Any]:
    """What an act changes of what is said of the member."""
    if act == "enrol" and said["status"] == "pending":
        return {"status": "enrolled", "dateEnrolled": iso(day), **_tier(None, day)}
    if act == "enrol":
        return {"status": "enrolled" if "dateEnrolled" in said else "pending"}
    if act == "leave":
        return {"status": "pending"}
    if act == "block":
        return {"status": "blocked"}
    if act == "tier" and said["status"] == "enrolled":
        others = [each for each in (*TIERS, None) if each != said["vipTierName"]]
        return _tier(others[number % len(others)], day)
    return {
        "points": {"balance": nth},
        "customer": None if act == "silence" else {"email": "n@x.io"},
    }


def _tier(tier: str | None, day: int) -> dict[str, Any]:
    return {"vipTierName": tier, "dateTierEntered": iso(day)}


def _transaction(life: Life, act: str, nth: int, number: int, day: int) -> Webhook:
    if act == "spend" or not life.awards:
        life.awards.append(f"t{nth}")
        kind = [EARNING, REDEMPTION, ADJUSTMENT][number % 3] if act == "spend" else EARNING
        status = "pending" if act == "pending" else "complete"
        return transaction(kind, f"t{nth}", nth, date=iso(day), status=status)
    id_ = life.awards[number % len(life.awards)]
    first = next(each.body for each in life.webhooks if f'"{id_}"'.encode() in each.body)
    resource = msgspec.json.decode(first)["resourceType"]
    if act == "delete":
        return deletion(resource, id_, nth)
    status = {"complete": "complete", "refund": "cancelled", "pending": "pending"}[act]
    return transaction(resource, id_, nth, "update", date=iso(day), status=status)


LIVES = st.lists(st.tuples(ACTS, st.integers(0, 11)), min_size=1, max_size=12).map(
    lambda told: composed([act for act, _ in told], [number for _, number in told])
)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Webhook], list[Webhook]]:
    """A life in order, and as it arrives: shuffled, repeated, under other message ids."""
    life = draw(LIVES)
    again = draw(st.lists(st.sampled_from(life), max_size=6))
    renamed = [
        msgspec.structs.replace(each, headers={"svix-id": f"msg_{nth}"})
        for nth, each in enumerate(draw(st.lists(st.sampled_from(life), max_size=3)))
    ]
    return life, draw(st.permutations([*life, *again, *renamed]))


def run(webhooks: Sequence[Webhook]) -> tuple[Member, Told, list[str]]:
    """The row at the end, the facts, and the ids in the order in which they were told."""
    driver = Driver()
    facts = [
        each.fact
        for nth, webhook in enumerate(webhooks)
        for each in driver.feed(webhook, START + nth).told
        if each.fact.type != "profile.changed"
    ]
    told = {(fact.type, fact.event_id) for fact in facts}
    return driver.row(), told, [fact.event_id for fact in facts]


def state(row: Member) -> Any:
    """All that a row says, without when it heard of it and what it keeps of the past.

    A spell that is cut in two forgets which records lay inside; dated facts do not need them.
    """
    return (
        row.loyalty,
        row.sequence,
        row.email,
        member_view(row),
        {id_: (each.sequence, each.status, each.told) for id_, each in row.transactions.items()},
    )


@PROPERTY
@given(arrivals())
def test_the_order_of_arrival_does_not_matter(
    arrival: tuple[list[Webhook], list[Webhook]],
) -> None:
    """The final row and the set of event ids are those of the life in order, once each."""
    (row, told, _), (shuffled, again, _) = map(run, arrival)

    assert state(row) == state(shuffled)
    assert told == again


@PROPERTY
@given(arrivals())
def test_every_fact_is_told_once(arrival: tuple[list[Webhook], list[Webhook]]) -> None:
    """However often a webhook comes, no id is told twice."""
    _, told, ids = run(arrival[1])

    assert len(told) == len(ids)


@PROPERTY
@given(LIVES)
def test_a_life_in_order_is_told_as_it_happened(life: list[Webhook]) -> None:
    """In order nothing is late, and what is told is what the statuses and tiers in a row say."""
    driver = Driver()
    facts = [each.fact for webhook in life for each in driver.feed(webhook).told]

    assert not [fact for fact in facts if fact.late or fact.withheld]
    assert _enrolments(life) == len([f for f in facts if f.type == "loyalty.enrolled"])
    assert _tier_changes(life) == len([f for f in facts if f.type == "loyalty.tier_changed"])


def _resources(life: list[Webhook]) -> list[dict[str, Any]]:
    bodies = [msgspec.json.decode(each.body) for each in life]
    return [each["resource"] for each in bodies if each["resourceType"] == "loyalty_customer"]


def _enrolments(life: list[Webhook]) -> int:
    """Dates on which the member enrolled."""
    return len({each["dateEnrolled"] for each in _resources(life) if each["status"] == "enrolled"})


def _tier_changes(life: list[Webhook]) -> int:
    """Enrolled records of one enrolment whose tier differs from that of the one before."""
    enrolled = [each for each in _resources(life) if each["status"] == "enrolled"]
    return sum(
        now.get("vipTierName") != before.get("vipTierName")
        and now["dateEnrolled"] == before["dateEnrolled"]
        for before, now in pairwise(enrolled)
    )


def test_what_is_left_to_arrival() -> None:
    """A tier's second year overtakes its first: the change is told, and once more as data only.

    When the second year's record comes, nobody can know that the first year's has another date.
    """
    silver, gold, renewed = (
        of_tier(tier, START - age * DAY, sequence)
        for tier, age, sequence in (("Silver", 500, 1), ("Gold", 400, 2), ("Gold", 35, 3))
    )
    driver = Driver()
    facts = [each.fact for each in _told(driver, [silver, renewed, gold])]

    assert [("loyalty.enrolled", False), *[("loyalty.tier_changed", late) for late in (0, 1)]] == [
        (fact.type, fact.late) for fact in facts
    ]


def _told(driver: Driver, webhooks: Sequence[Webhook]) -> list[Any]:
    return [
        each
        for webhook in webhooks
        for each in driver.feed(webhook).told
        if each.fact.type != "profile.changed"
    ]
