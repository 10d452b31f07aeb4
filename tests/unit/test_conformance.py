"""What every destination owes its vendor, whichever it is: its rules are read, not repeated here.

A destination that is added is held to this by being in `DESTINATIONS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest
from msgspec.structs import replace

from streams.destinations import DESTINATIONS
from streams.model.delivery import Options, Part, Refusal
from streams.model.ids import delivery_id
from streams.model.rules import Demand, Sight, nested
from tests.support.destination_tables import samples
from tests.support.enriched import AT, KNOWN, NOBODY, bare
from tests.support.golden import FOLDER
from tests.support.rule_limits import cases
from tests.support.told import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.model.enriched import EnrichedEvent

SECRET = "pk_live_1f3870be274f6c49"
REACHABLE = replace(KNOWN, phone_number="+13125550148")
"""Somebody of whom only this is known, by which any vendor finds them."""
FIELDS = Options(contact_fields={"status": "51001"}, client_user_id=True)
"""Options with which a destination says all that it can."""
BULK = replace(FIELDS, bulk=True, bulk_profiles=True)
"""The same, for what starts no flow anyway."""
ALL = sorted(DESTINATIONS)
PRINTED_NULLS = ("entitlement_summaries", "profile.data.attributes.properties.Okendo")
"""Klaviyo's page prints entitlements with every key, None where nothing is known; and null is how a
property of a profile is cleared there."""


class Sent(NamedTuple):
    """A request for an event of the samples."""

    destination: str
    event: EnrichedEvent
    part: Part

    @property
    def rows(self) -> str:
        """The name under which its demands stand."""
        return self.part.request.kind

    @property
    def judged(self) -> Any:
        """What the demands look at."""
        return DESTINATIONS[self.destination].rules.sight(self.part.request.body, AT, AT).body


def sent(name: str) -> Iterator[Sent]:
    """Every request for the samples' events, and for the same in bulk, where a vendor has that."""
    for event in samples(name).values():
        for part in parts(DESTINATIONS[name], event, FIELDS):
            yield Sent(name, event, part)
        old = replace(event, late=True)
        for made in DESTINATIONS[name].render(old, _id(name, event), event.occurred_at, BULK):
            if isinstance(made, Part):
                yield Sent(name, old, made)


def _id(name: str, event: EnrichedEvent) -> str:
    return delivery_id(event.event_id, event.type, name)


def example(name: str, rows: str) -> Any:
    """The richest body of a kind of request."""
    bodies = [each.judged for each in sent(name) if each.rows == rows]
    assert bodies, f"no sample makes a request that {name}'s rules call {rows}"
    return max(bodies, key=lambda body: len(msgspec.json.encode(body)))


ROWS = [
    pytest.param(name, rows, demand, id=f"{name} {rows} {place} {demand.reason}")
    for name in ALL
    for rows, demands in DESTINATIONS[name].rules.demands.items()
    for place, demand in enumerate(demands)
]


@pytest.mark.parametrize("name", ALL)
def test_every_event_that_it_takes_has_a_sample_and_a_golden(name: str) -> None:
    """So that whatever goes out was once read by a person."""
    read = set(msgspec.json.decode((FOLDER / f"{name}.json").read_bytes()))
    for events in msgspec.json.decode((FOLDER / "loyalty.json").read_bytes()).values():
        read |= {event_type for event_type, vendors in events.items() if name in vendors}

    assert DESTINATIONS[name].takes <= samples(name).keys()
    assert DESTINATIONS[name].takes <= read


@pytest.mark.parametrize("name", ALL)
def test_every_request_keeps_the_rules(name: str) -> None:
    """The samples' events, with everything that they can say."""
    rules = DESTINATIONS[name].rules
    for each in sent(name):
        at = each.event.occurred_at

        assert rules.broken(each.rows, each.part.request.body, at, at) is None, each.event.type


@pytest.mark.parametrize("name", ALL)
def test_every_endpoint_has_rules_and_a_rate(name: str) -> None:
    """And each batch its size."""
    rules = DESTINATIONS[name].rules
    kinds = {(each.part.request.endpoint, each.rows) for each in sent(name)}
    framed = {each.part.request.frame.batch for each in sent(name) if each.part.request.frame}

    assert {endpoint for endpoint, _ in kinds} == {each.endpoint for each in rules.limits}, (
        "each endpoint of the requests has a Limit, and no other has one"
    )
    assert {rows for _, rows in kinds} == set(rules.demands), (
        "each kind of request has demands, under its frame's batch or else its endpoint"
    )
    assert framed == {each.name for each in rules.batches}, "each frame's batch has a Batch"


