"""When many failures are one failure: `streams.breaker`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from streams.breaker import DEFAULT_RULE, Breaker, Cause, Kind, Rule
from streams.cli.composition import breaker_rule_of
from streams.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

MALFORMED: Kind = ("malformed", None)
NO_EMAIL: Kind = ("invalid", "email")


def test_the_default_is_what_is_promised() -> None:
    """More than 20 % of at least 200 in a minute; looked at again after half a minute."""
    assert Rule(share=0.2, at_least=200, within=60.0, retry=30.0) == DEFAULT_RULE


@pytest.mark.parametrize(
    ("records", "failed", "closed"),
    [
        pytest.param(200, 40, True, id="exactly 20 %"),
        pytest.param(200, 41, False, id="one more"),
        pytest.param(199, 199, True, id="all, but one too few to judge"),
        pytest.param(200, 200, False, id="all"),
        pytest.param(1_005, 201, True, id="exactly 20 % of an odd number"),
        pytest.param(1_005, 202, False, id="one more of an odd number"),
        pytest.param(5_000, 0, True, id="none"),
    ],
)
def test_the_share_and_the_number_decide(records: int, failed: int, closed: bool) -> None:
    """It opens above the share of enough records, not at it, and says how many there were."""
    breaker = Breaker(DEFAULT_RULE)
    states = [
        breaker.count(records - failed, {}, 5.0),
        breaker.count(failed, {MALFORMED: failed}, 5),
    ]

    assert [True, closed] == states
    assert (None if closed else Cause(MALFORMED, failed, records)) == breaker.cause


@pytest.mark.parametrize("share", [0.1, 0.29, 0.57, 0.7])
def test_exactly_the_share_is_not_more(share: float) -> None:
    """However a product of floats is rounded."""
    breaker = Breaker(Rule(share=share, at_least=1))
    failed = round(share * 100)

    assert breaker.count(100, {MALFORMED: failed}, 0.0)


def test_one_at_a_time_is_as_many_together() -> None:
    """The 200th record opens it, also if it is a good one."""
    breaker = Breaker(DEFAULT_RULE)
    states = [breaker.count(1, {MALFORMED: 1} if n < 41 else {}, n / 10) for n in range(200)]

    assert [*[True] * 199, False] == states


def test_only_failures_that_are_alike_count_together() -> None:
    """Three kinds with less than their share each leave it closed, whatever their sum."""
    breaker = Breaker(DEFAULT_RULE)
    kinds = {MALFORMED: 40, NO_EMAIL: 40, ("invalid", "phone_number"): 40}
    mixed = breaker.count(200, kinds, 0.0)
    more = breaker.count(1, {NO_EMAIL: 1}, 0.0)

    assert (True, False) == (mixed, more)
    assert (
        "41 of 201 failed alike: invalid (email)" == (breaker.cause or Cause(NO_EMAIL, 0, 0)).text
    )


@pytest.mark.parametrize(
    ("later", "closed"),
    [
        pytest.param(59.9, False, id="within the minute"),
        pytest.param(60.0, True, id="a minute later"),
        pytest.param(600.0, True, id="long after"),
    ],
)
def test_the_window_slides(later: float, closed: bool) -> None:
    """What was counted a minute ago is forgotten, failures and others alike."""
    breaker = Breaker(DEFAULT_RULE)
    breaker.count(150, {MALFORMED: 100}, 1_000.0)

    assert closed is breaker.count(199, {}, 1_000.0 + later)


def test_the_window_slides_bit_by_bit() -> None:
    """Old failures leave one after the other; a steady share below the limit never adds up."""
    breaker = Breaker(DEFAULT_RULE)
    states = [breaker.count(10, {MALFORMED: 2}, float(second)) for second in range(600)]
    worse = [breaker.count(10, {MALFORMED: 3}, float(second)) for second in range(600, 602)]

    assert {True} == set(states)
    assert [False] == worse[-1:]


def test_good_ones_do_not_close_it() -> None:
    """Once open, it stays so until a trial closes it."""
    breaker = Breaker(DEFAULT_RULE)
    breaker.count(200, {MALFORMED: 200}, 0.0)

    assert not breaker.count(10_000, {}, 1.0)
    assert not breaker.count(1, {}, 500.0)


@pytest.mark.parametrize(
    ("records", "failures", "closed"),
    [
        pytest.param(1, {}, True, id="one good one"),
        pytest.param(1, {MALFORMED: 1}, False, id="one bad one"),
        pytest.param(5, {MALFORMED: 1}, True, id="20 %"),
        pytest.param(4, {MALFORMED: 1}, False, id="25 %"),
        pytest.param(3, {NO_EMAIL: 2}, False, id="alike in another way"),
        pytest.param(10, {MALFORMED: 2, NO_EMAIL: 2}, True, id="mixed"),
    ],
)
def test_a_trial_of_any_size_decides(
    records: int,
    failures: dict[Kind, int],
    closed: bool,
) -> None:
    """While it is open, a trial closes it if not more than the share fail alike."""
    breaker = Breaker(DEFAULT_RULE)
    breaker.count(200, {MALFORMED: 200}, 0.0)

    assert closed is breaker.retried(records, failures, 30.0)
    assert closed is (breaker.cause is None)


def test_after_a_trial_it_begins_anew() -> None:
    """The failures that opened it are forgotten; as many again open it again."""
    breaker = Breaker(DEFAULT_RULE)
    breaker.count(200, {MALFORMED: 200}, 0.0)
    breaker.retried(1, {}, 1.0)
    states = [breaker.count(198, {MALFORMED: 198}, 1.0), breaker.count(1, {MALFORMED: 1}, 1.0)]

    assert [True, False] == states


def test_the_settings_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any, the settings come to the default rule; each of them reaches the rule."""
    monkeypatch.chdir(tmp_path)
    for name in [each for each in os.environ if each.startswith("STREAMS_")]:
        monkeypatch.delenv(name)
    rules = [breaker_rule_of(load_settings())]
    told = {"SHARE": "0.5", "AT_LEAST": "3", "WITHIN": "2m", "RETRY": "500ms"}
    for name, value in told.items():
        monkeypatch.setenv(f"STREAMS_BREAKER__{name}", value)
    rules.append(breaker_rule_of(load_settings()))

    assert [DEFAULT_RULE, Rule(share=0.5, at_least=3, within=120.0, retry=0.5)] == rules
