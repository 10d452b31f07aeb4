"""What a replay would do, counted before anything is done: by mode, event type and outcome. Pure.

A delivery is judged as deliver will judge it, by the same functions (`delivery.replaying`), at the
time at which it will about be sent. What deliver remembers of a partition (profile versions, things
that were sent) is played along in the partition's order.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from streams.delivery.replaying import newest_enough, rendered_again, unwanted
from streams.model.delivery import Outcome, Part, Refusal
from streams.model.fact import PROFILE_CHANGED
from streams.model.ids import customer_key, delivery_id
from streams.model.replayed import Replayed
from streams.replay.prospects import ACCEPTED, Expected, Plan, Prospect
from streams.replay.selection import Profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from streams.delivery.gate import Gate
    from streams.model.delivery import Destination, Options
    from streams.model.enriched import EnrichedEvent, ProfileView
    from streams.model.replayed import Mode
    from streams.replay.pace import Pace
    from streams.replay.prospects import Told

_FAILED = Refusal("event", Outcome.REJECTED, "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan is made by.

    Attributes:
        connection: that the deliveries go to.
        destination: its vendor.
        options: of rendering.
        gate: who may go now.
        max_age: event type → how old it may be.
        modes: that are looked at.
        new_ids: the label of fresh ids.
        now: epoch milliseconds.
        pace: how fast it goes.
        partitions: that are sent from side by side.
        version_of: a profile's version as a number.
        hashes: of a body, by path.
        unpacked: packed hashes, by path.
    """

    connection: str
    destination: Destination
    options: Options
    gate: Gate
    max_age: Mapping[str, timedelta]
    modes: tuple[Mode, ...]
    new_ids: str | None
    now: int
    pace: Pace
    partitions: int
    version_of: Callable[[ProfileView], int]
    hashes: Callable[[Mapping[str, Any]], dict[str, bytes]]
    unpacked: Callable[[bytes], dict[str, bytes]]


