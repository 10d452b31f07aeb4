"""The command `streams`: a module a command, or a package of its own."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem
from typing_extensions import override

from streams.cli.context import Context
from streams.cli.examples import examples
from streams.errors import ConfigurationError, EngineFailed, StreamsError

COMMANDS: Final = {
    "audit": "audit",
    "backfill": "backfill",
    "check": "check",
    "completion": "completion",
    "connections": "connections.command",
    "console": "console.command",
    "dead-letters": "dead_letters.command",
    "doctor": "doctor.command",
    "erase": "erase.command",
    "explain": "explain",
    "ingest": "ingest",
    "produce": "produce",
    "replay": "replay.command",
    "rebuild": "rebuild.command",
    "reconcile": "reconcile.command",
    "schemas": "schemas.command",
    "simulate": "simulate",
    "sync": "sync.command",
    "table": "table.command",
    "timeline": "timeline.command",
    "topics": "topics.command",
    "worker": "worker.command",
}
"""Name → the module of this package that holds a command of that name, `_` for `-`."""


class Commands(click.Group):
    """Commands that are imported when they are asked for: `explain` needs no Kafka client."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"streams.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    @override
    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names alone: what each does would have to be imported."""
        named = [CompletionItem(each) for each in COMMANDS if each.startswith(incomplete)]
        return named + super(click.Group, self).shell_complete(ctx, incomplete)


@examples(
    "# What would keep this set-up from working",
    "streams doctor",
    "# What webhooks would become, and why",
    "streams explain webhooks.jsonl",
    "# The two roles that are always needed",
    "streams worker derive",
    "streams worker deliver --all",
    "# What became of a customer; the same, and more, as web pages",
    "streams timeline 5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65:0088771",
    "streams console",
    "# By another settings file",
    "streams --settings shop.toml connections list",
)
@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path),
    envvar="STREAMS_SETTINGS",
    help="Settings file. Default: $STREAMS_SETTINGS, else streams.toml here.",
)
@click.version_option(package_name="ordergroove-streams")
@click.pass_context
def commands(context: click.Context, settings_file: Path | None) -> None:
    """Ordergroove subscription events from Kafka to marketing vendors."""
    context.obj = Context(settings_file)


def main() -> None:
    """Run a command.

    A wrong setting exits 2; Kafka, a vendor or a registry that is away, 69; a failed engine, 70.
    """
    try:
        commands(prog_name="streams")
    except ConfigurationError as error:
        click.echo(f"streams: {error}", err=True)
        sys.exit(2)
    except EngineFailed as error:
        click.echo(f"streams: {error}", err=True)
        sys.exit(70)
    except StreamsError as error:
        click.echo(f"streams: {error}", err=True)
        sys.exit(69)
    except Exception as error:
        if not _from_kafka(error):
            raise
        click.echo(f"streams: Kafka did not do what was asked: {error}", err=True)
        click.echo("streams: is kafka.bootstrap right, and the broker up?", err=True)
        sys.exit(69)


def _from_kafka(error: Exception) -> bool:
    """Whether Kafka's client raised it, which only some commands load."""
    client = sys.modules.get("confluent_kafka")
    return client is not None and isinstance(error, client.KafkaException)
