"""Options of several commands that narrow what a command takes."""

from __future__ import annotations

import click

from streams.cli.completers import connection_names, event_types

destination_option = click.option(
    "--destination",
    "names",
    multiple=True,
    shell_complete=connection_names,
    help="Only these connections.",
)
type_option = click.option(
    "--type",
    "types",
    multiple=True,
    shell_complete=event_types,
    help="Only of this event type.",
)
