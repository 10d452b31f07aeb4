"""The certificate of an erase: what is gone, what was asked of whom, and what remains until when.

Pure: the state of things in, an object out that may be kept. It names nobody: customers are keyed
hashes. Dates are upper bounds, from the topics' own settings: Kafka deletes whole segments.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.delivery.dead_letters import GIVEN_UP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NEVER: Final = 1 << 62
_DAY: Final = 86_400_000
_INDEX: Final = {
    False: "erased, from the files' bytes too",
    True: "not yet: a console that runs does it at once; or delete the file",
    None: "none here: a console elsewhere erases them when it reads the list of the erased",
}
"""What becomes of the console's index, by whether it still holds them."""


class Row(NamedTuple):
    """A customer's row.

    Attributes:
        customer: keyed hash.
        table: its topic.
        erased: whether only the mark is left.
        discard: the command that deletes the table, where derive does not keep it: nothing but that
            takes the row away.
    """

    customer: str
    table: str
    erased: bool
    discard: str | None = None


class Asked(NamedTuple):
    """What came of the erase at one connection.

    Attributes:
        connection: its name.
        customer: keyed hash.
        call: what the vendor calls such a request; None: it offers none.
        remark: what the vendor promises.
        outcome: of the delivery; None: not yet.
        reason: of the outcome: of a request that can be followed, the vendor's number of it.
        processed: whether the vendor says that it is done; None: it was not asked, or says nothing.
    """

    connection: str
    customer: str
    call: str | None
    remark: str
    outcome: str | None = None
    reason: str | None = None
    processed: bool | None = None

    @property
    def refused(self) -> bool:
        """Whether the vendor was not brought to do it, and keeps everything."""
        return self.outcome in GIVEN_UP


class Kept(NamedTuple):
    """A topic that still holds something: what, and why; its settings by name."""

    topic: str
    what: str
    why: str
    config: Mapping[str, str]


class Erasure(NamedTuple):
    """All that is known of an erase.

    Attributes:
        run: id of its action.
        erased_at: epoch milliseconds.
        rows: of the tables.
        asked: of the vendors.
        letters: dead-letter topic → how many of these customers stand there.
        kept: topics that still hold something.
        others: topics under the prefix that nobody looked into.
        indexed: whether the console's index on this machine still holds them; None: there is none.
    """

    run: str
    erased_at: int
    rows: Sequence[Row]
    asked: Sequence[Asked]
    letters: Mapping[str, int]
    kept: Sequence[Kept]
    others: Sequence[str] = ()
    indexed: bool | None = None

    @property
    def done(self) -> bool:
        """Whether all that this program does is done; a vendor may still be at it."""
        told = all(each.outcome is not None and not each.refused for each in self.asked)
        rows = all(each.erased for each in self.rows)
        return told and rows and not self.indexed and not any(self.letters.values())

    @property
    def rests(self) -> bool:
        """Whether nothing is left that comes by itself: at most tables that are to be discarded."""
        return self._replace(rows=[each for each in self.rows if each.discard is None]).done


def certificate(erasure: Erasure) -> dict[str, Any]:
    """The certificate as JSON's own types."""
    return {
        "run": erasure.run,
        "erased_at": _date(erasure.erased_at),
        "complete": erasure.done,
        "tables": [each._asdict() for each in erasure.rows],
        "vendors": [each._asdict() for each in erasure.asked],
        "dead_letters_standing": dict(erasure.letters),
        "remains": [
            {
                "topic": each.topic,
                "what": each.what,
                "until": until(each.config, erasure.erased_at),
                "why": each.why,
            }
            for each in erasure.kept
        ],
        "console_index": _INDEX[erasure.indexed],
        "not_looked_into": list(erasure.others),
    }


def until(config: Mapping[str, str], at: int) -> str | None:
    """The latest day on which a topic may hold what it holds now; None: it promises none."""
    policy = config.get("cleanup.policy", "delete")
    limits = []
    if "delete" in policy:
        limits.append(_number(config, "retention.ms") + _number(config, "segment.ms"))
    if "compact" in policy:
        limits.append(_number(config, "max.compaction.lag.ms") + _DAY)
    latest = at + min(limits, default=_NEVER)
    return None if latest >= _NEVER else _date(latest)[:10]


def certificate_lines(erasure: Erasure) -> Iterator[str]:
    """The same for people."""
    yield f"erase {erasure.run} of {_date(erasure.erased_at)}"
    for row in erasure.rows:
        yield f"  table     {row.customer[:8]}  {row.table}: {_state(row)}"
    for each in erasure.asked:
        yield f"  vendor    {each.customer[:8]}  {each.connection}: {_asked(each)}"
    for topic, count in sorted(erasure.letters.items()):
        if count:
            yield f"  letters   {topic}: {count:,} stand: run the erase again, or purge them"
    yield f"  index     of the console: {_INDEX[erasure.indexed]}"
    told = certificate(erasure)["remains"]
    yield "remains"
    for each in told:
        yield f"  {each['until'] or 'no date  '}  {each['topic']}: {each['what']} ({each['why']})"
    if erasure.others:
        yield f"not looked into: {', '.join(erasure.others)}"
    yield "complete" if erasure.done else f"not complete: streams erase --status {erasure.run}"


def _state(row: Row) -> str:
    if row.erased:
        return "erased"
    if row.discard is not None:
        return f"the whole row, until `{row.discard}`"
    return "not yet: derive has not read the erase"


def _asked(each: Asked) -> str:
    told = "not yet" if each.outcome is None else each.outcome
    if each.reason:
        told = f"{told}: {each.reason}"
    if each.call is None:
        return f"{told} (the vendor offers no deletion: ask it yourself)"
    if each.refused:
        return f"{told} (no {each.call}: redrive its dead letter, or ask the vendor yourself)"
    state = {True: "; the vendor says it is done", False: "; the vendor is at it"}
    done = "" if each.processed is None else state[each.processed]
    return f"{told} ({each.call}; {each.remark}{done})"


def _number(config: Mapping[str, str], name: str) -> int:
    try:
        number = int(config.get(name, ""))
    except ValueError:
        return _NEVER
    return _NEVER if number < 0 else min(number, _NEVER)


def _date(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).isoformat(timespec="seconds")
