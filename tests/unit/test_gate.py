"""Who may go, by mode, and what was decided about those that waited: `streams.delivery.gate`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.structs import replace
from typing_extensions import override

from streams.delivery.gate import Decision, Gate, share_of
from streams.delivery.pending import Delivery
from streams.model.delivery import Options, Outcome, Part, Refusal
from tests.support import delivery as staging
from tests.support.delivery import Stage, tell
from tests.support.delivery_vendor import Vendor, event

if TYPE_CHECKING:
    from streams.delivery.gate import How
    from streams.model.enriched import EnrichedEvent

MANY = [f"5b1e9c0a:c{number}" for number in range(4_000)]


@pytest.mark.parametrize(
    ("gate", "kept"),
    [
        (Gate(), {"m1:ann": "shadow", "m1:bob": "shadow"}),
        (Gate(mode="off"), {"m1:ann": "shadow", "m1:bob": "shadow"}),
        (
            Gate(mode="allowlist", allowlist=frozenset({"m1:ann"})),
            {"m1:ann": None, "m1:bob": "allowlist"},
        ),
        (Gate(mode="allowlist"), {"m1:ann": "allowlist", "m1:bob": "allowlist"}),
        (Gate(mode="live"), {"m1:ann": None, "m1:bob": None}),
        (
            Gate(mode="live", percentage=0, allowlist=frozenset({"m1:ann"})),
            {"m1:ann": None, "m1:bob": "percentage"},
        ),
    ],
    ids=["shadow", "off", "allowlist", "an empty one", "live", "live for those named"],
)
def test_who_goes(gate: Gate, kept: dict[str, str | None]) -> None:
    """Nobody, those named, or all; who is kept has a reason."""
    assert kept == {customer: gate.keeps(customer) for customer in kept}


def test_a_percentage_only_grows() -> None:
    """Who goes at one percentage goes at every higher one; about as many go as it says."""
    served = [
        {each for each in MANY if Gate(mode="live", percentage=share).keeps(each) is None}
        for share in (0, 0.5, 10, 50, 99, 100)
    ]

    assert all(fewer < more for fewer, more in pairwise(served))
    assert (0, len(MANY)) == (len(served[0]), len(served[-1]))
    assert [10, 50] == [round(100 * len(served[n]) / len(MANY), -1) for n in (2, 3)]


def test_a_share_is_forever() -> None:
    """It is of the key alone: another machine or version serves the same people."""
    assert (44.79, 23.09) == (share_of("m1:ann"), share_of("m1:bob"))


def test_a_decision_touches_nothing_newer() -> None:
    """Nor what was read before: it begins and ends at its offsets, and speaks of one topic."""
    gate = Gate(decision=Decision("skip", "deliveries", {0: 3, 2: 0}, {0: 5, 2: 1}))

    assert ["deliver", "skip", "deliver", "deliver", "skip", "deliver"] == [
        gate.decided("deliveries", 0, 2),
        gate.decided("deliveries", 0, 4),
        gate.decided("deliveries", 0, 5),
        gate.decided("deliveries", 1, 0),
        gate.decided("deliveries", 2, 0),
        gate.decided("deliveries.low", 0, 4),
    ]


def people(*customers: str) -> list[EnrichedEvent]:
    """An event of each."""
    return [event(customer=each) for each in customers]


def deliver(*events: EnrichedEvent, decision: Decision | None = None, **connection: Any) -> Stage:
    """Let a connection deliver these; the stage as it was left."""

    async def story(stage: Stage) -> None:
        renderer = stage.handler._sender._renderer
        renderer.gate = replace(renderer.gate, decision=decision)
        await stage.feed(*events)
        await stage.until_offset(len(events))

    return tell(story, **connection)


@pytest.mark.parametrize(
    ("connection", "reason"),
    [
        ({"mode": "shadow"}, "shadow"),
        ({"mode": "allowlist", "allowlist": frozenset({"m1:c2"})}, "allowlist"),
        ({"mode": "live", "percentage": 0, "allowlist": frozenset({"m1:c2"})}, "percentage"),
    ],
)
def test_who_is_kept_is_recorded(connection: dict[str, Any], reason: str) -> None:
    """Nothing is sent, the outcome says why, with the request that would have gone."""
    stage = deliver(*people("c1", "c2"), **connection)
    filtered = [each for each in stage.outcomes("reason") if each[2] == Outcome.FILTERED]
    everybody = [] if reason == "shadow" else ["c2-1"]

    assert everybody == stage.server.events
    assert ("c1-1", "event", "filtered", reason) in filtered
    assert 2 - len(everybody) == len(filtered)
    assert all(each.value["request_digest"] for each in stage.of("outcomes"))


def test_an_unwanted_event_leaves_its_profile() -> None:
    """The event is recorded as not chosen; the profile that it brought goes alone."""
    stage = deliver(
        event("with_profile", number=1), event("both", number=2), mode="live",
        events=frozenset({"both"}),
    )  # fmt: skip

    assert [
        ("c1-1", "event", "filtered", "option"),
        ("c1-1", "profile", "delivered", None),
        ("c1-2", "event", "delivered", None),
        ("c1-2", "profile", "delivered", None),
    ] == sorted(stage.outcomes("reason"))
    assert ["profiles", "events", "profiles"] == [each.endpoint for each in stage.server.seen]


def test_skipped_events_have_outcomes() -> None:
    """Every part is recorded as skipped, a broken one too, without a dead letter; later ones go."""
    events = [event("both", number=1), event("nobody", number=2), event("both", number=3)]
    skip = Decision("skip", "deliveries", {0: 0}, {0: 2})
    stage = deliver(*events, mode="live", decision=skip)

    assert [
        ("c1-1", "event", "filtered", "skipped"),
        ("c1-1", "profile", "filtered", "skipped"),
        ("c1-2", "event", "filtered", "skipped"),
        ("c1-3", "event", "delivered", None),
        ("c1-3", "profile", "delivered", None),
    ] == sorted(stage.outcomes("reason"))
    assert ([], ["c1-3", "c1-3"]) == (stage.dead_letters("reason"), stage.server.events)


class DataVendor(Vendor):
    """A vendor that takes late events, and starts no flow with them."""

    @override
    def render(
        self, event: EnrichedEvent, delivery_id: str, now: int, options: Options,
        *, superseded: bool = False,
    ) -> list[Part | Refusal]:  # fmt: skip
        """As always; a late event as data, if the connection wants that."""
        parts = super().render(event, delivery_id, now, options, superseded=superseded)
        data = event.late and options.late_events == "data"
        outcome = Outcome.DELIVERED_NO_TRIGGER if data else Outcome.DELIVERED
        return [replace(each, outcome=outcome) for each in parts]


def test_data_only_starts_no_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waited goes as late events do, even where those may start flows; what is newer fires."""
    monkeypatch.setattr(staging, "Vendor", DataVendor)
    decision = Decision("data_only", "deliveries", {0: 0}, {0: 1})
    stage = deliver(
        event(number=1), event(number=2), mode="live", decision=decision,
        options=Options(late_events="trigger"),
    )  # fmt: skip

    assert [
        ("c1-1", "event", "delivered_no_trigger"),
        ("c1-2", "event", "delivered"),
    ] == stage.outcomes()


