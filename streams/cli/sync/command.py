"""`streams sync`: what a source has, read through its API, as records of its topic."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from zoneinfo import ZoneInfo

import click
from pydantic import TypeAdapter, ValidationError

from streams.cli.codecs import schemas_of
from streams.cli.completers import merchants
from streams.cli.composition import intake_of, kafka_of, names_of
from streams.cli.confirmation import yes_option
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.logs import configure_logs
from streams.cli.sync.rounds import STOPPED, Wish, once, stay
from streams.cli.sync.syncing import Syncing, SyncTakenOver
from streams.cli.worker.rehearsal import rehearsal
from streams.control.erased import EVERYBODY, ErasedList
from streams.control.follower import Follower
from streams.engine.away import await_broker
from streams.errors import ConfigurationError
from streams.health import starting_pages
from streams.ingest.ordergroove_api import ApiAway, ApiUnexpected
from streams.ingest.server import run
from streams.names import ORDERGROOVE
from streams.settings.values import Duration
from streams.sync.planning import Asked
from streams.sync.window import earliest

if TYPE_CHECKING:
    from streams.settings import Settings

AWAY: Final = 69
"""Exit status where Ordergroove gave no answer that is of use."""

_BEHIND: Final = "5m"
"""What a sync says first starts no flow any more: so a webhook has had time to come first."""

_duration = TypeAdapter(Duration)


class Cut(click.ClickException):
    """The run ended before its end; what it wrote stays, and the same command goes on."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(f"{message}. The same command goes on with it")
        self.exit_code = exit_code


@examples(
    "# The first time: all that Ordergroove has, once the number is typed",
    "streams sync ordergroove --since beginning",
)
@click.group()
def sync() -> None:
    """Read what a source has, and write it to its topic."""


@examples(
    "# The first time: all, once the number that it shows is typed",
    "streams sync ordergroove --since beginning",
    "# All of the past is known with it: what is concluded needs no caution",
    "streams sync ordergroove --since beginning --complete",
    "# From then on: what changed since the last run, every hour",
    "streams sync ordergroove --every 1h",
    "# One merchant, from a day on",
    "streams sync ordergroove --since 2026-11-01 --merchant 5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65",
)
@sync.command()
@click.option("--since", metavar="DATE", help="Read what changed since then, or `beginning`: all.")
@click.option(
    "--merchant",
    "merchants",
    multiple=True,
    shell_complete=merchants,
    help="Only this one. Default: all set up.",
)
@click.option("--every", metavar="1h", help="Stay, and read what changed since the last run.")
@click.option(
    "--complete",
    is_flag=True,
    help="Say that all of the past is known with it; with --every: with the first one.",
)
@click.option("--changes-only", is_flag=True, help="With --every: no payments, products once.")
@click.option(
    "--behind",
    metavar="5m",
    help="Leave what changed so recently to webhooks. Default: with --every 5m, else nothing.",
)
@click.option("--port", type=click.IntRange(0, 65535), help="HTTP port of health, with --every.")
@yes_option
@pass_context
def ordergroove(
    context: Context,
    /,
    merchants: tuple[str, ...],
    every: str | None,
    port: int | None,
    *,
    changes_only: bool,
    yes: int | None,
    **told: Any,
) -> None:
    """Ordergroove's entities → source topic: state that seeds rows and starts no flows.

    The first run needs --since, and shows what it finds before it is confirmed; later ones begin
    where the last one began; one that was cut short goes on. With --every nobody is asked, and
    --since is for the first run. Ordergroove advises to read between 12:00 and 20:00 Central. What
    was deleted there leaves nothing to read.
    """
    settings = context.settings
    configure_logs(settings.logs)
    chosen = _chosen(settings, merchants)
    seconds = None if every is None else _seconds("--every", every)
    wish = Wish(_asked(settings, stays=every is not None, **told), changes_only, yes)
    place = (settings.web.host, settings.web.port if port is None else port)
    try:
        code = _run(settings, chosen, wish, seconds, place)
    except SyncTakenOver as error:
        raise Cut(str(error), STOPPED) from None
    except (ApiAway, ApiUnexpected) as error:
        raise Cut(str(error), AWAY) from None
    if code:
        sys.exit(code)


def _run(
    settings: Settings,
    merchants: tuple[str, ...],
    wish: Wish,
    every: float | None,
    place: tuple[str, int],
) -> int:
    names, kafka, at = names_of(settings), kafka_of(settings, "streams-sync"), rehearsal()
    written = [intake_of(settings), names.dead_letters(ORDERGROOVE)]
    with starting_pages(*place) if every is not None else nullcontext():
        schemas = schemas_of(settings, written, wait=every is not None)
        await_broker(kafka)
    follower = Follower(kafka, names.erased, EVERYBODY)
    follower.start()
    try:
        erased = ErasedList(settings.hash_key.get_secret_value().encode(), follower.read)
        syncing = Syncing(settings, schemas, erased.hides, merchants, at)
        if every is None:
            return run(once(syncing, merchants, wish))
        return run(stay(syncing, merchants, wish, every, place))
    finally:
        follower.close()


def _chosen(settings: Settings, merchants: tuple[str, ...]) -> tuple[str, ...]:
    """The merchants that are meant; raises `ConfigurationError`."""
    known = tuple(settings.ordergroove.api)
    if not known:
        raise ConfigurationError(
            "ordergroove.api", "no merchant is set", "Add a table [ordergroove.api.MERCHANT]"
        )
    for each in merchants:
        if each not in known:
            raise ConfigurationError(
                "--merchant", f"there is no [ordergroove.api.{each}]", f"Known: {', '.join(known)}"
            )
    return tuple(dict.fromkeys(merchants)) or known


def _asked(
    settings: Settings, *, stays: bool, since: str | None, complete: bool, behind: str | None
) -> Asked:
    if behind is None:
        behind = _BEHIND if stays else "0s"
    late = int(_seconds("--behind", behind, least=0.0) * 1_000)
    zone = ZoneInfo(settings.ordergroove.source_zone)
    return Asked(None if since is None else _since(since, zone), complete, late)


def _since(text: str, zone: ZoneInfo) -> int | Literal["beginning"]:
    """A date or a time, in Ordergroove's zone where it names none; raises `ConfigurationError`."""
    if text == "beginning":
        return "beginning"
    try:
        at = earliest(datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        at = -1
    if not 0 <= at <= time.time() * 1_000:
        raise ConfigurationError(
            "--since", "not a date that was", "Write it like 2019-01-01, or say `beginning`"
        )
    return at


def _seconds(option: str, text: str, least: float = 0.1) -> float:
    """The seconds of a duration; raises `ConfigurationError`."""
    try:
        found = _duration.validate_python(text).total_seconds()
    except ValidationError:
        found = -1.0
    if found < least:
        raise ConfigurationError(option, "not a duration", 'Write it like "1h" or "5m"')
    return found
