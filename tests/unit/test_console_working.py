"""Works of the console: they go on by themselves, can be stopped, and say what came of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from streams.cli.console.forms import fields
from streams.console.typed import is_typed
from streams.console.working import Work, Works
from streams.errors import ConfigurationError
from tests.support.engine_world import until

if TYPE_CHECKING:
    from collections.abc import Callable


def ended(job: Callable[[Work], str]) -> Work:
    """A work that has ended."""
    work = Works().begin("work", "kim", job)
    until(lambda: not work.runs, "it has ended")
    return work


def test_what_came_of_it_is_said() -> None:
    """In words, with how far it came."""

    def job(work: Work) -> str:
        work.told(3, 3)
        return "3 done"

    work = ended(job)

    assert ("done", "3 done", 3, 3, None) == (
        work.state, work.said, work.done, work.total, work.trouble,
    )  # fmt: skip


def test_it_stops_at_its_next_step() -> None:
    """What is done is done."""
    going, stopping = threading.Event(), threading.Event()

    def job(work: Work) -> str:
        work.told(1, 3)
        going.set()
        stopping.wait(10)
        work.told(2, 3)
        raise AssertionError("it went on")

    works = Works()
    work = works.begin("work", "kim", job)
    going.wait(10)
    work.stop()
    stopping.set()
    until(lambda: not work.runs, "it has ended")

    assert ("stopped", 2) == (work.state, work.done)
    assert works.find(work.id) is work


def test_what_ends_it_is_told_in_words() -> None:
    """Of an error that is ours, what it says; of another one nothing."""

    def wrong(_: Work) -> str:
        raise ConfigurationError("--since", "no time", "Write one")

    def worse(_: Work) -> str:
        raise RuntimeError("noor@shop-demo.io")

    ours, other = ended(wrong), ended(worse)

    assert ("failed", "failed") == (ours.state, other.state)
    assert ours.trouble is not None
    assert ("--since: no time.", "Write one") == ours.trouble
    assert "noor" not in str(other.trouble)


def test_pages_have_fields() -> None:
    """The commands' options are named as the form names them."""
    with pytest.raises(ConfigurationError, match=r"New ids: not a label\. Mend it"), fields():
        raise ConfigurationError("--new-ids", "not a label", "Mend it")
    with pytest.raises(ConfigurationError, match=r"registry\.url: none"), fields():
        raise ConfigurationError("registry.url", "none", "Set it")


@pytest.mark.parametrize(
    ("typed", "right"),
    [("1200", True), (" 1,200 ", True), ("12", False), ("", False), ("y", False), ("1200.", False)],
)
def test_the_number_is_typed(typed: str, *, right: bool) -> None:
    """With commas or without; nothing else goes."""
    assert right is is_typed(1_200, typed)
