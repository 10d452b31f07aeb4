"""The worked cases of derivation: read from `tests/samples/worked_cases`, a file a case.

A case is written for people and expanded here: its steps to whole webhook bodies, what it expects
to lines that can be held against what the program did. Times are of 1 October 2026 unless a day is
written, and UTC. Which settings a case does not name: `history = "complete"`, nothing is late by
`flows_from`, and Klaviyo and Attentive are connected and live.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from streams.derive import DeriveOptions
from tests.support import webhooks

FOLDER = Path(__file__).parents[1] / "samples" / "worked_cases"
DAY = datetime(2026, 10, 1, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")
EMAIL = "noor.hale@shop-demo.io"
LATE = {"klaviyo": "delivered_no_trigger: late", "attentive": "filtered: late"}
UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000}

Moment = Any
"""A time of the first day, or a day and time, as TOML writes them."""


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event that is told, or would be: `to` where it is not what follows from `late`.

    The source's own events keep their id, so only those that we conclude name theirs.
    """

    event: str
    id: str | None = None
    why: str | None = None
    late: bool = False
    withheld: str | None = None
    to: dict[str, str] | None = None
    says: dict[str, Any] = {}

    def outcomes(self) -> dict[str, str]:
        """Connection → outcome and its reason."""
        if self.to is not None:
            return self.to
        if self.withheld is not None:
            return {}
        return LATE if self.late else dict.fromkeys(LATE, "delivered")


class Beside(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subscription in a webhook's snapshot."""

    about: str
    live: bool
    updated: Moment


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A webhook that arrives (again), or a timer that fires; then what is told and how it stands.

    `about` is the subscription, `updated` its time of change where it is not `at`, `reaches` the
    time at which the record is appended where that is later.
    """

    told: tuple[Told, ...]
    customer: str
    at: Moment = None
    arrives: str | None = None
    timer: str | None = None
    repeats: int | None = None
    id: str | None = None
    kind: Literal["event", "state", "erase"] = "event"
    about: str | None = None
    live: bool | None = None
    updated: Moment = None
    reaches: Moment = None
    source: str | None = None
    email: str = EMAIL
    customer_since: Moment = None
    product: str | None = None
    beside: tuple[Beside, ...] = ()
    created_together: tuple[str, ...] = ()


class Subscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every webhook says of a subscription."""

    created: Moment = None
    order: str | None = None
    session: str | None = None

    def fields(self) -> dict[str, Any]:
        """The fields of the webhook."""
        told = {
            "created": None if self.created is None else seconds(self.created),
            "merchant_order_id": self.order,
            "session_id": self.session,
        }
        return {name: value for name, value in told.items() if value is not None}


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case, as its file has it."""

    chapter: str
    title: str
    story: str
    steps: tuple[Step, ...]
    options: dict[str, Any] = {}
    connections: dict[str, dict[str, Any]] = {}
    subscriptions: dict[str, Subscription] = {}

    def derive_options(self) -> DeriveOptions:
        """The case's settings: times as times, durations as "10m"."""
        chosen: dict[str, Any] = {"history": "complete"}
        for name, value in self.options.items():
            if name in ("synced_at", "flows_from"):
                chosen[name] = seconds(value) * 1000
            elif name in ("cancel_settle", "checkout_settle"):
                chosen[name] = int(value[:-1]) * UNITS[value[-1]]
            else:
                chosen[name] = value
        return msgspec.convert(chosen, DeriveOptions)

    def own_id(self, nth: int) -> str:
        """The event id of a step's webhook."""
        step = self.steps[nth]
        if step.id is not None:
            return step.id
        return f"event-{nth + 1 if step.repeats is None else step.repeats}"

    def body(self, nth: int) -> bytes:
        """A step's whole webhook."""
        step = self.steps[nth]
        if step.repeats is not None:
            again = json.loads(self.body(step.repeats - 1)) | {"id": self.own_id(nth)}
            return json.dumps(again).encode()
        assert step.arrives is not None
        snapshot: dict[str, Any] = {"customer": _customer(step)}
        if step.beside:
            snapshot["subscriptions"] = [
                self._subscription(each.about, each.updated, live=each.live) for each in step.beside
            ]
        envelope: dict[str, Any] = {"id": self.own_id(nth), "snapshot": snapshot}
        if step.source is not None:
            envelope["context"] = {"source": step.source}
        return webhooks.webhook(step.arrives, self._object(step), seconds(step.at), **envelope)

    def _object(self, step: Step) -> webhooks.JSON:
        kind, _, action = (step.arrives or "").partition(".")
        if kind == "subscription":
            live = action != "cancel" if step.live is None else step.live
            more = {} if step.product is None else {"product": step.product}
            changed = step.at if step.updated is None else step.updated
            return self._subscription(step.about or "", changed, live=live, **more)
        if kind == "subscriber":
            return webhooks.person(
                **_customer(step),
                last_updated=seconds(step.at),
                subscription=step.about,
                subscriptions=list(step.created_together),
            )
        if kind == "item":
            return webhooks.item(subscription=step.about)
        return webhooks.order()

    def _subscription(
        self, name: str, updated: Moment, *, live: bool, **more: Any
    ) -> webhooks.JSON:
        known = self.subscriptions.get(name, Subscription())
        return webhooks.subscription(name, seconds(updated), live=live, **known.fields(), **more)

    def recorded(self, nth: int) -> int:
        """The time of a step's record, epoch seconds."""
        step = self.first(self.steps[nth])
        return seconds(step.at if step.reaches is None else step.reaches)

    def first(self, step: Step) -> Step:
        """The step that a step repeats, or itself."""
        return step if step.repeats is None else self.steps[step.repeats - 1]


def _customer(step: Step) -> dict[str, Any]:
    """The customer in a snapshot, whose times are naive ones of Chicago."""
    told = {"email": step.email}
    if step.customer_since is not None:
        since = datetime.fromtimestamp(seconds(step.customer_since), CHICAGO)
        told["created"] = since.strftime("%Y-%m-%d %H:%M:%S")
    return told


def moment(value: Moment) -> datetime:
    """A time of a case."""
    if isinstance(value, time):
        return DAY + timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
    assert isinstance(value, datetime), value
    return value.replace(tzinfo=UTC)


def seconds(value: Moment) -> int:
    """A time of a case in epoch seconds."""
    return int(moment(value).timestamp())


def load() -> dict[str, Case]:
    """Every case by its file's name, in the order of the page."""
    return {
        file.stem: msgspec.toml.decode(file.read_bytes(), type=Case)
        for file in sorted(FOLDER.glob("*.toml"))
    }