class Planner:
    """Judges one connection's deliveries, partition by partition."""

    def __init__(self, terms: Terms) -> None:
        self.plan = Plan({mode: Prospect() for mode in terms.modes})
        self._terms = terms
        self._lanes: dict[Mode, _Lane] = {}
        self._told: Mapping[bytes, Told] = {}
        self._versions: Mapping[bytes, int] = {}

    def begin(self, versions: Mapping[bytes, int], told: Mapping[bytes, Told]) -> None:
        """Go on with another partition.

        Args:
            versions: customer's key → the profile version that the vendor has.
            told: delivery id (`id_bytes`) → what its outcomes tell.
        """
        self.end()
        self._versions, self._told = versions, told
        self._lanes = {mode: _Lane() for mode in self._terms.modes}

    def end(self) -> None:
        """Count who was met in the partition; nobody's deliveries are in two."""
        for mode, lane in self._lanes.items():
            self.plan.prospects[mode].customers += len(lane.messaged)
        self._lanes = {}

    def take(self, event: EnrichedEvent) -> None:
        """Judge a delivery that was selected; each comes once (`survey.Picker`)."""
        terms, plan = self._terms, self.plan
        plan.selected[event.type] += 1
        own = delivery_id(event.event_id, event.type, terms.connection)
        told = self._told.get(id_bytes(own))
        standing = None if told is None else told.event or told.profile
        if standing is not None:
            plan.concluded[event.type] += 1
            plan.standing[standing] += 1
        for mode in terms.modes:
            self._judge(event, Replayed(mode, "", terms.new_ids), own)
        if told is not None and told.sent:
            self._compare(event, own, told.sent)

    def _compare(self, event: EnrichedEvent, own: str, sent: Mapping[str, bytes]) -> None:
        """What would be sent today as a live delivery, beside what was."""
        terms, superseded = self._terms, self._age(event, None) < 0
        for part in _rendered(
            lambda: terms.destination.render(
                event, own, terms.now, terms.options, superseded=superseded
            )
        ):
            if isinstance(part, Part) and part.name in sent:
                hashes = terms.hashes(part.request.body)
                self.plan.differences.note(part.name, terms.unpacked(sent[part.name]), hashes)

    def _age(self, event: EnrichedEvent, lane: _Lane | None) -> int:
        """The event's profile beside the vendor's, then: negative older, positive newer."""
        customer = customer_key(event.merchant, event.customer_id)
        known = None if lane is None else lane.versions.get(customer)
        if known is None:
            known = self._versions.get(customer)
        mine = self._terms.version_of(event.profile)
        return 1 if known is None else (mine > known) - (mine < known)

    def _judge(self, event: EnrichedEvent, replayed: Replayed, own: str) -> None:
        terms, mode = self._terms, replayed.mode
        lane, found = self._lanes[mode], self.plan.prospects[mode]
        customer = customer_key(event.merchant, event.customer_id)
        version = terms.version_of(event.profile)
        if mode == "profile-only" and not lane.profiles.is_new(customer, version):
            found.left_out += 1
            return
        found.deliveries += 1
        at = terms.now + int(terms.pace.seconds(lane.records) * terms.partitions * 1_000)
        refused = unwanted(event, at, terms.gate, terms.options, terms.max_age, mode)
        shown = event if refused is None else replace(event, type=PROFILE_CHANGED)
        age, id_ = self._age(event, lane), replayed.id_of(own)
        options = replace(terms.options, bulk=True)
        parts = _rendered(
            lambda: rendered_again(
                terms.destination, shown, id_, at, options, mode, superseded=age < 0
            )
        )
        kept = terms.gate.keeps(customer.decode())
        for part in parts:
            outcome, reason = self._outcome(part, age, mode, kept, lane, customer)
            found.parts[Expected(event.type, part.name, outcome, reason)] += 1
            if isinstance(part, Part) and outcome in ACCEPTED - {"duplicate"}:
                self._send(event, part, lane, found, (customer, id_))
        if refused is not None:
            found.parts[Expected(event.type, "event", refused[0].value, refused[1])] += 1
        elif not parts:
            found.parts[Expected(event.type, "event", "filtered", "nothing_to_send")] += 1

    def _outcome(
        self,
        part: Part | Refusal,
        age: int,
        mode: Mode,
        kept: str | None,
        lane: _Lane,
        customer: bytes,
    ) -> tuple[str, str | None]:
        if part.name == "profile" and age < newest_enough(mode):
            return ("superseded", None) if age < 0 else ("duplicate", "unchanged")
        if not isinstance(part, Part):
            return part.outcome.value, part.reason
        if part.thing is not None and lane.things.get((customer, part.thing)) == part.substance:
            return "duplicate", "unchanged"
        if kept is not None:
            return "filtered", kept
        remark = "profile_superseded" if part.brings_profile and age < 0 else part.remark
        return part.outcome.value, remark

    def _send(
        self,
        event: EnrichedEvent,
        part: Part,
        lane: _Lane,
        found: Prospect,
        whose: tuple[bytes, str],
    ) -> None:
        customer, id_ = whose
        request = part.request
        place = request.endpoint, "" if request.frame is None else request.frame.batch
        found.records[place] += 1
        lane.records[place] += 1
        if part.brings_profile and self._age(event, lane) > 0:
            lane.versions[customer] = self._terms.version_of(event.profile)
        if part.thing is not None:
            lane.things[customer, part.thing] = part.substance
        if part.name != "event":
            return
        told = self._told.get(id_bytes(id_))
        known = told is not None and told.accepted
        if known and self._terms.destination.rules.repeated == "first_wins":
            found.ignored += 1
            return
        found.again += known
        if part.outcome is Outcome.DELIVERED:
            found.starts[event.type] += 1
            lane.messaged.add(customer)


@dataclass(slots=True)
class _Lane:
    """What one mode would have done so far in one partition."""

    versions: dict[bytes, int] = field(default_factory=dict)
    things: dict[tuple[bytes, str], bytes] = field(default_factory=dict)
    messaged: set[bytes] = field(default_factory=set)
    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    profiles: Profiles = field(default_factory=Profiles)


def id_bytes(delivery_id: str) -> bytes:
    """A delivery id in 16 bytes; what has not its form stays as text."""
    try:
        return bytes.fromhex(delivery_id.replace("-", ""))
    except ValueError:
        return delivery_id.encode()


def _rendered(render: Callable[[], list[Part | Refusal]]) -> list[Part | Refusal]:
    """What a renderer gives; one that raises refuses the event, as deliver has it."""
    try:
        return render()
    except Exception:  # noqa: BLE001 - one event's bug must not stop the others
        return [_FAILED]
