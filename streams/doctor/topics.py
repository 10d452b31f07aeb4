"""Topics as they are against topics as they must be (DESIGN §3, the topic policy). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .findings import Finding, bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from streams.engine.admin import TopicDescription, TopicSpec

ABOUT: Final = "topics"

_CREATE: Final = "Run `streams topics create`"
_DAY_MS: Final = 86_400_000
_MEANS: Final[Mapping[str, str]] = {
    "cleanup.policy": "rows, decisions or dead letters would be deleted, or never be",
    "message.timestamp.type": "timers and replays would go by the clocks of whoever writes",
    "max.message.bytes": "a large body would be refused, and tried again for ever",
    "unclean.leader.election.enable": "what was acknowledged may be lost when brokers fail",
    "min.insync.replicas": "what one broker alone has counts as written",
    "retention.ms": "records would be gone sooner than is promised",
}


def judge_topics(
    wanted: Sequence[TopicSpec], found: Mapping[str, TopicDescription | None]
) -> Iterator[Finding]:
    """Every topic that is not as it must be; or one finding that says that all are.

    Args:
        wanted: as `streams topics create` makes them.
        found: as the brokers describe them; None: there is none.
    """
    well = True
    for spec in wanted:
        for finding in _judged(spec, found.get(spec.name)):
            well = False
            yield finding
    if well:
        yield ok(ABOUT, f"all {len(wanted)} are there, with their partitions and policies")


def judge_twins(
    twins: Iterable[tuple[str, str]], found: Mapping[str, TopicDescription | None]
) -> Iterator[Finding]:
    """Topics whose partitions must match and do not: workers refuse to start.

    Args:
        twins: (one that is read, one that is written by its partitions).
        found: as in `judge_topics`; those that are not there are told of elsewhere.
    """
    for read, written in twins:
        one, other = found.get(read), found.get(written)
        if one is not None and other is not None and one.partitions != other.partitions:
            yield bad(
                ABOUT,
                f"{written} has {other.partitions} partitions, {read} {one.partitions}:"
                " what works on the two refuses to start",
                "Delete the one that holds nothing yet, set topics.partitions to what the other"
                " has, and run `streams topics create`; else begin under a new prefix",
            )


def _judged(spec: TopicSpec, found: TopicDescription | None) -> Iterator[Finding]:
    name = spec.name
    if found is None:
        yield bad(ABOUT, f"{name} does not exist", _CREATE)
        return
    if found.partitions != spec.partitions:
        yield warn(
            ABOUT,
            f"{name} has {found.partitions} partitions, topics.partitions is {spec.partitions}",
            "Set topics.partitions to what is there; for more, begin under a new prefix",
        )
    if found.replication < spec.replication:
        yield bad(
            ABOUT,
            f"{name} has {found.replication} copies, topics.replication is {spec.replication}",
            "Reassign its partitions with kafka-reassign-partitions, or set topics.replication",
        )
    for option, value in spec.config.items():
        is_there = found.config.get(option)
        if is_there is not None and not _fits(option, value, is_there):
            yield _differs(name, option, value, is_there)


def _differs(name: str, option: str, value: str, is_there: str) -> Finding:
    says = f"{name} has {option}={is_there}, wanted {value}: {_MEANS.get(option, '')}".rstrip(": ")
    fix = f"kafka-configs --alter --topic {name} --add-config {option}=[{value}]"
    if option == "retention.ms":
        days = int(value) // _DAY_MS
        return warn(ABOUT, says, f"{fix} ({days} days), unless you decided otherwise")
    return bad(ABOUT, says, fix)


def _fits(option: str, wanted: str, found: str) -> bool:
    """Whether a value will do: more is as good where more is kept or let in."""
    if option == "cleanup.policy":
        return set(wanted.split(",")) == set(found.split(","))
    if option == "retention.ms":
        return int(found) < 0 or int(found) >= int(wanted)
    if option in {"max.message.bytes", "min.insync.replicas"}:
        return int(found) >= int(wanted)
    return wanted == found
