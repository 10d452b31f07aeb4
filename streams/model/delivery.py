"""What a destination asks of a vendor, what the vendor answers, and what that means.

A delivery is one enriched event for one connection. `render` gives its parts before anything is
sent; `classify` reads an answer. Both are pure: nothing here talks to anyone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import msgspec

if TYPE_CHECKING:
    from .enriched import EnrichedEvent
    from .rules import Rules

PartName = Literal["event", "profile"]
LateEvents = Literal["data", "trigger"]
"""What a `late` event may be: data that starts no flow, or an event like any other."""
MoneyUnit = Literal["major", "minor"]
"""Dollars or cents."""


class Outcome(StrEnum):
    """What came of a part (DESIGN §7). All are final but `retrying` and `unauthorized`."""

    DELIVERED = "delivered"
    DELIVERED_NO_TRIGGER = "delivered_no_trigger"
    DUPLICATE = "duplicate"
    FILTERED = "filtered"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ERASED = "erased"
    RETRYING = "retrying"
    UNAUTHORIZED = "unauthorized"

    @property
    def final(self) -> bool:
        """Whether no further attempt follows."""
        return self not in (Outcome.RETRYING, Outcome.UNAUTHORIZED)


class Frame(msgspec.Struct, frozen=True):
    """What stands around the records of a request that takes several, with commas between them.

    `batch` names the vendor's rule for how many (`rules.Batch`). Only records in equal frames may
    travel together.
    """

    batch: str
    before: bytes
    after: bytes


class Request(msgspec.Struct, frozen=True):
    """One HTTP call, without credentials: those are added where it is sent.

    `endpoint` names the vendor's limit that it counts against. With a `frame`, `body` is one record
    of several that may travel together.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    endpoint: str
    frame: Frame | None = None

    @property
    def kind(self) -> str:
        """What the vendor's rules call such a request (`rules.Rules.demands`)."""
        return self.endpoint if self.frame is None else self.frame.batch

    def framed(self, bodies: Iterable[bytes]) -> bytes:
        """The bytes of a call with these records' bytes; without a frame, of the only one."""
        joined = b",".join(bodies)
        return joined if self.frame is None else self.frame.before + joined + self.frame.after


class Part(msgspec.Struct, frozen=True):
    """One part of a delivery, ready to send: `outcome` is what an accepted request amounts to.

    `carries_profile`: the vendor applies the event's profile with it. A part named `profile` always
    does; an event part may, where the vendor's event call has the profile inside. `remark`: what
    the request leaves out or cuts, as the outcome's reason. `thing` is what the request sets as a
    whole at the vendor (an order in a status), where sending it again would start flows again, and
    `substance` a digest of what it is set to: the same once more is not sent, and of several that
    wait the newest stands for all.
    """

    name: PartName
    request: Request
    outcome: Outcome = Outcome.DELIVERED
    carries_profile: bool = False
    remark: str | None = None
    thing: str | None = None
    substance: bytes = b""

    @property
    def brings_profile(self) -> bool:
        """Whether the vendor has the event's profile once it has taken this part."""
        return self.carries_profile or self.name == "profile"


class Refusal(msgspec.Struct, frozen=True):
    """A part that we ourselves will not send, and why."""

    name: PartName
    outcome: Outcome
    reason: str
    field: str | None = None


