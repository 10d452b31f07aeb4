"""Tables of answers and retries, made by asking the destinations, and from their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.delivery.batching import parted
from streams.delivery.expiry import EXPIRIES
from streams.destinations import DESTINATIONS
from streams.model.delivery import (
    Accepted,
    Rejected,
    Repair,
    Retry,
    Spared,
    Unauthorized,
    Verdict,
)
from streams.model.retries import RETRIES, RetryPolicy
from tests.support.answer_samples import SAMPLES, Sample, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator


def retries() -> Iterator[tuple[str, ...]]:
    """How each failure is met: at any vendor, and at one that differs."""
    yield from (_retry("any", reason, row) for reason, row in RETRIES.items())
    for name, destination in DESTINATIONS.items():
        yield from (_retry(name, *each) for each in destination.rules.retries.items())


def _retry(destination: str, reason: str, row: RetryPolicy) -> tuple[str, ...]:
    times = f"{row.first:g} s", f"{row.cap:g} s", f"{row.longest_after / 60:g} min"
    return destination, f"`{reason}`", *times, f"{row.budget / 3_600:g} h", row.source


def ages() -> Iterator[tuple[str, ...]]:
    """What is not told for ever."""
    for event_type, row in EXPIRIES.items():
        day = f"`{row.day}` is over" if row.day else "-"
        age = "-" if row.seconds is None else f"{row.seconds / 86_400:g} days"
        yield f"`{event_type}`", day, age, row.about


def answers() -> Iterator[tuple[str, ...]]:
    """What each vendor may answer, and what follows; asked of the destination itself."""
    for name, told in SAMPLES.items():
        for sample in told:
            answer = f"{sample.status}{_quoted(sample)}"
            yield name, sample.row, answer, str(sample.records), _following(verdicts(name, sample))


def _quoted(sample: Sample) -> str:
    """The headers and the body of an answer, in a cell of a table."""
    headers = [f"{name}: {value}" for name, value in sample.headers.items()]
    told = [each for each in (*headers, sample.response.body.decode()) if each]
    return "".join(f" `{each}`".replace("|", "\\|") for each in told)


def _following(judged: list[Verdict]) -> str:
    """What is done with the records of a call, in words."""
    if any(isinstance(each, Spared) for each in judged):
        named = {place: each for place, each in enumerate(judged, 1) if each != Spared()}
        told = ", ".join(f"record {place} {_word(each)}" for place, each in named.items())
        return f"split: {told}; the others go once more"
    if len(judged) > 1 and parted(judged, again=False):
        return "split: halved until the one at fault is alone"
    if len(set(map(_word, judged))) == 1:
        return _word(judged[0])
    return ", ".join(f"record {place} {_word(each)}" for place, each in enumerate(judged, 1))


def _word(verdict: Verdict) -> str:
    match verdict:
        case Accepted(note):
            return f"accept, `{note}`" if note else "accept"
        case Rejected(reason, field):
            return f"reject `{reason}`" + (f", field `{field}`" if field else "")
        case Retry(reason, after, throttled):
            whose = "retry, all wait" if throttled else "retry"
            return f"{whose}: `{reason}`" + (f", after {after:g} s" if after else "")
        case Unauthorized(reason):
            return f"pause the connection: `{reason}`"
        case Repair(_, reason):
            return f"repair: `{reason}`, once"
        case Spared():
            return "spared"
