"""`streams connections`: what each connection does, and what operators decide about it.

Nothing running is asked: all is in Kafka, and workers follow what is decided within a second.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
import msgspec

from streams.cli.codecs import schemas_of
from streams.cli.completers import connection_names
from streams.cli.composition import destination_of, kafka_of, names_of
from streams.cli.connections import decisions
from streams.cli.connections.deciding import CLIENT, control_of
from streams.cli.connections.lines import (
    Standing,
    standing_lines,
    standing_object,
    waits_lines,
)
from streams.cli.connections.probe import test
from streams.cli.connections.promotion import promote, reset
from streams.cli.connections.settings import gate_settings
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.control.connections import gate_of
from streams.control.forecast import Contact, contacts
from streams.control.records import ConnectionState
from streams.control.standing import beyond, dead_letters_in, lag_of
from streams.model.wording import moment

if TYPE_CHECKING:
    from streams.delivery.gate import How
    from streams.engine.kafka import KafkaSettings
    from streams.settings import Settings


@examples(
    "# How they stand",
    "streams connections list",
    "# What going live would have sent in the last 24 hours",
    "streams connections promote klaviyo",
)
@click.group()
def connections() -> None:
    """Connections to vendors: how they stand, and what is decided about them."""


connections.add_command(promote)
connections.add_command(reset)
connections.add_command(test)


@examples(
    "# How they stand",
    "streams connections list",
    "# As data",
    "streams connections list --json",
)
@connections.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@pass_context
def list_(context: Context, *, as_json: bool) -> None:
    """Show every connection: mode, state, lag, last success in 24 hours, dead letters."""
    settings = context.settings
    standings = standings_of(settings, kafka_of(settings, CLIENT))
    if as_json:
        for each in standings:
            click.echo(msgspec.json.encode(standing_object(each)))
    else:
        click.echo("\n".join(standing_lines(standings)))


@examples(
    "# Let it rest; what comes waits in its topic",
    'streams connections pause klaviyo --reason "wrong template"',
)
@connections.command()
@click.argument("name", shell_complete=connection_names)
@click.option("--reason", help="Why, for whoever looks at the list.")
@click.option("--by", help="Whose decision it is. Default: this user.")
@pass_context
def pause(context: Context, name: str, reason: str | None, by: str | None) -> None:
    """Let NAME rest: it sends nothing and reads nothing; its events wait in its topic."""
    settings, now = context.settings, int(time.time() * 1_000)
    found = decisions.pause(settings, name, reason, by)
    since = "" if found.since >= now else f" since {moment(found.since)}"
    topic = names_of(settings).deliveries(name)
    click.echo(f"{name}: paused{since}; what comes waits in {topic}, 14 days by its own policy")


@examples(
    "# All that waits is sent",
    "streams connections resume klaviyo --deliver",
    "# What waits starts no flow; profiles become right",
    "streams connections resume klaviyo --data-only",
)
@connections.command()
@click.argument("name", shell_complete=connection_names)
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
    found = decisions.waiting(settings, name)
    click.echo("\n".join(waits_lines(found.waits)))
    decisions.resume(settings, name, how, found)
    done = {None: "", "deliver": ": all is sent", "skip": ": nothing of it is sent"}
    click.echo(f"{name}: goes on{done.get(how, ': what waits starts no flow')}")


def standings_of(settings: Settings, kafka: KafkaSettings) -> list[Standing]:
    """How every connection stands now; raises `ConfigurationError` and `KafkaException`."""
    names, states = names_of(settings), control_of(settings).states()
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
            contact=Contact(),
            dead_letters=dead_letters_in(kafka, names.dead_letters(name)),
        )
        found.append(standing)
    waiting = frozenset(each.name for each in found if each.lag.records and each.sends)
    decode = schemas_of(settings, [], wait=False).decode_in_thread("outcome")
    connections, now = frozenset(settings.connections), int(time.time() * 1_000)
    told = contacts(kafka, names.outcomes, now, connections, waiting, decode)
    return [each._replace(contact=told[each.name]) for each in found]