class Response(msgspec.Struct, frozen=True):
    """A vendor's answer. Header names are lower case; `body` is raw."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class LateError(NamedTuple):
    """Something that a vendor refused after its answer: the field, and the record if it names it.

    `record` is the record's own id at the vendor, as `LateErrors.record` reads it of what we send.
    """

    field: str
    record: str | None = None


class LateErrors(NamedTuple):
    """A vendor's list of what it refused after its answers.

    Attributes:
        request: the call that asks for it.
        read: what is listed.
        record: the id by which the list would name what a request sends; None: it has none.
    """

    request: Request
    read: Callable[[Response], Sequence[LateError]]
    record: Callable[[Request], str | None]


class Probe(NamedTuple):
    """A call that asks whether the credentials work, and changes nothing.

    Attributes:
        request: the call.
        let_in: the statuses that only somebody is answered with whom the vendor has let in.
    """

    request: Request
    let_in: frozenset[int]


class Deletion(NamedTuple):
    """How a vendor is asked to forget somebody, and how that is followed.

    Attributes:
        call: what the vendor calls it.
        remark: what it promises.
        follow: an outcome's reason → the call that asks how far it is; None: nothing can be asked.
        done: whether its answer says that it is done; None where it says nothing of that.
    """

    call: str
    remark: str
    follow: Callable[[str], Request | None] = lambda _: None
    done: Callable[[Response], bool | None] = lambda _: None


class Accepted(msgspec.Struct, frozen=True):
    """The vendor took it. `note` says what it ignored, if it said so."""

    note: str | None = None


class Retry(msgspec.Struct, frozen=True):
    """Try again. `after`: seconds the vendor asked for; `throttled`: it means the connection."""

    reason: str
    after: float | None = None
    throttled: bool = False


class Rejected(msgspec.Struct, frozen=True):
    """The vendor will never take it. `named`: of a call's records, the answer names this one."""

    reason: str
    field: str | None = None
    named: bool = False


class Spared(msgspec.Struct, frozen=True):
    """Not taken only because of another record of the same call, which the answer names."""


class Unauthorized(msgspec.Struct, frozen=True):
    """The credentials do not work: the connection pauses, nothing is given up."""

    reason: str


class Repair(msgspec.Struct, frozen=True):
    """Send this instead, once: the vendor named a field that may be left out."""

    request: Request
    reason: str


Verdict = Accepted | Retry | Rejected | Spared | Unauthorized | Repair


class Options(msgspec.Struct, frozen=True):
    """What a connection may choose about rendering; vendors read what concerns them."""

    display_zone: str = "America/New_York"
    revision: str | None = None
    event_names: Mapping[str, str] = {}
    """Event type → its name at the vendor, in place of the page's."""
    late_events: LateEvents = "data"
    client_user_id: bool = False
    """Whether the shop's customer ids may identify people at the vendor."""
    contact_fields: Mapping[str, str] = {}
    """What we keep of a customer → the field at the vendor that shows it, where it has no name of
    its own: `status`, `active_subscriptions`, `total_subscriptions`."""
    collection: str | None = None
    """The data source that contacts are listed under at the vendor."""
    money_unit: MoneyUnit = "major"
    """What a whole number of money counts."""
    order_statuses: Mapping[str, str] = {}
    """Event type of an order → its status at the vendor; "" takes a status away."""
    bulk: bool = False
    """Whether what starts no flow may go by the vendor's call for many, if it has one of its own:
    not what a connection chooses, but what is rendered for its low lane."""
    bulk_profiles: bool = False
    """The same of a profile alone, where a backfill asks for it: the call for one answers what came
    of it, and may need less of the credentials."""


class Destination(Protocol):
    """A vendor: pure functions and tables, one module each in `streams/destinations`."""

    @property
    def name(self) -> str:
        """The vendor, in one lower-case word: module, topic, label and setting are named so."""

    @property
    def url(self) -> str:
        """Where its API lives."""

    @property
    def takes(self) -> frozenset[str]:
        """The event types that it wants, beside `profile.changed`."""

    @property
    def rules(self) -> Rules:
        """What the vendor demands, as data."""

    def render(
        self,
        event: EnrichedEvent,
        delivery_id: str,
        now: int,
        options: Options,
        *,
        superseded: bool = False,
    ) -> list[Part | Refusal]:
        """The parts of a delivery in sending order; `now` is epoch milliseconds.

        `superseded`: the vendor knows a newer profile of this customer than the event carries, so
        an event part must say nothing of the profile but who it is. Profile parts are rendered as
        always: whoever sends leaves them out.
        """

    @property
    def late_errors(self) -> LateErrors | None:
        """Where the vendor lists what it refused after its answers; None: it lists nothing."""

    @property
    def probe(self) -> Probe | None:
        """How to ask whether the credentials work; None: the vendor has no call for that."""

    @property
    def deletion(self) -> Deletion | None:
        """How it is asked to forget a customer (`customer.erased`); None: it has no call for it."""

    def authorize(self, credentials: str) -> Mapping[str, str]:
        """The headers that carry the credentials."""

    def classify(self, requests: Sequence[Request], response: Response) -> Sequence[Verdict]:
        """What an answer means for each of the records that one call carried, mostly one."""
