"""Dashboards beside the demo: a real Prometheus scrapes its workers, and says what they did.

Every query of every panel has an answer, and where a panel shows what the demo's summary says, it
is the same number: the books share no code with what counts.
"""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest
from rich.console import Console

from streams.demo.day import play
from streams.demo.stage import Stage
from streams.demo.summary import summarize
from tests.support import deployed
from tests.support.prometheus import Prometheus, required

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from streams.demo.summary import Summary, Through

SEED = 7
EVENTS = 200


class Shown(NamedTuple):
    """A day that has come through, and who watched it."""

    summary: Summary
    prometheus: Prometheus

    def panel(self, dashboard: str, title: str) -> list[tuple[dict[str, str], float]]:
        """What a panel with one query shows."""
        [query] = [q for q in deployed.queries() if (q.dashboard, q.panel) == (dashboard, title)]
        return self.prometheus.query(query.expression)

    def counts(self, dashboard: str, title: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The same by these labels, without what is 0."""
        found = self.panel(dashboard, title)
        return {tuple(of[label] for label in labels): value for of, value in found if value}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A small day on the demo's own stage, scraped from the beginning, to its end."""
    required("prometheus")
    directory: Path = tmp_path_factory.mktemp("stage")
    beside: Path = tmp_path_factory.mktemp("prometheus")
    with Stage(directory) as stage, Prometheus(beside, stage.workers) as prometheus:
        day = play(stage, seed=SEED, events=EVENTS, once=True, console=Console(file=io.StringIO()))
        summary = summarize(stage, day.books, day.members, SEED, day.began)
        found = Shown(summary, prometheus)
        prometheus.until(lambda: standing(found) == letters(summary), "dead letters are counted")
        prometheus.until(lambda: told(found) == events(summary), "the last scrape is there")
        yield found


def told(found: Shown) -> dict[tuple[str, ...], float]:
    """What the panel says of events told."""
    return found.counts("overview", "Events told", "connection", "type")


def events(summary: Summary) -> dict[tuple[str, ...], float]:
    """The same, by the summary."""
    return _flat({name: one.derived for name, one in summary.connections.items()})


def standing(found: Shown) -> dict[str, float]:
    """What the panel says of dead letters: who gave up → how many."""
    panel = found.counts("overview", "Dead letters that stand", "topic")
    return {topic.rpartition(".")[2]: value for (topic,), value in panel.items()}


def letters(summary: Summary) -> dict[str, float]:
    """The same, by the summary."""
    by_name = {name: one.dead_letters for name, one in summary.sources.items()}
    by_name |= {name: one.dead_letters for name, one in summary.connections.items()}
    found = {name: float(sum(by_reason.values())) for name, by_reason in by_name.items()}
    return {name: value for name, value in found.items() if value}


def outcomes(through: Through) -> Counter[str]:
    """Parts and outcomes without reasons, which metrics do not have."""
    found: Counter[str] = Counter()
    for words, number in through.outcomes.items():
        found[words.partition(":")[0]] += number
    return found


def test_the_day_was_exact(shown: Shown) -> None:
    """Else its numbers would say nothing."""
    assert [] == shown.summary.differences


def test_every_query_has_an_answer(shown: Shown) -> None:
    """No panel is empty, none is refused; a series has the labels that its legend shows."""
    queries = list(deployed.queries())
    found = [(each, shown.prometheus.query(each.expression)) for each in queries]
    empty = [each for each, series in found if not series]
    nameless = [
        (each, labels)
        for each, series in found
        for labels, _ in series
        if not (each.legend <= labels.keys() or each.expression.endswith("or vector(0)"))
    ]

    assert ([], []) == (empty, nameless)
    assert len(queries) > 60


def test_events_told_are_those_of_the_summary(shown: Shown) -> None:
    """By connection and type, on both dashboards."""
    title = "Since the processes started: events"

    assert events(shown.summary) == told(shown)
    assert told(shown) == shown.counts("delivery", title, "connection", "type")


def test_outcomes_are_those_of_the_summary(shown: Shown) -> None:
    """By connection, part and outcome."""
    expected = {
        (name, *words.split()): float(number)
        for name, one in shown.summary.connections.items()
        for words, number in outcomes(one).items()
    }
    labels = ("connection", "part", "outcome")

    assert expected == shown.counts("overview", "Outcomes", *labels)
    assert expected == shown.counts("delivery", "Since the processes started: outcomes", *labels)


def test_records_taken_are_those_of_the_summary(shown: Shown) -> None:
    """What vendors accepted, whatever number of calls it took."""
    expected = {(name,): float(one.accepted) for name, one in shown.summary.connections.items()}

    assert expected == shown.counts("overview", "Records that vendors took", "connection")


def test_dead_letters_are_those_of_the_summary(shown: Shown) -> None:
    """Those that stand, by topic, and those that each connection wrote, by reason."""
    written = _flat({name: one.dead_letters for name, one in shown.summary.connections.items()})
    title = "Since the processes started: dead letters"
    [(_, together)] = shown.panel("overview", "Dead letters")

    assert letters(shown.summary) == standing(shown)
    assert sum(letters(shown.summary).values()) == together
    assert written == shown.counts("delivery", title, "connection", "reason")


def test_rules_are_evaluated_and_nothing_fires(shown: Shown) -> None:
    """On a day that went well nobody is told anything, and every rule could be asked."""
    rules = shown.prometheus.rules()
    unwell = [(rule["name"], rule["health"]) for rule in rules if rule["health"] != "ok"]
    [(_, firing)] = shown.panel("overview", "Alerts")

    assert set(deployed.alerts()) == {rule["name"] for rule in rules}
    assert ([], 0.0) == (unwell, firing)


def _flat(counts: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, ...], float]:
    return {(a, b): float(n) for a, inner in counts.items() for b, n in inner.items() if n}
