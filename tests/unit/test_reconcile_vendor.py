"""Rows beside a simulated vendor, over real sockets: politely, twice where they differ, and why."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import json

from streams.delivery.http import Http
from streams.delivery.limits import Limiter
from streams.delivery.retry import Schedule
from streams.destinations import DESTINATIONS
from streams.errors import ConfigurationError
from streams.families import MEMBERS, SUBSCRIBERS
from streams.model.delivery import Options as Choices
from streams.model.member import Loyalty, Member, encode_member
from streams.model.row_bytes import encode_row
from streams.model.subscriber import Subscriber
from streams.reconcile.asking import Asker, Manners, VendorAway
from streams.reconcile.at_vendor import Comparison, Terms
from streams.reconcile.attentive import ATTENTIVE
from streams.reconcile.comparing import Difference
from streams.reconcile.klaviyo import KLAVIYO
from streams.reconcile.reasons import Reason, Signs
from streams.reconcile.telling import customer_of, profile_event, profile_part
from streams.simulators import SIMULATORS, Options
from streams.simulators.changes import Change
from streams.simulators.faults import Fault
from tests.support.reconciled import STATUS, email, key, phone, row, status
from tests.support.webhooks import MERCHANT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from streams.reconcile.comparing import ReadBack
    from streams.simulators.server import Simulator

READ_BACKS: Mapping[str, ReadBack] = {"klaviyo": KLAVIYO, "attentive": ATTENTIVE}
AUTHORIZATION = {"klaviyo": "Klaviyo-API-Key pk_test", "attentive": "Bearer tok"}
KLAVIYO_ = DESTINATIONS["klaviyo"]
AGAIN = Schedule(base=0.001, cap=0.01)


def rows(*numbers: int) -> dict[bytes, bytes]:
    """The rows of these customers."""
    return {key(n).encode(): encode_row(row(n)) for n in numbers}


class World:
    """A vendor who was told of customers, and a comparison with it."""

    def __init__(self, vendor: str, simulator: Simulator, asker: Asker, **terms: Any) -> None:
        self.vendor = vendor
        self.simulator = simulator
        self.asker = asker
        told: dict[str, Any] = {
            "family": SUBSCRIBERS,
            "destination": DESTINATIONS[vendor],
            "options": Choices(),
            "merchants": None,
            "readback": READ_BACKS[vendor],
            "hides": lambda *_: False,
        }
        self.comparison = Comparison(Terms(**(told | terms)), asker)

    @property
    def found(self) -> dict[str, tuple[Difference, ...]]:
        """Who differs now, by key."""
        suspects = self.comparison.suspects.items()
        return {name.decode(): each.differences for name, each in suspects}

    def change(self, number: int, **told: Any) -> None:
        """Change somebody there."""
        self.simulator.change([Change({"email": email(number)}, **told)])


@asynccontextmanager
async def world(
    vendor: str, people: int, patience: float = 60.0, limits: float | None = None, **terms: Any
) -> AsyncIterator[World]:
    """A vendor that has so many of the shop's customers as they are."""
    options = Options(limits=limits)
    async with SIMULATORS[vendor](options) as simulator:
        http = Http(simulator.url, {"authorization": AUTHORIZATION[vendor]}, concurrency=4)
        for n in range(people):
            customer = customer_of(key(n).encode(), encode_row(row(n)), SUBSCRIBERS)
            event = profile_event(customer, SUBSCRIBERS)
            part = profile_part(DESTINATIONS[vendor], event, Choices())
            if part is not None:
                answer = await http.send(part.request, json.encode(part.request.body))
                assert answer.status in {200, 201}
        readback = READ_BACKS[vendor]
        limiter = Limiter(readback.limits, factor=limits, safety=0.955, clock=monotonic)
        manners = Manners(limiter, AGAIN, lambda: 0.5, patience)
        async with Asker(vendor, DESTINATIONS[vendor], readback, http, manners) as asker:
            yield World(vendor, simulator, asker, **terms)


