"""`streams connections promote`: going live, seen before it happens; and `reset`, the way back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

import click
from msgspec.structs import replace

from streams.cli.auditing import audit_of
from streams.cli.codecs import schemas_of
from streams.cli.completers import connection_names
from streams.cli.composition import kafka_of, names_of, sources_of
from streams.cli.connections.deciding import CLIENT, check_name, control_of, operator
from streams.cli.connections.decisions import reset as reset_connection
from streams.cli.connections.lines import forecast_lines, lag_text, low_text, mode_text
from streams.cli.connections.settings import credentials_of, gate_settings
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.control.connections import gate_of
from streams.control.forecast import DAY_MS, forecast
from streams.control.records import ConnectionState, Promotion
from streams.control.standing import beyond, lag_of, low_waits
from streams.errors import ConfigurationError
from streams.model.ids import customer_hash

if TYPE_CHECKING:
    from collections.abc import Collection

    from streams.control.forecast import Forecast
    from streams.control.standing import LowWaits
    from streams.delivery.gate import Gate
    from streams.settings import Settings

TARDY_MS: Final = 60_000
"""A record that derive has not finished counts as its lag when it is older: some always are under
way."""


class Refused(click.ClickException):
    """A promotion that would do harm now."""

    exit_code = 1


@examples(
    "# What it would have sent in the last 24 hours; nothing is changed",
    "streams connections promote klaviyo",
    "# Live for a tenth of the customers, then for all",
    "streams connections promote klaviyo --percentage 10 --execute",
    "streams connections promote klaviyo --execute",
    "# Live for one customer; --execute does it",
    "streams connections promote klaviyo --allowlist 5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65:0088771",
)
@click.command()
@click.argument("name", shell_complete=connection_names)
@click.option(
    "--percentage",
    type=click.FloatRange(0, 100),
    help="Live for this share of the customers; raising it only adds people.",
)
@click.option(
    "--allowlist",
    "customers",
    multiple=True,
    metavar="MERCHANT:CUSTOMER",
    help="Live for this customer, and those named before; once or more often.",
)
@click.option("--execute", is_flag=True, help="Do it. Without, nothing is changed.")
@click.option("--by", help="Whose decision it is. Default: this user.")
@pass_context
def promote(
    context: Context,
    name: str,
    percentage: float | None,
    customers: tuple[str, ...],
    by: str | None,
    *,
    execute: bool,
) -> None:
    """Show what NAME would have sent in the last 24 hours, and (--execute) let it send from now on.

    All customers, unless --percentage or --allowlist say otherwise. Refused while derive lags: what
    is counted would not be what comes.
    """
    settings = context.settings
    promotion = promotion_of(percentage, customers, by or operator())
    seen = foresee(settings, name, promotion)
    click.echo(f"{name}: {mode_text(seen.before)} → {mode_text(seen.after)}")
    click.echo("in the last 24 hours it would have sent, of what it only recorded:")
    click.echo("\n".join(forecast_lines(seen.forecast)))
    if seen.low.records:
        click.echo(f"{name}: {low_text(seen.low)}")
    if not seen.forecast.judged:
        click.echo(f"  no outcomes at all: does `streams worker deliver {name}` run?")
    check_ready(settings, name)
    if not execute:
        click.echo("nothing is changed; --execute does it")
        return
    promote_to(settings, name, promotion, seen)
    rests = "; it is paused, resume it" if seen.paused else ""
    click.echo(f"{name}: {mode_text(seen.after)} from now on{rests}")


@examples(
    "# Back to the mode of the settings, at once",
    "streams connections reset klaviyo",
)
@click.command()
@click.argument("name", shell_complete=connection_names)
@pass_context
def reset(context: Context, name: str) -> None:
    """Forget what NAME was promoted to: the mode of the settings holds again, at once."""
    settings = context.settings
    reset_connection(settings, name)
    click.echo(f"{name}: {mode_text(gate_settings(settings.connections[name]))}, by the settings")


class Foreseen(NamedTuple):
    """What a promotion would come to.

    Attributes:
        before: who may go now.
        after: who may go then.
        forecast: what that gate would have let through in the last 24 hours.
        low: what waits in the low lane, and whom of those it messages who are let in.
        paused: whether the connection rests: then it sends nothing until it is resumed.
    """

    before: Gate
    after: Gate
    forecast: Forecast
    low: LowWaits
    paused: bool


def foresee(settings: Settings, name: str, promotion: Promotion) -> Foreseen:
    """What a promotion would come to; nothing is changed.

    Raises:
        ConfigurationError: there is no such connection, or it is off.
        KafkaException: the broker does not answer.
    """
    check_name(settings, name)
    own = gate_settings(settings.connections[name])
    if own.mode == "off":
        raise ConfigurationError(
            f"connections.{name}.mode", "the connection is off", "Set shadow, and look what it does"
        )
    kafka, names = kafka_of(settings, CLIENT), names_of(settings)
    state = control_of(settings).states().get(name, ConnectionState())
    before, gate = gate_of(own, state), gate_of(own, _promoted(state, promotion))
    decode = schemas_of(settings, [], wait=False).decode_in_thread("outcome")
    found = forecast(kafka, names.outcomes, _now() - DAY_MS, name, gate, decode)
    low = low_waits(
        kafka,
        names.low(name),
        names.profiles_changelog(name),
        lambda customer: before.keeps(customer) is not None and gate.keeps(customer) is None,
    )
    return Foreseen(before, gate, found, low, state.pause is not None)


def promote_to(settings: Settings, name: str, promotion: Promotion, seen: Foreseen) -> None:
    """Let a connection send, once `check_ready` has let it; said on the audit topic.

    Customers who are let in by name are there as keyed hashes. Raises `KafkaException`.
    """
    key = settings.hash_key.get_secret_value().encode()
    what = {
        "connection": name,
        "mode": promotion.mode,
        "percentage": promotion.percentage,
        "customers": sorted(customer_hash(key, each.encode()) for each in promotion.allowlist),
        "a_day": seen.forecast.together.parts,
        "customers_a_day": seen.forecast.together.customers,
        "customers_waiting": seen.low.customers,
    }
    with audit_of(settings, promotion.by).action("connections.promote", what):
        control_of(settings).change(name, lambda state: _promoted(state, promotion))


def promotion_of(percentage: float | None, customers: Collection[str], by: str) -> Promotion:
    """The promotion that options mean; raises `ConfigurationError` for what is none."""
    if percentage is not None and customers:
        raise ConfigurationError("--allowlist", "--percentage says otherwise", "Give one of them")
    for each in customers:
        merchant, colon, customer = each.partition(":")
        if not (merchant and colon and customer):
            raise ConfigurationError(
                "--allowlist", "not a customer's key", "Write it MERCHANT:CUSTOMER"
            )
    if customers:
        return Promotion("allowlist", by, _now(), allowlist=frozenset(customers))
    return Promotion("live", by, _now(), 100.0 if percentage is None else percentage)


def _promoted(state: ConnectionState, promotion: Promotion) -> ConnectionState:
    """The state after a promotion; who was let in by name stays in."""
    known = state.promotion.allowlist if state.promotion is not None else frozenset()
    return replace(state, promotion=replace(promotion, allowlist=known | promotion.allowlist))


def check_ready(settings: Settings, name: str) -> None:
    """Raise where going live would do harm: derive lags, or nobody would be let in."""
    credentials_of(name, settings.connections[name], needed=True)
    kafka, names = kafka_of(settings, CLIENT), names_of(settings)
    for source in sources_of(settings):
        derived = names.derived(source)
        behind = beyond(kafka, derived.group, derived.topic, before=_now() - TARDY_MS)
        lag = lag_of(kafka, behind)
        if lag.records is None:
            raise Refused(f"derive has not begun with {derived.topic}: start its workers first")
        if lag.records:
            raise Refused(
                f"derive lags: group {derived.group} has {lag_text(lag)} records of {derived.topic}"
                f" before it that are older than {TARDY_MS // 1_000} s; wait until it is through"
            )


def _now() -> int:
    return int(time.time() * 1_000)
