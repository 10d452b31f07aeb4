"""What the pages ask for, and have done: `streams.cli.console` implements it.

All of these block (Kafka, SQLite): pages call them by `asking`, in a thread. They raise
`StreamsError`, or Kafka's own exception where the broker does not answer. What changes anything
takes the user first, refuses with `NotAllowed` who may only look, and is on the audit topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.console.access import User
    from streams.console.connections_sight import (
        ConnectionStanding,
        ProbeSight,
        PromotionSight,
        WaitsSight,
    )
    from streams.console.customer_sight import CustomerSight, Sent
    from streams.console.index import Found, IndexStanding, Minute
    from streams.console.letters_sight import (
        LettersAsked,
        LetterSight,
        LettersPlan,
        LettersSight,
    )
    from streams.console.replay_sight import ReplayAsked, ReplayPlan, RunSight
    from streams.console.sight import Sight
    from streams.console.working import Work
    from streams.delivery.gate import How
    from streams.timeline.absence import Answer


class IndexDesk(Protocol):
    """What is asked of `console.index.Index` beside its customers."""

    def minutes(self, since_ms: int) -> list[Minute]:
        """Outcomes a minute since then, by time."""

    def tried(self) -> dict[tuple[str, str], int]:
        """When (connection, outcome) was last recorded after asking a vendor, epoch ms."""

    def standing(self) -> IndexStanding:
        """How far it is."""


class FlowDesk(Protocol):
    """The flow as it is now."""

    def look(self) -> Sight:
        """All of it; one thread's at a time."""


class CustomersDesk(Protocol):
    """Customers, found and told of; tokens stand for them in addresses of pages."""

    def find(self, text: str) -> list[Found]:
        """Customers whose key, id, e-mail address or phone number this is."""

    def told(self, token: str) -> CustomerSight | None:
        """A customer's story; None: nobody's token, or somebody who was erased."""

    def sent(self, token: str, event_id: str, event_type: str) -> list[Sent]:
        """An event's deliveries, with the requests that today's renderer makes of them."""

    def why_not(self, token: str, event_type: str, connection: str) -> Answer:
        """Why a customer did not get an event by a connection, or that they did."""


class LettersDesk(Protocol):
    """What was given up on."""

    def places(self) -> Sequence[str]:
        """Sources and connections that may have some."""

    def look(self, asked: LettersAsked) -> LettersSight:
        """The letters that stand and are meant."""

    def shown(self, letter_id: str, of: str, *, unmasked: bool) -> LetterSight | None:
        """One letter with its event; None: it was settled meanwhile."""

    def redrive_plan(self, ids: frozenset[str], *, again: bool) -> LettersPlan:
        """What a redrive of these would append, and what stands in the way of the others."""

    def purge_plan(self, ids: frozenset[str]) -> LettersPlan:
        """What a purge of these would settle."""

    def redrive(self, user: User, ids: frozenset[str], *, again: bool) -> Work:
        """Begin to append them again."""

    def purge(self, user: User, ids: frozenset[str]) -> Work:
        """Begin to settle them without doing anything about them."""

    def works(self) -> Sequence[Work]:
        """What was begun, the newest first."""


class ConnectionsDesk(Protocol):
    """Connections, and what is decided about them."""

    def look(self) -> Sequence[ConnectionStanding]:
        """Each connection: mode, state, lag, limits used, last success, dead letters."""

    def waits(self, name: str) -> WaitsSight:
        """What waits in a connection's topic now."""

    def pause(self, user: User, name: str, reason: str | None) -> None:
        """Let it rest."""

    def resume(self, user: User, name: str, how: How | None, found: WaitsSight) -> None:
        """Let it go on; `how`: what becomes of what was found waiting."""

    def foresee(
        self, user: User, name: str, percentage: float | None, customers: Sequence[str]
    ) -> PromotionSight:
        """What it would have sent in the last day, were it promoted to that."""

    def promote(self, user: User, name: str, seen: PromotionSight) -> None:
        """Let it send, as it was foreseen."""

    def reset(self, user: User, name: str) -> None:
        """Back to the settings' mode."""

    def test(self, user: User, name: str) -> ProbeSight:
        """Whether the vendor lets its credentials in, and what it said."""


class ReplayDesk(Protocol):
    """Replays: planned, run, watched."""

    def connections(self) -> Mapping[str, Sequence[str]]:
        """Connections, and the event types that each may be asked for."""

    def plan(self, user: User, asked: ReplayAsked) -> Work:
        """Begin to make a plan; nothing is changed. The work's result is a `ReplayPlan`."""

    def run(self, user: User, plan: ReplayPlan) -> Work:
        """Begin to append the deliveries of a plan; the work's subject is the run's id."""

    def resume(self, user: User, run_id: str) -> Work:
        """Begin to go on with a run."""

    def stop(self, user: User, work: Work) -> None:
        """Have a run end behind its next transaction; it can be gone on with."""

    def works(self) -> Sequence[Work]:
        """What was begun since the console started, the newest first."""

    def runs(self) -> Sequence[RunSight]:
        """Every run, the newest first."""

    def report(self, run_id: str) -> Mapping[str, Any]:
        """What came of a run so far, beside what was planned (`cli.replay.lines`)."""


class RevealDesk(Protocol):
    """Personal data that is masked until somebody asks for it."""

    def record(self, user: User, what: str, key: bytes | None) -> None:
        """Write on the audit topic that a user had somebody's data shown.

        Args:
            user: who looks; `view` may.
            what: is shown: `customer`, `dead letter`.
            key: of the customer, who is written as a keyed hash.
        """


@dataclass(frozen=True, slots=True)
class Desks:
    """All of them."""

    flow: FlowDesk
    customers: CustomersDesk
    letters: LettersDesk
    connections: ConnectionsDesk
    replay: ReplayDesk
    reveal: RevealDesk