@pytest.mark.parametrize(("name", "rows", "demand"), ROWS)
def test_a_rule_lets_pass_what_is_at_its_limit_and_nothing_beyond(
    name: str, rows: str, demand: Demand
) -> None:
    """Sizes, counts and characters: at the limit it is sent, one further it is refused."""
    body = example(name, rows)
    tried = cases(demand, body)
    for case in tried:
        sight = Sight(case.body, len(msgspec.json.encode(case.body)), AT - case.age, AT)
        assert case.passes == (demand.broken(sight) is None), case.body
    assert {True, False} == {case.passes for case in tried}


@pytest.mark.parametrize("name", ALL)
def test_a_body_is_the_same_each_time(name: str) -> None:
    """Nothing in it depends on when, or how often, it was made; a retry is the same request."""
    assert [each.part for each in sent(name)] == [each.part for each in sent(name)]


@pytest.mark.parametrize("name", ALL)
def test_an_events_id_is_the_deliverys(name: str) -> None:
    """What the vendor knows a repetition by: the delivery's id, or what the event is about."""
    for each in sent(name):
        part = each.part
        if part.name == "event" and part.thing is None:
            first, second = (
                msgspec.json.encode(found.request.body)
                for id_ in ("11111111", "22222222")
                for found in DESTINATIONS[name].render(each.event, id_, AT, BULK)
                if isinstance(found, Part) and found.name == "event"
            )

            assert first != second
            assert first == second.replace(b"22222222", b"11111111")


@pytest.mark.parametrize("name", ALL)
def test_no_secret_is_in_a_request(name: str) -> None:
    """Credentials are headers, added where it is sent."""
    assert SECRET not in repr([each.part for each in sent(name)])
    assert {SECRET} != set(DESTINATIONS[name].authorize(SECRET))
    assert DESTINATIONS[name].authorize(SECRET) != DESTINATIONS[name].authorize("other")


@pytest.mark.parametrize("name", ALL)
def test_what_nobody_knows_is_left_out(name: str) -> None:
    """Never null, never an empty text: of everything, and of next to nothing."""
    destination = DESTINATIONS[name]
    bodies = [each.part.request.body for each in sent(name)]
    for event_type in destination.takes:
        made = destination.render(bare(event_type, REACHABLE), "11111111", AT, FIELDS)
        bodies += [each.request.body for each in made if isinstance(each, Part)]
        refused = {each.reason for each in made if isinstance(each, Refusal)}

        assert refused <= {"missing_field"}, event_type
    for body in bodies:
        for path, value in nested(body, ""):
            if any(each in path for each in PRINTED_NULLS):
                continue
            assert value is not None, path
            assert value != "", path


@pytest.mark.parametrize("name", ALL)
def test_nobody_is_ever_asked_for(name: str) -> None:
    """Without any identifier every part is a refusal that names a field, or is not made at all."""
    destination = DESTINATIONS[name]
    nobody = replace(NOBODY, status="active")
    for event_type in destination.takes:
        event = replace(bare(event_type, nobody), customer_id="")
        for part in destination.render(event, "11111111", AT, FIELDS):
            assert not isinstance(part, Part), (event_type, part)
            assert part.field is not None


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("of", ["email", "phone_number", "customer_id"])
def test_an_identifier_has_a_length(name: str, of: str) -> None:
    """At its limit it is sent, one further it is left out."""
    identifiers = [each for each in DESTINATIONS[name].rules.identifiers if each.of == of]
    for each in identifiers:
        if each.form == "email":
            host = "@shop-demo.io"
            fits, long = (
                "n" * (size - len(host)) + host for size in (each.longest, each.longest + 1)
            )
        elif each.form == "text":
            fits, long = "c" * each.longest, "c" * (each.longest + 1)
        else:
            digits = each.longest - (each.form == "e164")
            fits, long = "+" + "2" * digits, "+" + "2" * (digits + 1)

        assert each.good(fits) in {fits, fits[1:]}
        assert each.good(long) is None
        assert each.good("") is None
        assert each.good(None) is None
