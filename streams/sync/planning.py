"""Which run is next: the one that was cut short, all since a date, or what changed since the last.

Pure, but for the look at the API's first pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec.structs import replace

from streams.errors import ConfigurationError
from streams.sync.lists import LISTS, PROBED, filters_of
from streams.sync.standing import Run
from streams.sync.window import OVERLAP, Window

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from streams.sync.reading import Api
    from streams.sync.standing import Standing

__all__ = [
    "Asked",
    "FirstPage",
    "begun",
    "first_pages",
    "goes_on",
    "is_all",
    "of_turn",
    "since_of",
]


class Asked(NamedTuple):
    """What somebody asked for.

    Attributes:
        since: epoch milliseconds, or all that there is; None: since the last run.
        complete: end with marks, whatever is read.
        behind: milliseconds that the window ends before the run's start.
    """

    since: int | Literal["beginning"] | None = None
    complete: bool = False
    behind: int = 0


class FirstPage(NamedTuple):
    """The first page of a list: its entities, and whether there are more."""

    entity: str
    results: list[dict[str, Any]]
    more: bool


def goes_on(standing: Standing, asked: Asked) -> Run | None:
    """The run that was cut short, if it is the one that is asked for."""
    run = standing.run
    if run is None:
        return None
    if asked.since is not None and run.since != _moment(asked):
        return None
    return replace(run, ends_marked=run.ends_marked or asked.complete)


def of_turn(standing: Standing, asked: Asked) -> Asked:
    """What a process that stays asks next: since when, and with marks, is said of the first run.

    A later run reads behind webhooks, so that it tells nothing first; with marks it would not.
    """
    if standing.watermark is None and standing.run is None:
        return asked
    return asked._replace(since=None, complete=asked.complete and standing.marked is None)


def since_of(standing: Standing, asked: Asked, merchant: str) -> int | None:
    """Where the window of a new run begins: epoch milliseconds, None: nowhere.

    Raises:
        ConfigurationError: nobody said, and there was no run before.
    """
    if asked.since is not None:
        return _moment(asked)
    if standing.watermark is None:
        raise ConfigurationError(
            "--since",
            f"nothing was read of merchant {merchant} yet",
            "Say since when: a date such as 2019-01-01, or `beginning`",
        )
    return standing.watermark - OVERLAP


def begun(run_id: str, window: Window, now: int, topic: str, begins: Mapping[int, int]) -> Run:
    """A new run; arguments as `Run`'s."""
    return Run(
        id=run_id,
        started=now,
        since=window.since,
        until=window.until,
        topic=topic,
        begins=dict(begins),
    )


async def is_all(api: Api, since: int | None, zone: ZoneInfo) -> bool:
    """Whether a window that begins there misses nothing that the API has.

    Raises as the API's client.
    """
    if since is None:
        return True
    before = Window(None, since - 1_000)
    for told in PROBED:
        filters = filters_of(told, before, zone) | {"page_size": "1"}
        async for page in api.pages(told.entity, filters):
            if page.results:
                return False
            break
    return True


async def first_pages(api: Api, window: Window, zone: ZoneInfo) -> list[FirstPage]:
    """The first page of each list; raises as the API's client."""
    found = []
    for told in LISTS:
        async for page in api.pages(told.entity, filters_of(told, window, zone)):
            found.append(FirstPage(told.entity, page.results, page.next is not None))
            break
    return found


def _moment(asked: Asked) -> int | None:
    return None if asked.since == "beginning" else asked.since