def test_what_is_skipped_stands_for_nothing() -> None:
    """An event is superseded by a later one of the same thing only if that one goes."""
    waiting = [event("thing_7", number=1), event("thing_7", number=2)]

    async def story(stage: Stage) -> None:
        renderer = stage.handler._sender._renderer
        renderer.gate = replace(
            renderer.gate, decision=Decision("skip", "deliveries", {0: 0}, {0: 2})
        )
        found.extend(renderer.thing_of(each) for each in _deliveries(waiting))
        renderer.gate = replace(renderer.gate, decision=None)
        found.extend(renderer.thing_of(each) for each in _deliveries(waiting))

    found: list[str | None] = []
    tell(story, mode="live")

    assert [None, None, "7", "7"] == found


@pytest.mark.parametrize("how", ["skip", "data_only", "deliver"])
def test_what_is_rendered_can_go_by_another_gate(how: How, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waited for its turn when it was decided about: skipped, or data, after its attempts."""
    monkeypatch.setattr(staging, "Vendor", DataVendor)
    found: list[tuple[Outcome, int]] = []

    async def story(stage: Stage) -> None:
        renderer = stage.handler._sender._renderer
        [delivery] = _deliveries([event("both")])
        assert renderer.render(delivery)
        delivery.steps.popleft()  # the event has gone
        delivery.steps[0].attempts = 3
        renderer.gate = replace(renderer.gate, decision=Decision(how, "deliveries", {0: 0}, {0: 1}))
        renderer.renew(delivery)
        found.extend((each.accepted_as, each.attempts) for each in delivery.steps)
        stage.poller.epochs.clear()

    stage = tell(story, mode="live")
    sent = {"skip": [], "data_only": [("delivered_no_trigger", 3)], "deliver": [("delivered", 3)]}

    assert sent[how] == found
    assert ([("c1-1", "profile", "filtered")] if how == "skip" else []) == stage.outcomes()


def _deliveries(events: list[EnrichedEvent]) -> list[Any]:
    """Deliveries of partition 0 that are not rendered yet."""
    return [
        Delivery(
            sequence=n, topic="deliveries", partition=0, epoch=1, offset=n, timestamp=0,
            key=b"m1:c1", value=msgspec.json.encode(each), headers={},
        )
        for n, each in enumerate(events)
    ]  # fmt: skip
