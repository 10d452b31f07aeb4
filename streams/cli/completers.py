"""What a shell offers after Tab: names of the settings file, and words of our own.

Nothing else is asked, neither Kafka nor the environment's settings nor secrets. A file that cannot
be read offers nothing: it is the command that says what is wrong with it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from streams.errors import RecordReason
from streams.model.delivery import Outcome
from streams.model.loyalty import LOYALTY_EVENTS
from streams.names import ORDERGROOVE, SOURCES, Names
from streams.sources.ordergroove.types import OBJECT_OF

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click


def connection_names(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Connections of the settings file."""
    del parameter
    return beginning(incomplete, _table(context, "connections"))


def reconcilable(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Whom `streams reconcile` may ask: the source, or a connection."""
    del parameter
    return beginning(incomplete, {ORDERGROOVE, *_table(context, "connections")})


def delivery_topics(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """The topics of the settings file's connections."""
    del parameter
    prefix = _settings(context).get("prefix", "og")
    names = Names(prefix if isinstance(prefix, str) else "og")
    return beginning(incomplete, map(names.deliveries, _table(context, "connections")))


def merchants(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Merchants that the settings file has an API key or an address of."""
    del parameter
    api, ingest = _table(context, "ordergroove", "api"), _table(context, "ingest", "ordergroove")
    return beginning(incomplete, {*api, *ingest})


def event_types(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Every type of event, of sources and of our own conclusions."""
    del context, parameter
    return beginning(incomplete, {*OBJECT_OF, *LOYALTY_EVENTS, "profile.changed"})


def sources(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The sources."""
    del context, parameter
    return beginning(incomplete, SOURCES)


def letter_reasons(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Why records and deliveries are given up on."""
    del context, parameter
    return beginning(incomplete, {*get_args(RecordReason), Outcome.REJECTED, Outcome.EXPIRED})


def beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    """The words that begin as what was typed."""
    return sorted(str(each) for each in words if each.startswith(incomplete))


def _table(context: click.Context, *path: str) -> dict[str, Any]:
    table: Any = _settings(context)
    for name in path:
        table = table.get(name) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def _settings(context: click.Context) -> dict[str, Any]:
    file = context.find_root().params.get("settings_file") or Path("streams.toml")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
