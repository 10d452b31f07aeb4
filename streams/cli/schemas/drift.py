"""What a new writer's schema or mapping would take from the vendors, in words (`streams.drift`)."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from streams.cli.mapping import mapping_of, schema_of, writer_of
from streams.cli.schemas.releases import Incompatible
from streams.drift import by_mapping, by_schema, losses, whole
from streams.errors import ConfigurationError
from streams.settings.mapping import Mapping as MappingSettings
from streams.sources.ordergroove.mapping import is_ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from streams.drift import Effect, Loss, Supply
    from streams.settings import Settings

SHOWN = 6
"""Fields of one event that are told; the rest is counted."""


def show_drift(settings: Settings, writer: Path | None, mapping: Path | None) -> None:
    """Print what would be lost; raises `Incompatible` if anything, and `ConfigurationError`."""
    if writer is None and mapping is None:
        raise ConfigurationError(
            "schemas drift", "nothing to compare with", "--writer or --mapping"
        )
    found = losses(_before(settings), _after(settings, writer, mapping))
    for each in found:
        click.echo(_headline(each))
        for line in _details(each.effects):
            click.echo(f"  {line}")
    if found:
        fields = f"{len(found)} {'field' if len(found) == 1 else 'fields'}"
        raise Incompatible(f"{fields} of the source would be missed by destinations")
    click.echo("no field of any destination loses its source")


def _before(settings: Settings) -> Supply:
    """What is told now: by the mapping that is configured, or by our own records, whole."""
    told = settings.ordergroove.mapping
    return whole() if told is None else by_mapping(mapping_of(told), writer_of(told))


def _after(settings: Settings, writer: Path | None, file: Path | None) -> Supply:
    schema = None if writer is None else schema_of(writer, "--writer")
    told = settings.ordergroove.mapping if file is None else _mapping_in(file)
    if told is None or (file is None and is_ours(schema)):
        return by_schema(_document(writer))
    return by_mapping(mapping_of(told), schema if writer is not None else writer_of(told))


def _document(writer: Path | None) -> Any:
    return None if writer is None else json.loads(writer.read_text(encoding="utf-8"))


def _mapping_in(file: Path) -> MappingSettings:
    """The mapping of a settings file, whose other settings are not looked at."""
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))["ordergroove"]["mapping"]
        return MappingSettings.model_validate(told)
    except (OSError, UnicodeDecodeError) as error:
        problem = f"not readable ({type(error).__name__})"
        raise ConfigurationError("--mapping", problem, "Name a settings file") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError("--mapping", "not TOML", f"Mend it: {error}") from None
    except (KeyError, TypeError):
        problem = "there is no table [ordergroove.mapping]"
        raise ConfigurationError("--mapping", problem, "Name a settings file with one") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(["ordergroove.mapping", *map(str, first["loc"])])
        problem = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(place, problem, "Mend it in the file") from None


def _headline(loss: Loss) -> str:
    what = f"dropping {' and '.join(loss.places)}" if loss.places else "all that together"
    done = [
        f"{kind} {told}"
        for kind in ("stops", "empties", "changes")
        if (told := _counted(each for each in loss.effects if each.kind == kind))
    ]
    why = f" ({loss.why})" if loss.why else ""
    return f"{what} {', '.join(done)}{why}"


def _counted(effects: Iterable[Effect]) -> str:
    """How many events of each destination: 2 Klaviyo and 1 Attentive event."""
    counts = Counter(each.destination for each in effects).most_common()
    told = [f"{count} {destination.capitalize()}" for destination, count in counts]
    if not told:
        return ""
    listed = " and ".join(filter(None, [", ".join(told[:-1]), told[-1]]))
    return f"{listed} {'event' if counts[-1][1] == 1 else 'events'}"


def _details(effects: Sequence[Effect]) -> Iterable[str]:
    width = max(len(each.destination) for each in effects)
    longest = max(len(each.event_type) for each in effects)
    for each in effects:
        more = f" and {len(each.paths) - SHOWN} more" if len(each.paths) > SHOWN else ""
        paths = f"  {', '.join(each.paths[:SHOWN])}{more}" if each.paths else ""
        yield (
            f"{each.destination:{width}}  {each.event_type:{longest}}  {each.kind:7}{paths}"
        ).rstrip()
