"""Nothing is done before the number of what it is about was typed, or given beforehand."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from streams.cli.confirmation import confirm, yes_option

MESSAGED = 1_234


@click.command()
@yes_option
def trigger(yes: int | None) -> None:
    """A command that does something to customers."""
    confirm(MESSAGED, "customers will be messaged", yes)
    click.echo("done")


def test_the_number_that_the_plan_shows_is_taken() -> None:
    """In a script it is given beforehand."""
    result = CliRunner().invoke(trigger, ["--yes", "1234"])

    assert (0, "done\n") == (result.exit_code, result.output)


@pytest.mark.parametrize("told", [["--yes", "1233"], ["--yes", "0"], []])
def test_another_number_or_none_does_nothing(told: list[str]) -> None:
    """It is said which one would have fitted, and that nothing was done."""
    result = CliRunner().invoke(trigger, told)

    assert 2 == result.exit_code
    assert "done\n" not in result.output
    assert "--yes 1234" in result.output
    assert "1,234 customers will be messaged" in result.output


@pytest.mark.parametrize(
    ("typed", "code"), [("1234", 0), ("1,234", 0), ("y", 2), ("", 2), ("12345", 2)]
)
def test_somebody_at_a_terminal_types_it(typed: str, code: int) -> None:
    """A terminal of our own stands in for theirs: `y` is not enough."""
    ours, theirs = pty.openpty()
    program = "from tests.unit.test_confirmation import trigger; trigger()"
    with os.fdopen(ours, "w") as keyboard:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(theirs)
        keyboard.write(f"{typed}\n")
        keyboard.flush()
        output, asked = process.communicate(timeout=60)

    assert code == process.returncode
    assert ("done" in output) == (code == 0)
    assert "1,234 customers will be messaged. Type 1234" in asked
