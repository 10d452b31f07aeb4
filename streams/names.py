"""Names of topics and groups, and how `streams topics create` makes each topic (DESIGN §3).

Every name begins with the prefix. They are permanent: state and offsets live under them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DAY = 86_400_000
ORDERGROOVE, OKENDO = "ordergroove", "okendo"
TABLES = {ORDERGROOVE: "subscribers", OKENDO: "members"}
"""Source → what its table is called."""
SOURCES = tuple(TABLES)
"""Every source; which are configured is the settings' to say."""
LARGEST = 4 << 20
"""Bytes of a record: a body of `MAX_BODY` beside its typed fields."""
LARGEST_DEAD_LETTER = 16 << 20
"""Bytes of a dead letter: a body that was too large keeps its bytes too."""


class Topic(NamedTuple):
    """A topic to create: configuration beyond partitions and replicas."""

    name: str
    config: dict[str, str]


class Derived(NamedTuple):
    """What the derive role reads and keeps of one source.

    Attributes:
        source: the source.
        lane: in metrics, health and logs.
        topic: of its records.
        group: consumes it.
        changelog: restores its table.
    """

    source: str
    lane: str
    topic: str
    group: str
    changelog: str


class Names:
    """What everything is called under one prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.outcomes = f"{prefix}.outcomes"
        self.control = f"{prefix}.control"
        self.audit = f"{prefix}.audit"
        self.erased = f"{prefix}.erased"
        self.derive_group = f"{prefix}-derive"
        self.rekey_group = f"{prefix}-rekey"
        self.hydrate_group = f"{prefix}-hydrate"
        self.entities_changelog = f"{prefix}.entities.changelog"
        self.subscribers_changelog = self.table_changelog(ORDERGROOVE)
        self.members_changelog = self.table_changelog(OKENDO)

    def events(self, source: str) -> str:
        """The topic of a source."""
        return f"{self._prefix}.{source}.events"

    def derived(self, source: str) -> Derived:
        """What derive has of a source; Ordergroove's names are older than the second source."""
        topic = self.events(source)
        changelog = self.table_changelog(source)
        if source == ORDERGROOVE:
            return Derived(source, "derive", topic, self.derive_group, changelog)
        group = f"{self.derive_group}-{source}"
        return Derived(source, f"derive-{source}", topic, group, changelog)

    def table_changelog(self, source: str) -> str:
        """The topic that restores a source's table, as it is made first."""
        return f"{self._prefix}.{TABLES[source]}.changelog"

    def changelog(self, source: str, generation: int) -> str:
        """The changelog of a source's table of a generation; 0 is the one that is made first."""
        first = self.derived(source).changelog
        return f"{first}.{generation}" if generation else first

    def rebuild_group(self, source: str, generation: int) -> str:
        """The group that keeps how far a rebuild is; nobody joins it."""
        return f"{self.derived(source).group}-rebuild-{generation}"

    def deliveries(self, connection: str) -> str:
        """The topic of a connection's deliveries."""
        return f"{self._prefix}.deliveries.{connection}"

    def low(self, connection: str) -> str:
        """The topic of a connection's replays and repairs, beside its deliveries."""
        return f"{self.deliveries(connection)}.low"

    def dead_letters(self, of: str) -> str:
        """The topic of what a source or connection gave up on."""
        return f"{self._prefix}.dead-letters.{of}"

    def deliver_group(self, connection: str) -> str:
        """The consumer group of a connection."""
        return f"{self._prefix}-deliver-{connection}"

    def profiles_changelog(self, connection: str) -> str:
        """The topic that restores which profile version each customer has at the vendor."""
        return f"{self._prefix}.profiles.{connection}.changelog"

    def topics(
        self,
        connections: Iterable[str],
        sources: Iterable[str] = (ORDERGROOVE,),
        hydrated: str | None = None,
    ) -> Iterator[Topic]:
        """Every topic of these connections and sources, with the policy of DESIGN §3.

        `hydrated`: the topic that hydrate reads, where there is one. What it holds is on the source
        topic too, filled: two weeks are for an outage.
        """
        for source in sources:
            yield Topic(
                self.events(source),
                _policy("delete", 400)
                | {"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(LARGEST)},
            )
            yield self._dead(source)
            yield Topic(self.derived(source).changelog, _policy("compact"))
        if hydrated is not None:
            stamped = {"message.timestamp.type": "LogAppendTime"}
            policy = _policy("delete", 14) | {"max.message.bytes": str(LARGEST)}
            yield Topic(hydrated, policy | stamped)
            yield Topic(self.entities_changelog, _policy("compact"))
        yield Topic(self.control, _policy("compact"))
        yield Topic(self.erased, _policy("compact"))
        yield Topic(self.audit, _policy("delete", 400))
        yield Topic(self.outcomes, _policy("delete", 90))
        for connection in connections:
            for topic in (self.deliveries(connection), self.low(connection)):
                yield Topic(topic, _policy("delete", 14) | {"max.message.bytes": str(LARGEST)})
            yield Topic(self.profiles_changelog(connection), _policy("compact"))
            yield self._dead(connection)

    def _dead(self, of: str) -> Topic:
        return Topic(
            self.dead_letters(of),
            _policy("compact,delete", 90) | {"max.message.bytes": str(LARGEST_DEAD_LETTER)},
        )


def _policy(cleanup: str, days: int | None = None) -> dict[str, str]:
    config = {"cleanup.policy": cleanup, "unclean.leader.election.enable": "false"}
    if days is not None:
        config["retention.ms"] = str(days * DAY)
    return config
