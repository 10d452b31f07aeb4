"""`streams connections`: what each connection does, and what operators decide about it.

Nothing running is asked: all is in Kafka, and workers follow what is decided within a second.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
import msgspec
from msgspec.structs import replace

from streams.cli.codecs import schemas_of
from streams.cli.composition import destination_of, kafka_of, names_of
from streams.cli.connection_lines import (
    Standing,
    moment,
    standing_lines,
    standing_object,
    waits_lines,
)
from streams.cli.connection_probe import test
from streams.cli.connection_settings import gate_settings
from streams.cli.context import Context, pass_context
from streams.cli.deciding import CLIENT, check_name, control_of, operator
from streams.cli.promotion import promote, reset
from streams.control.connections import gate_of
from streams.control.forecast import DAY_MS, contacts
from streams.control.records import ConnectionState, Pause
from streams.control.standing import beyond, dead_letters_in, lag_of, what_waits
from streams.delivery.gate import Decision
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from streams.delivery.gate import How
    from streams.engine.kafka import KafkaSettings
    from streams.settings import Settings


@click.group()
def connections() -> None:
    """Connections to vendors: how they stand, and what is decided about them."""


connections.add_command(promote)
connections.add_command(reset)
connections.add_command(test)


@connections.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_context
def list_(context: Context, *, as_json: bool) -> None:
    """Show every connection: mode, state, lag, last success in 24 hours, dead letters."""
    settings = context.settings
    standings = _standings(settings, kafka_of(settings, CLIENT))
    if as_json:
        for each in standings:
            click.echo(msgspec.json.encode(standing_object(each)))
    else:
        click.echo("\n".join(standing_lines(standings)))


@connections.command()
@click.argument("name")
@click.option("--reason", help="Why, for whoever looks at the list.")
@click.option("--by", help="Whose decision it is. Default: this user.")
@pass_context
def pause(context: Context, name: str, reason: str | None, by: str | None) -> None:
    """Let NAME rest: it sends nothing and reads nothing; its events wait in its topic."""
    settings = context.settings
    check_name(settings, name)
    who, now = by or operator(), int(time.time() * 1_000)

    def rest(state: ConnectionState) -> ConnectionState:
        known = state.pause or Pause(who, now, reason)
        return replace(state, pause=known if reason is None else replace(known, reason=reason))

    found = control_of(settings).change(name, rest).pause
    since = "" if found is None or found.since == now else f" since {moment(found.since)}"
    topic = names_of(settings).deliveries(name)
    click.echo(f"{name}: paused{since}; what comes waits in {topic}, 14 days by its own policy")


@connections.command()
@click.argument("name")
@click.option("--deliver", "how", flag_value="deliver", help="All that waits is sent.")
@click.option(
    "--data-only",
    "how",
    flag_value="data_only",
    help="What waits is sent as data: it starts no flow; profiles become right.",
)
@click.option("--skip", "how", flag_value="skip", help="Nothing of it is sent; so it is recorded.")
@pass_context
def resume(context: Context, name: str, how: How | None) -> None:
    """Let NAME go on, and decide what becomes of what waits until now; nothing newer is touched.

    It also has workers try again that the vendor refused the credentials of.
    """
    settings = context.settings
    check_name(settings, name)
    names, kafka = names_of(settings), kafka_of(settings, CLIENT)
    topic = names.deliveries(name)
    stretch = beyond(kafka, names.deliver_group(name), topic)
    decode = schemas_of(settings, [], wait=False).decode_in_thread("events/enriched")
    waits = what_waits(kafka, stretch, decode)
    click.echo("\n".join(waits_lines(waits)))
    if waits.count and how is None:
        raise ConfigurationError(
            f"connection {name}",
            "what becomes of what waits is not said",
            "Choose --deliver, --data-only (it starts no flow) or --skip",
        )
    decision = None
    if stretch is not None and waits.count and how is not None:
        decision = Decision(how, topic, dict(stretch.starts), dict(stretch.ends))
    now = int(time.time() * 1_000)
    control_of(settings).change(
        name, lambda state: replace(state, pause=None, decision=decision, resumed_at=now)
    )
    done = {None: "", "deliver": ": all is sent", "skip": ": nothing of it is sent"}
    click.echo(f"{name}: goes on{done.get(how, ': what waits starts no flow')}")


def _standings(settings: Settings, kafka: KafkaSettings) -> list[Standing]:
    names, states = names_of(settings), control_of(settings).states()
    since = int(time.time() * 1_000) - DAY_MS
    decode = schemas_of(settings, [], wait=False).decode_in_thread("outcome")
    told = contacts(kafka, names.outcomes, since, frozenset(settings.connections), decode)
    found = []
    for name, configured in settings.connections.items():
        state = states.get(name, ConnectionState())
        stretch = beyond(kafka, names.deliver_group(name), names.deliveries(name))
        standing = Standing(
            name=name,
            destination=destination_of(name, configured).name,
            setting=configured.mode,
            gate=gate_of(gate_settings(configured), state),
            state=state,
            lag=lag_of(kafka, stretch),
            contact=told[name],
            dead_letters=dead_letters_in(kafka, names.dead_letters(name)),
        )
        found.append(standing)
    return found
