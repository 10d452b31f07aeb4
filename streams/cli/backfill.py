"""`streams backfill`: what vendors should have known all along, told at once and on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from streams.avro_structs import struct_writer
from streams.cli.auditing import audit_of
from streams.cli.codecs import schemas_of
from streams.cli.completers import connection_names, merchants
from streams.cli.composition import connection_of, destination_of, names_of, options_of
from streams.cli.confirmation import confirm, yes_option
from streams.cli.connections.deciding import check_name
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.progress import adding, duration_text
from streams.cli.reconcile.read_backs import erased_of, kafka_for, standing_of, table_read
from streams.cli.table.command import TABLES
from streams.cli.worker.rehearsal import rehearsal
from streams.destinations.klaviyo_rules import PROFILES
from streams.errors import ConfigurationError
from streams.reconcile.backfill import Backfill, Progress, Terms, Wish, former_of
from streams.reconcile.evidence import Evidence
from streams.reconcile.sending import Lane
from streams.replay.transaction import TakenOver, Transactions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from streams.cli.reconcile.read_backs import Read
    from streams.reconcile.backfill import Former, Plan
    from streams.settings import Settings

ACTION: Final = "backfill.profiles"

_HOUR: Final = 3_600.0
_LONGEST_HOURS: Final = 10 * 24.0
"""The low lane keeps 14 days: what would take longer must go in parts."""


class Refused(click.ClickException):
    """Another command took over."""

    exit_code = 75


@examples(
    "# What telling Klaviyo of everybody would take; it asks before it begins",
    "streams backfill profiles --connection klaviyo",
)
@click.group()
def backfill() -> None:
    """Tell vendors what is known already, where only changes were told."""


@examples(
    "# Everybody, once the number that it shows is typed",
    "streams backfill profiles --connection klaviyo",
    "# Only those who subscribe now; in a script, with the number that was shown",
    "streams backfill profiles --connection yespo --status active --yes 1240",
    "# Members of the loyalty programme",
    "streams backfill profiles --connection klaviyo --table members",
)
@backfill.command()
@click.option(
    "--connection",
    "name",
    required=True,
    metavar="NAME",
    shell_complete=connection_names,
    help="Who is told.",
)
@click.option(
    "--merchant",
    "merchants",
    multiple=True,
    shell_complete=merchants,
    help="Only customers of this one.",
)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    help="Only customers of this status: active, inactive, none (never subscribed).",
)
@click.option(
    "--table",
    type=click.Choice(list(TABLES)),
    default="subscribers",
    show_default=True,
    help="Subscribers of Ordergroove, or members of Okendo Loyalty.",
)
@click.option("--again", is_flag=True, help="Also those that the vendor has as they are.")
@click.option("--one-by-one", is_flag=True, help="Not by the vendor's call for many.")
@yes_option
@pass_context
def profiles(context: Context, /, name: str, *, yes: int | None, **told: Any) -> None:
    """Send every customer's profile to a connection, through its low lane; starts no flow.

    It shows how many, and how long that takes at the vendor's limits, and then is confirmed. One
    that was cut short goes on where it was.
    """
    settings = context.settings
    check_name(settings, name)
    wish = Wish(**(told | {of: tuple(told[of]) for of in ("merchants", "statuses")}))
    kafka, low = kafka_for(settings), names_of(settings).low(name)
    former = _former(settings, name, wish)
    read = table_read(settings, kafka, wish.table)
    known = Evidence(kafka, names_of(settings), name, (), _nothing).known()
    applied = {key: version for one in known.values() for key, version in one.versions.items()}
    work = Backfill(_terms(settings, name, read, applied), wish)
    plan = work.plan(read.rows)
    click.echo("\n".join(_plan_lines(settings, name, plan, former.progress)))
    if not plan.profiles and former.progress is None:
        click.echo("nothing to do")
        return
    confirm(plan.profiles, f"profiles go to {name}, through its low lane", yes)
    try:
        written = _write(settings, name, read, work, plan, wish, former)
    except TakenOver:
        raise Refused("another backfill of the connection has begun, and goes on") from None
    click.echo(f"{written:,} profiles wait in {low}")


def _former(settings: Settings, name: str, wish: Wish, planned: Former | None = None) -> Former:
    """How far the connection's last backfill is; raises where this one must not begin now.

    Args:
        settings: of everything.
        name: of the connection.
        wish: what is asked for.
        planned: what this was when it was planned.
    """
    found = former_of(kafka_for(settings), names_of(settings).control, names_of(settings).low(name))
    if found.progress is not None and found.progress.wish != wish:
        raise ConfigurationError(
            "backfill",
            f"another one of {name} was begun and not finished: run {found.progress.run}",
            f"Finish it first: {_command(name, found.progress.wish)}",
        )
    if planned is not None and found.progress is None and found.offset > planned.offset:
        raise Refused(
            "another backfill of the connection has finished meanwhile: plan again, and see what is"
            " left to be told"
        )
    return found


def _nothing(_: bytes) -> Mapping[str, Any]:
    return {}


def _terms(settings: Settings, name: str, read: Read, applied: Mapping[bytes, int]) -> Terms:
    configured = settings.connections[name]
    return Terms(
        family=read.family,
        destination=destination_of(name, configured),
        options=options_of(configured),
        serves=None if configured.merchants is None else frozenset(configured.merchants),
        hides=erased_of(settings, kafka_for(settings)).hides,
        applied=applied,
    )


def _write(  # noqa: PLR0913, PLR0917 - what, of what, where from
    settings: Settings,
    name: str,
    read: Read,
    work: Backfill,
    plan: Plan,
    wish: Wish,
    planned: Former,
) -> int:
    names = names_of(settings)
    low = names.low(name)
    encode: Any = struct_writer(schemas_of(settings, [low], wait=False).codec("events/enriched"))
    what = {
        "connection": name,
        "table": wish.table,
        "merchants": list(wish.merchants),
        "statuses": list(wish.statuses),
        "again": wish.again,
        "one_by_one": wish.one_by_one,
        "profiles": plan.profiles,
    }
    _former(settings, name, wish, planned)  # before anybody is interrupted
    transactions = Transactions(
        kafka_for(settings), f"{settings.prefix}-backfill-{name}", rehearsal()
    )
    # what is read after it is not written any more: an earlier one may have gone on since the plan
    at = _former(settings, name, wish, planned).progress or Progress(run="", wish=wish)
    with audit_of(settings).action(ACTION, what, at.run or None) as entry:
        entry.result["written"] = at.written
        lane = Lane(low, read.family, encode, entry.id, bulk=not wish.one_by_one)
        begun = Progress(run=entry.id, wish=wish, written=at.written, after=at.after)
        with adding("profiles", plan.profiles) as add:
            add(at.written)
            for some in work.run(read.rows, transactions, lane, names.control, begun):
                entry.result["written"] += some
                add(some)
        written: int = entry.result["written"]
    return written


def _plan_lines(
    settings: Settings, name: str, plan: Plan, former: Progress | None
) -> Iterator[str]:
    configured = settings.connections[name]
    connection, rules = connection_of(name, configured), destination_of(name, configured).rules
    calls = ", ".join(f"{n:,} of {kind}" for kind, n in plan.requests(rules).items()) or "none"
    hours = plan.hours(rules, connection.limits, connection.low_share)
    yield f"{name}: {plan.profiles:,} of {plan.rows:,} rows are told"
    yield from (f"  {count:,} are not: {why}" for why, count in plan.left_out.most_common())
    yield f"  calls: {calls}"
    if PROFILES.batch in plan.calls:
        yield "  these need a key with lists:write, or the connection pauses; else say --one-by-one"
    share = f"{connection.low_share:.0%} of the vendor's limits"
    yield f"  that takes {duration_text(hours * _HOUR)} at {share}, beside live deliveries"
    if hours > _LONGEST_HOURS:
        yield "  the low lane keeps 14 days: do it in parts, by --merchant or --status"
    mode = standing_of(settings, name).gate.mode
    if mode != "live":
        yield f"  the connection is in mode {mode}: whom it does not serve is recorded, not sent"
    if former is not None:
        yield f"  goes on with run {former.run}: {former.written:,} were told before"


def _command(name: str, wish: Wish) -> str:
    words = ["streams backfill profiles --connection", name, "--table", wish.table]
    words += [word for each in wish.merchants for word in ("--merchant", each)]
    words += [word for each in wish.statuses for word in ("--status", each)]
    words += ["--again"] if wish.again else []
    return " ".join([*words, *(["--one-by-one"] if wish.one_by_one else [])])
