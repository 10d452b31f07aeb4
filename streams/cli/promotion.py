"""`streams connections promote`: going live, seen before it happens; and `reset`, the way back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click
from msgspec.structs import replace

from streams.cli.codecs import schemas_of
from streams.cli.composition import kafka_of, names_of, sources_of
from streams.cli.connection_lines import forecast_lines, lag_text, mode_text
from streams.cli.connection_settings import credentials_of, gate_settings
from streams.cli.context import Context, pass_context
from streams.cli.deciding import CLIENT, check_name, control_of, operator
from streams.control.connections import gate_of
from streams.control.forecast import DAY_MS, forecast
from streams.control.records import ConnectionState, Promotion
from streams.control.standing import beyond, lag_of
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from streams.settings import Settings

TARDY_MS: Final = 60_000
"""A record that derive has not finished counts as its lag when it is older: some always are under
way."""


class Refused(click.ClickException):
    """A promotion that would do harm now."""

    exit_code = 1


@click.command()
@click.argument("name")
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
    check_name(settings, name)
    promotion = _promotion(percentage, customers, by or operator())
    own = gate_settings(settings.connections[name])
    if own.mode == "off":
        raise ConfigurationError(
            f"connections.{name}.mode", "the connection is off", "Set shadow, and look what it does"
        )
    kafka, names, control = kafka_of(settings, CLIENT), names_of(settings), control_of(settings)
    before = control.states().get(name, ConnectionState())
    after = _promoted(before, promotion)
    decode = schemas_of(settings, [], wait=False).decode_in_thread("outcome")
    gate = gate_of(own, after)
    found = forecast(kafka, names.outcomes, _now() - DAY_MS, name, gate, decode)
    click.echo(f"{name}: {mode_text(gate_of(own, before))} → {mode_text(gate)}")
    click.echo("in the last 24 hours it would have sent, of what it only recorded:")
    click.echo("\n".join(forecast_lines(found)))
    if not found.judged:
        click.echo(f"  no outcomes at all: does `streams worker deliver {name}` run?")
    _check_ready(settings, name)
    if not execute:
        click.echo("nothing is changed; --execute does it")
        return
    control.change(name, lambda state: _promoted(state, promotion))
    rests = "; it is paused, resume it" if before.pause is not None else ""
    click.echo(f"{name}: {mode_text(gate)} from now on{rests}")


@click.command()
@click.argument("name")
@pass_context
def reset(context: Context, name: str) -> None:
    """Forget what NAME was promoted to: the mode of the settings holds again, at once."""
    settings = context.settings
    check_name(settings, name)
    control_of(settings).change(name, lambda state: replace(state, promotion=None))
    click.echo(f"{name}: {mode_text(gate_settings(settings.connections[name]))}, by the settings")


def _promotion(percentage: float | None, customers: tuple[str, ...], by: str) -> Promotion:
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


def _check_ready(settings: Settings, name: str) -> None:
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