@pytest.mark.parametrize("vendor", ["klaviyo", "attentive"])
def test_nothing_differs_where_nothing_was_changed(vendor: str) -> None:
    """Everybody who can be told of is compared; calls are as few as the vendor allows."""

    async def story() -> tuple[Any, int, dict[str, Any]]:
        async with world(vendor, 120) as there:
            await there.comparison.look(rows(*range(120)))
            return there.comparison.findings, there.asker.calls, there.found

    findings, calls, found = asyncio.run(story())
    told = [n for n in range(120) if vendor == "klaviyo" or status(n) is not None]

    assert {} == found
    assert (120, len(told), 120 - len(told)) == (
        findings.rows,
        findings.compared,
        findings.unaddressed,
    )
    assert calls == (3 if vendor == "klaviyo" else len(told))


def test_each_field_that_differs() -> None:
    """Ours and theirs by the vendor's own names; an empty field of ours is nobody's difference."""

    async def story() -> dict[str, tuple[Difference, ...]]:
        async with world("klaviyo", 8) as there:
            there.change(0, set={"first_name": "Somebody"}, properties={STATUS: "inactive"})
            there.change(1, set={"email": "new@shop-demo.io"})
            there.change(2, gone=True)
            there.change(3, properties={"Favourite": "Oats"})
            there.change(4, set={"email": email(4).upper(), "phone_number": None})
            await there.comparison.look(rows(*range(8)))
            return there.found

    assert {
        key(0): (
            Difference("first_name", "Noor0", "Somebody"),
            Difference(STATUS, "active", "inactive"),
        ),
        key(1): (Difference("email", email(1), "new@shop-demo.io"),),
        key(2): (Difference("person", "known", None),),
        key(4): (Difference("phone_number", phone(4), None),),
    } == asyncio.run(story())


@pytest.mark.parametrize("vendor", ["klaviyo", "attentive"])
def test_a_difference_is_looked_at_once_more(vendor: str) -> None:
    """A row that changed since it was read is read again, and so is the vendor: then they agree."""

    async def story() -> tuple[int, dict[str, Any], int]:
        async with world(vendor, 8) as there:
            for n in (0, 1, 2, 4):
                there.change(
                    n, properties={STATUS: "inactive" if status(n) == "active" else "active"}
                )
            await there.comparison.look(rows(*range(8)))
            first = len(there.found)
            there.change(2, properties={STATUS: status(2)})

            def newer(_: Any) -> dict[bytes, bytes | None]:
                return {key(0).encode(): encode_row(row(1)), key(4).encode(): None}

            # the row of 0 says now what 1 does, whom the vendor finds under another address
            await there.comparison.look_again(newer)
            return first, there.found, there.comparison.findings.settled

    first, found, settled = asyncio.run(story())

    assert 4 == first
    assert {key(0), key(1)} == found.keys()
    assert 2 == settled


def test_only_whom_the_connection_serves_and_nobody_erased() -> None:
    """Rows of other merchants, of the erased, and of another version are counted, and not asked."""
    hidden = {key(2)}

    async def story() -> Any:
        terms: dict[str, Any] = {
            "merchants": frozenset({MERCHANT}),
            "hides": lambda merchant, customer, _: f"{merchant}:{customer}" in hidden,
        }
        async with world("klaviyo", 0, **terms) as there:
            some = rows(1, 2) | {b"other:1": encode_row(row(1)), b"m:2": b"\xc1"}
            nobody = {f"{MERCHANT}:x".encode(): encode_row(Subscriber(1))}
            await there.comparison.look(some | nobody)
            return there.comparison.findings, there.found

    findings, found = asyncio.run(story())

    assert (5, 1, 1, 1, 1, 1) == (
        findings.rows,
        findings.compared,
        findings.elsewhere,
        findings.erased,
        findings.unreadable,
        findings.unaddressed,
    )
    assert {key(1)} == found.keys()


