"""`streams reconcile` and `streams backfill`, as far as they go without Kafka: wrong options."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from streams.cli import commands
from streams.cli.reconcile.lines import example_lines, summary_lines, write_report
from streams.errors import ConfigurationError
from streams.reconcile.comparing import Difference
from streams.reconcile.findings import Drift, Findings
from streams.reconcile.reasons import Reason, Why

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
[connections.klaviyo]
[connections.ometria]
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with settings, no variables of ours."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith("STREAMS_"):
            monkeypatch.delenv(name)
    (tmp_path / "streams.toml").write_text(SETTINGS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--against", "klaviyo", "--all", "--sample", "5"], "Choose one"),
        (["--against", "klaviyo", "--customer", "0088123"], "MERCHANT:CUSTOMER"),
        (["--against", "klavio"], "Did you mean klaviyo?"),
        (["--against", "ometria"], "These can be: klaviyo, attentive"),
        (["--against", "klaviyo"], "connections.klaviyo.credentials"),
        (["--against", "ordergroove"], "ordergroove.api"),
        (["--against", "klaviyo", "--yes", "3"], "Say --repair"),
        (["--against", "ordergroove", "--table", "members"], "knows nothing of members"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], said: str) -> None:
    """Before anybody is asked."""
    result = CliRunner().invoke(commands, ["reconcile", *arguments])

    assert isinstance(result.exception, ConfigurationError), result.output
    assert said in str(result.exception)


def test_nobody_is_backfilled_who_is_not_connected() -> None:
    """The name is checked first."""
    result = CliRunner().invoke(commands, ["backfill", "profiles", "--connection", "klavio"])

    assert isinstance(result.exception, ConfigurationError)
    assert "Did you mean klaviyo?" in str(result.exception)


def found() -> Findings:
    """Two customers who differ, of three."""
    drifts = [
        Drift(
            b"m:0088123",
            (Difference("email", "noor@shop-demo.io", None), Difference("status", "active", None)),
            Why(Reason.WAITING, "low lane"),
        ),
        Drift(b"m:0088124", (Difference("person", "known", None),), Why(Reason.NEVER_SENT)),
    ]
    return Findings(rows=4, compared=3, unaddressed=1, drifts=drifts)


def test_what_is_said() -> None:
    """Counts, reasons with their meaning, and nobody's identity."""
    said = "\n".join([*summary_lines("klaviyo", found()), *example_lines(found(), unmasked=False)])

    assert "klaviyo: 4 rows, 3 compared: 2 customers differ, in 3 fields" in said
    assert "1 of whom nothing is told there" in said
    assert "never_sent  " in said
    assert "waiting (low lane)" in said
    assert not [word for word in ("noor", "0088123") if word in said]


@pytest.mark.parametrize("unmasked", [False, True])
def test_what_is_reported(tmp_path: Path, *, unmasked: bool) -> None:
    """A line each field; who it is only where that is asked for."""
    file = tmp_path / "drift.jsonl"
    write_report(file, "klaviyo", found(), unmasked=unmasked)
    lines = file.read_text().splitlines()

    assert 3 == len(lines)
    assert unmasked == ("noor@shop-demo.io" in lines[0])
    assert unmasked == ("0088123" in lines[0])
    assert '"reason":"waiting","detail":"low lane"' in lines[1]
