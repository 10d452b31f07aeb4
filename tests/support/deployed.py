"""What is under deploy/ for whoever watches: alerts, their tests, the runbook, dashboards; as text.

The YAML files are read by line: they are written so, and promtool reads them as a whole.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.support.readme_tables import metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RUNBOOK = ROOT / "deploy" / "RUNBOOK.md"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
COMPOSE = ROOT / "docker-compose.yml"

METRIC = re.compile(r"\bstreams_[a-z0-9_]+")
_ENTRY = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_VARIABLES = {"$__rate_interval": "5m", "$lane": ".+", "$connection": ".+"}
"""Not `.*`, which a series that lacks the label has, too."""


class Query(NamedTuple):
    """A query of a panel, with its variables filled in, and the labels that its legend shows."""

    dashboard: str
    panel: str
    expression: str
    legend: frozenset[str]


def alerts() -> dict[str, str]:
    """Alert → its rule, as it is written."""
    parts = re.split(r"^      - alert: (\w+)\n", _text("alerts.yml"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def alert_tests() -> str:
    """The unit tests of the alerts."""
    return _text("alerts_test.yml")


def jobs() -> set[str]:
    """What is scraped, by the names of roles."""
    return set(re.findall(r"job_name: (\w+)", _text("prometheus.yml")))


def entries() -> dict[str, str]:
    """Heading → entry of the runbook."""
    return dict(_ENTRY.findall(RUNBOOK.read_text()))


def queries() -> Iterator[Query]:
    """Every query of every panel."""
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", ()):
                expression = target["expr"]
                for name, value in _VARIABLES.items():
                    expression = expression.replace(name, value)
                legend = frozenset(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
                yield Query(path.stem, panel["title"], expression, legend)


def known_metrics() -> set[str]:
    """Every name that a process can answer with."""
    found = set()
    for name, kind in re.findall(r"^\| `(streams_\w+)` \| (\w+) ", metrics(), re.MULTILINE):
        suffixes = ("_bucket", "_count", "_sum") if kind == "histogram" else ("",)
        found |= {name + suffix for suffix in suffixes}
        found.add(name)  # the runbook speaks of a histogram by its own
    return found


def _text(name: str) -> str:
    return (PROMETHEUS / name).read_text()
