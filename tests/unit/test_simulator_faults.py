"""Faults of simulators: how often they fire, and the files that they and the switches come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.simulators import SIMULATORS, Options, read_options
from streams.simulators.faults import Fault, FaultPlan, load_scenario

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = "/api/events"


def _pattern(fault: Fault, requests: int) -> str:
    plan = FaultPlan([fault])
    fired = [plan.fire(EVENTS, 0, list).fault is not None for _ in range(requests)]
    return "".join("x" if each else "." for each in fired)


@pytest.mark.parametrize(
    ("fault", "pattern"),
    [
        pytest.param(Fault(kind="drop"), "xxxxx", id="always"),
        pytest.param(Fault(kind="drop", count=2), "xx...", id="count"),
        pytest.param(Fault(kind="drop", after=3), "...xx", id="after"),
        pytest.param(Fault(kind="drop", after=1, count=2), ".xx..", id="after and count"),
        pytest.param(Fault(kind="drop", count=0), ".....", id="never"),
        pytest.param(Fault(kind="drop", endpoint="/api/profile*"), ".....", id="elsewhere"),
        pytest.param(Fault(kind="drop", endpoint="/api/e*"), "xxxxx", id="here by pattern"),
    ],
)
def test_how_often_a_fault_fires(fault: Fault, pattern: str) -> None:
    """Faults let some pass, fire so many times, and only at their endpoint."""
    assert pattern == _pattern(fault, len(pattern))


def test_chance_is_repeatable() -> None:
    """Equal seeds fire at equal requests, others at others, about as often as they should."""
    first, again, other = (
        _pattern(Fault(kind="drop", probability=0.25, seed=seed), 1000) for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other
    assert 200 < first.count("x") < 300


def test_the_first_fault_that_fires_wins() -> None:
    """A later fault does not use up its count on requests that another one has spoiled."""
    plan = FaultPlan([Fault(kind="reset", count=1), Fault(kind="drop", count=1)])

    kinds = [fault.kind if (fault := plan.fire(EVENTS, 0, list).fault) else None for _ in range(3)]

    assert ["reset", "drop", None] == kinds
    assert [(3, 1), (2, 1)] == [(each["seen"], each["fired"]) for each in plan.describe()]


def test_a_scenario_file(tmp_path: Path) -> None:
    """A TOML file gives faults and switches; the command line's other arguments stand beside it."""
    path = tmp_path / "bad-day.toml"
    path.write_text(
        """
        [[faults]]
        kind = "status"
        status = 429
        retry_after = 2
        probability = 0.1
        match = { email = "*@shop-demo.io" }

        [switches]
        bad_phone = "refuse"
        keys = { pk_shop = { account = "shop", scopes = ["events:write"] } }
        """
    )

    options = read_options("off", None, path)

    match = {"email": "*@shop-demo.io"}
    fault = Fault(kind="status", status=429, retry_after=2, probability=0.1, match=match)
    assert (None, (fault,)) == (options.limits, options.faults)
    assert SIMULATORS["klaviyo"](options).state() == {"profiles": [], "events": [], "jobs": []}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[[faults]]\nkind = 'flood'", r"Invalid enum value 'flood'.*kind", id="kind"),
        pytest.param("[[faults]]\nkind = 'drop'\nonce = 1", "unknown field `once`", id="field"),
        pytest.param("[[faults]]\nkind = 'drop'\nprobability = 2", "probability", id="range"),
        pytest.param("[[faults]]\nkind = 'status'\nstatus = 200", "status", id="no failure"),
        pytest.param("[[faults]]\ncount = 1", "missing required field `kind`", id="no kind"),
        pytest.param("[[fault]]\nkind = 'drop'", "unknown field `fault`", id="table"),
        pytest.param("faults = [", "at end of document", id="no TOML"),
    ],
)
def test_wrong_scenario_files_name_the_field(text: str, message: str, tmp_path: Path) -> None:
    """The message has the argument, the file and the field."""
    path = tmp_path / "bad-day.toml"
    path.write_text(text)

    with pytest.raises(ValueError, match=message) as raised:
        load_scenario(path)

    assert str(raised.value).startswith(f"--faults: {path}: ")


def test_a_missing_scenario_file(tmp_path: Path) -> None:
    """A file that cannot be read is named."""
    with pytest.raises(ValueError, match=r"--faults: cannot read .*none\.toml: No such file"):
        load_scenario(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"bad_phones": "refuse"}, "unknown field `bad_phones`"),
        ({"bad_phone": "maybe"}, r"Invalid enum value 'maybe'.*bad_phone"),
        ({"stolen_share": 2}, "stolen_share"),
    ],
)
def test_wrong_switches_are_named(switches: dict[str, object], message: str) -> None:
    """A switch that does not exist, or cannot have the value, is an error at once."""
    with pytest.raises(ValueError, match=message):
        SIMULATORS["klaviyo"](Options(switches=switches))
