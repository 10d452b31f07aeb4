"""Whoever is told can act: alerts, runbook, dashboards and the program speak of the same things."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import click
import pytest

from streams.cli import commands
from tests.support import deployed
from tests.support.prometheus import required

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS = ("Symptom", "Query", "Command", "After")


def spoken_of() -> Iterator[tuple[str, str]]:
    """Every command of the program that the runbook names, by entry."""
    for name, entry in deployed.entries().items():
        for quoted in re.findall(r"`([^`]+)`", entry):
            if quoted.startswith("streams "):
                yield name, " ".join(quoted.split())


def resolved(words: list[str]) -> click.Command:
    """The command that these words begin with; raises `AssertionError` where there is none."""
    found: click.Command = commands
    context = click.Context(commands)
    for word in words:
        if not isinstance(found, click.Group):
            return found
        inner = found.get_command(context, word)
        assert inner is not None, f"{found.name} has no {word}"
        found = inner
    return found


def test_every_alert_has_an_entry_and_every_entry_an_alert() -> None:
    """And the alert says where its entry is."""
    alerts = deployed.alerts()
    pages = {name: re.findall(r"runbook_url: (.*)", rule) for name, rule in alerts.items()}

    assert list(alerts) == list(dict.fromkeys(alerts))
    assert sorted(alerts) == sorted(deployed.entries())
    assert {name: [f"deploy/RUNBOOK.md#{name.lower()}"] for name in alerts} == pages


@pytest.mark.parametrize("name", deployed.entries())
def test_an_entry_goes_from_symptom_to_what_comes_after(name: str) -> None:
    """Each part once, in this order, and none is empty."""
    found = re.findall(r"^\*\*(\w+)\*\* (\S)", deployed.entries()[name], re.MULTILINE)

    assert list(PARTS) == [part for part, _ in found]


def test_every_command_of_the_runbook_exists() -> None:
    """By its name and its options: nobody shall find out at night that it is called otherwise."""
    told = list(spoken_of())
    unknown = []
    for name, line in told:
        words = shlex.split(line)[1:]
        command = resolved(words)
        assert not isinstance(command, click.Group), line
        known = {option for each in command.params for option in each.opts}
        unknown += [
            (name, line, word) for word in words if word.startswith("--") and word not in known
        ]

    assert [] == unknown
    assert len({line for _, line in told}) > 20


def test_rules_and_dashboards_ask_for_metrics_that_exist() -> None:
    """A query for a name that nobody has is silent for ever."""
    rules = {(name, each) for name, rule in deployed.alerts().items() for each in asked(rule)}
    panels = {(query.panel, each) for query in deployed.queries() for each in asked(query[2])}
    entries = {(name, each) for name, text in deployed.entries().items() for each in asked(text)}
    known = deployed.known_metrics()

    assert [] == sorted(each for each in rules | panels | entries if each[1] not in known)


def test_alerts_ask_for_roles_that_are_scraped() -> None:
    """By the job names of prometheus.yml."""
    named = {
        job
        for rule in deployed.alerts().values()
        for names in re.findall(r'job=~?"([\w|]+)"', rule)
        for job in names.split("|")
    }

    assert named
    assert set() == named - deployed.jobs()


def test_every_alert_is_tested_to_fire_and_to_be_silent() -> None:
    """In promtool's tests: firing where it should, and not where it should not."""
    tests = deployed.alert_tests()
    fires = set(re.findall(r'expr: ALERTS\{alertname="(\w+)",alertstate="firing"\}', tests))
    silent = set(re.findall(r"alertname: (\w+), eval_time: \w+, exp_alerts: \[\]", tests))

    assert set(deployed.alerts()) == fires == silent


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "--lint-fatal", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_agrees(arguments: tuple[str, ...]) -> None:
    """Configuration and rules are valid, and alerts fire and end as their tests say."""
    done = subprocess.run(
        [required("promtool"), *arguments],
        cwd=deployed.PROMETHEUS,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr


def test_dashboards_are_found_and_ask_the_provisioned_source() -> None:
    """Identities are unique; every panel and variable asks the one source that there is."""
    boards = [json.loads(path.read_text()) for path in deployed.DASHBOARDS]
    source = (deployed.ROOT / "deploy" / "grafana" / "datasources.yml").read_text()
    ids = [[panel["id"] for panel in board["panels"]] for board in boards]
    titles = [[panel["title"] for panel in board["panels"]] for board in boards]
    asked_sources = set(re.findall(r'"uid": "(prometheus[^"]*)"', json.dumps(boards)))

    assert ["delivery", "engine", "overview"] == [path.stem for path in deployed.DASHBOARDS]
    assert 3 == len({board["uid"] for board in boards})
    assert all(len(set(each)) == len(each) for each in ids + titles)
    assert {"prometheus"} == asked_sources
    assert "uid: prometheus\n" in source


def test_panels_do_not_overlap() -> None:
    """Each has its place on the page."""
    for path in deployed.DASHBOARDS:
        taken: dict[tuple[int, int], str] = {}
        for panel in json.loads(path.read_text())["panels"]:
            at = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }

            assert not cells & taken.keys(), (path.stem, panel["title"])
            assert all(x < 24 for x, _ in cells), (path.stem, panel["title"])
            taken |= dict.fromkeys(cells, panel["title"])


def test_what_compose_mounts_is_there() -> None:
    """Rules, dashboards and their provisioning among it."""
    mounted = re.findall(r"^      - \./([\w./-]+):", deployed.COMPOSE.read_text(), re.MULTILINE)

    assert [] == [path for path in mounted if not (deployed.ROOT / path).exists()]
    assert {
        "deploy/prometheus/alerts.yml", "deploy/grafana/dashboards", "deploy/grafana/dashboards.yml"
    } <= set(mounted)  # fmt: skip


def asked(text: str) -> set[str]:
    """The metrics that a text names."""
    return set(deployed.METRIC.findall(text))
