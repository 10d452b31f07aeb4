"""`streams table`: the rows that derive workers keep, as their changelog has them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from streams import names
from streams.cli.composition import kafka_of, names_of
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.table.member_lines import member_lines
from streams.cli.table.row_lines import row_lines
from streams.cli.table.snapshot import snapshot
from streams.control.tables import table_of
from streams.engine.lookup import look_up
from streams.errors import ConfigurationError
from streams.families import FAMILIES
from streams.model.masking import masked
from streams.model.member import Member
from streams.model.row_text import row_as_dict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.families import Family
    from streams.model.subscriber import Subscriber

TABLES: Mapping[str, Family[Any, Any, Any]] = {
    table: FAMILIES[source] for source, table in names.TABLES.items()
}

NO_SUCH_ROW = 1
"""Exit status where Kafka answered and there is nothing to show."""


@examples(
    "# The row of a customer, masked",
    "streams table get 5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65:0088771",
    "# All rows, to begin a rebuild with",
    "streams table snapshot --to snapshots/2026-11-22",
)
@click.group()
def table() -> None:
    """Rows that the derive workers keep, a customer each."""


table.add_command(snapshot)


@examples(
    "# The row of a customer, masked",
    "streams table get 5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65:0088771",
    "# Whole, for `streams explain --state`",
    "streams table get 5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65:0088771 --json --reveal > row.jsonl",
    "# A member of the loyalty programme",
    "streams table get shop-demo:7001 --table members",
)
@table.command()
@click.argument("key")
@click.option(
    "--table",
    "name",
    type=click.Choice(list(TABLES)),
    default="subscribers",
    show_default=True,
    help="Subscribers of Ordergroove, or members of Okendo Loyalty.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, every field by its name.")
@click.option("--reveal", is_flag=True, help="Show what is personal as it is.")
@click.option(
    "--generation", type=click.IntRange(0), help="Of the table; default: the one derive keeps."
)
@pass_context
def get(
    context: Context,
    key: str,
    name: str,
    generation: int | None,
    *,
    as_json: bool,
    reveal: bool,
) -> None:
    """Show the row of KEY (MERCHANT:CUSTOMER) and what it remembers, masked by default.

    It is the newest committed row of the changelog; nothing running is asked or disturbed. What
    --json --reveal prints may be given to `streams explain --state`.
    """
    row = _row(context, key, TABLES[name], generation)
    if row is None:
        click.echo(f"no such row: {key}", err=True)
        sys.exit(NO_SUCH_ROW)
    named = row_as_dict(row)
    shown = named if reveal else masked(named)
    if as_json:
        click.echo(msgspec.json.encode({"key": key, "row": shown}))
    else:
        if isinstance(row, Member):
            lines = member_lines(row, shown)
        else:
            lines = row_lines(row, shown["profile"])
        click.echo("\n".join([key, *lines]))


def _row(
    context: Context, key: str, table_: Family[Any, Any, Any], generation: int | None
) -> Subscriber | Member | None:
    """The row of a key; raises `ConfigurationError` where that cannot be told."""
    merchant, colon, customer = key.partition(":")
    if not (merchant and colon and customer):
        raise ConfigurationError("KEY", "not the key of a row", "Write it MERCHANT:CUSTOMER")
    kafka, names = kafka_of(context.settings, "streams-table"), names_of(context.settings)
    if generation is None:
        changelog = table_of(kafka, names, table_.source).changelog
    else:
        changelog = names.changelog(table_.source, generation)
    value = look_up(kafka, changelog, key.encode())
    try:
        row: Subscriber | Member | None = None if value is None else table_.decode(value)
    except msgspec.DecodeError:
        raise ConfigurationError(
            f"topic {changelog}", "its row is not one of this version's", "Use the writer's version"
        ) from None
    return row
