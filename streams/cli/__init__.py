"""The command `streams`: one module per group of commands."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from streams.cli.context import Context
from streams.cli.explain import explain
from streams.errors import ConfigurationError, EngineFailed


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path),
    help="Settings file. Default: $STREAMS_SETTINGS, else streams.toml here.",
)
@click.version_option(package_name="ordergroove-streams")
@click.pass_context
def commands(context: click.Context, settings_file: Path | None) -> None:
    """Ordergroove subscription events from Kafka to marketing vendors."""
    context.obj = Context(settings_file)


commands.add_command(explain)


def main() -> None:
    """Run a command; a wrong setting exits 2, a failed engine 70."""
    try:
        commands(prog_name="streams")
    except ConfigurationError as error:
        click.echo(f"streams: {error}", err=True)
        sys.exit(2)
    except EngineFailed as error:
        click.echo(f"streams: {error}", err=True)
        sys.exit(70)
