"""Which runs mean the same, and that a delivery is picked once however often it lies there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from msgspec.structs import replace

from streams.errors import BadRecord
from streams.replay.runs import Run
from streams.replay.selection import Selection
from streams.replay.survey import Picker
from tests.support.enriched import KNOWN, bare
from tests.support.kafka_record import Record

if TYPE_CHECKING:
    from confluent_kafka import Message

    from streams.model.enriched import EnrichedEvent

HOUR = 3_600_000
NOW = 1_790_000_000_000
CUT_SHORT = Run(
    id="r1",
    connection="attentive",
    source="attentive",
    mode="trigger",
    selection=Selection(since=NOW - 48 * HOUR, types=frozenset({"order.success"})),
    starts={0: 100, 1: 40},
    ends={0: 500, 1: 90},
    low={0: 0, 1: 0},
    begun_at=NOW,
)


@pytest.mark.parametrize(
    ("same", "other"),
    [
        pytest.param(True, {}, id="the same"),
        pytest.param(
            True,
            {
                "selection": replace(CUT_SHORT.selection, since=NOW - 47 * HOUR),
                "starts": {0: 130, 1: 41},
                "ends": {0: 520, 1: 95},
            },
            id="since 48h, an hour later",
        ),
        pytest.param(True, {"starts": {1: 89, 2: 0}, "ends": {1: 200, 2: 9}}, id="one is in both"),
        pytest.param(
            False,
            {"starts": {0: 500, 1: 90, 2: 0}, "ends": {0: 900, 1: 130, 2: 9}},
            id="what came later",
        ),
        pytest.param(False, {"mode": "fill"}, id="another mode"),
        pytest.param(False, {"new_ids": "autumn"}, id="other ids"),
        pytest.param(False, {"connection": "ometria"}, id="to somebody else"),
        pytest.param(False, {"source": "ometria"}, id="of somebody else"),
        pytest.param(False, {"selection": Selection()}, id="other event types"),
    ],
)
def test_a_run_is_known_again(same: bool, other: dict[str, Any]) -> None:
    """By what it is of, and by the deliveries themselves; not by when a command was given."""
    again = replace(CUT_SHORT, id="r2", **other)

    assert same == CUT_SHORT.means(again) == again.means(CUT_SHORT)


def picker(erased: str = "") -> Picker:
    """Picks all that can be read, and is nobody's who was erased."""

    def decode(value: bytes) -> EnrichedEvent:
        kind, customer, id_ = msgspec.json.decode(value)
        if not kind:
            raise BadRecord("malformed", "", "not an event")
        return replace(bare(kind, KNOWN), event_id=id_, customer_id=customer)

    return Picker(decode, Selection(), lambda _: "", lambda _m, customer, _at: customer == erased)


def lying(kind: str, customer: str = "c1", id_: str = "e1") -> Message:
    """A record of the delivery topic."""
    return cast("Message", Record(b"m:c", msgspec.json.encode((kind, customer, id_)), NOW))


def test_copies_are_left_out() -> None:
    """A letter that was redriven lies there twice; other events with its id are others."""
    found = picker("gone")
    told = [
        lying("order.success"),
        lying("order.cancel"),
        lying("order.success", "c2"),
        lying("order.success", id_="e2"),
        lying("order.success"),
        lying(""),
        lying("order.success", "gone"),
        lying("order.success", "gone"),
    ]
    found.begin()
    picked = [found.pick(each) is not None for each in told]

    assert [True] * 4 + [False] * 4 == picked
    assert (1, 1, 2) == (found.copies, found.unreadable, found.erased)


def test_who_reads_again_picks_the_same() -> None:
    """A run that goes on reads its partition from the beginning."""
    found = picker()
    for _ in range(2):
        found.begin()

        assert [True, False] == [found.pick(lying("order.success")) is not None for _ in range(2)]