def test_somebody_else_there_has_the_identifier() -> None:
    """Their phone differs because another profile has ours: sending it again would not help."""

    async def story() -> list[Any]:
        async with world("klaviyo", 3) as there:
            there.change(0, set={"phone_number": None})
            there.change(1, set={"phone_number": phone(0)})
            await there.comparison.look(rows(0))
            assert list(there.found) == [key(0)]
            applied = there.comparison.suspects[key(0).encode()].subject.version
            found = await there.comparison.conclude({key(0).encode(): Signs(applied=applied)})
            return found.drifts

    [drift] = asyncio.run(story())

    assert Reason.TAKEN == drift.why.reason


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="status", status=429, retry_after=1, count=1),
        Fault(kind="status", status=429, count=2),
        Fault(kind="status", status=503, count=3),
        Fault(kind="reset", count=2),
    ],
    ids=["429 with Retry-After", "429 without", "503", "broken off"],
)
def test_what_passes_is_waited_for(fault: Fault) -> None:
    """A refusal that is about the moment is asked again, and the answer is the same."""

    async def story() -> tuple[dict[str, Any], int]:
        async with world("klaviyo", 4) as there:
            there.change(0, gone=True)
            there.simulator.set_faults((fault,))
            await there.comparison.look(rows(*range(4)))
            return there.found, there.asker.calls

    found, calls = asyncio.run(story())

    assert {key(0)} == found.keys()
    assert calls > (fault.count or 0)


@pytest.mark.parametrize("vendor", ["klaviyo", "attentive"])
@pytest.mark.parametrize("code", [401, 403])
def test_credentials_that_may_not_read(vendor: str, code: int) -> None:
    """It ends, and says which setting it is and what the key must allow."""

    async def story() -> None:
        async with world(vendor, 2) as there:
            there.simulator.set_faults((Fault(kind="status", status=code),))
            await there.comparison.look(rows(0, 1))

    with pytest.raises(ConfigurationError) as raised:
        asyncio.run(story())

    assert f"connections.{vendor}.credentials" in str(raised.value)
    assert READ_BACKS[vendor].scope in str(raised.value)


@pytest.mark.parametrize("code", [503, 400])
def test_a_vendor_who_does_not_answer(code: int) -> None:
    """Nobody is reported as missing where nothing was answered."""

    async def story() -> None:
        async with world("klaviyo", 2, patience=0.05) as there:
            there.simulator.set_faults((Fault(kind="status", status=code),))
            await there.comparison.look(rows(0, 1))

    with pytest.raises(VendorAway):
        asyncio.run(story())


def test_the_limits_are_kept() -> None:
    """At a share of the vendor's rates nothing is refused."""

    async def story() -> list[int | None]:
        async with world("klaviyo", 0, limits=0.2) as there:
            await there.comparison.look(rows(*range(600)))
            return [each.status for each in there.simulator.received]

    statuses = asyncio.run(story())

    assert {200} == set(statuses)
    assert len(statuses) >= 24


def test_a_member_of_the_loyalty_programme() -> None:
    """The other table: properties of the programme, and what no longer holds must not be there."""
    member = Member(
        version=4,
        loyalty=Loyalty(status="enrolled", tier="Gold", balance="120"),
        own_email="noor@shop-demo.io",
        told=("status", "tier", "balance", "next_birthday"),
    )
    rows_of_members = {b"shop-demo:c9": encode_member(member)}

    async def story() -> list[dict[str, tuple[Difference, ...]]]:
        async with world("klaviyo", 0, family=MEMBERS) as there:
            customer = customer_of(b"shop-demo:c9", encode_member(member), MEMBERS)
            part = profile_part(KLAVIYO_, profile_event(customer, MEMBERS), Choices())
            assert part is not None
            await there.asker._http.send(part.request, json.encode(part.request.body))
            await there.comparison.look(rows_of_members)
            first = there.found
            told = part.request.body["data"]["attributes"]["properties"]
            tier = next(name for name, value in told.items() if value == "Gold")
            birthday = next(name for name, value in told.items() if value is None)
            names.extend([tier, birthday])
            who = {"email": "noor@shop-demo.io"}
            there.simulator.change([Change(who, properties={tier: "Silver", birthday: "x"})])
            await there.comparison.look(rows_of_members)
            return [first, there.found]

    names: list[str] = []
    first, second = asyncio.run(story())
    tier, birthday = names

    assert {} == first
    assert {
        Difference(tier, "Gold", "Silver"),
        Difference(birthday, None, "x"),
    } == set(second["shop-demo:c9"])
