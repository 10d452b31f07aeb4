"""Our schemas against the released ones, for `streams schemas`; and a new release of them."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streams.avro import registry, releases
from streams.errors import ConfigurationError
from streams.registry.evolution import Fault, faults

if TYPE_CHECKING:
    from collections.abc import Sequence


class Incompatible(click.ClickException):
    """What was checked does not pass; the text says what is in the way."""

    exit_code = 1


def check_files() -> list[Fault]:
    """Print how each of our schemas stands to the releases; what is in the way."""
    ours, kept = registry(), releases()
    found = faults(ours.texts, ours.ids, kept)
    names = dict.fromkeys([*ours.texts, *(each.schema for each in found)])
    for name in names:
        older = [each.version for each in kept if name in each.schemas]
        told = [each for each in found if each.schema == name]
        if told:
            click.echo(f"{name}: does not read what was released")
        elif older:
            click.echo(f"{name}: reads {', '.join(older)}")
        else:
            click.echo(f"{name}: new, in no release yet")
        for each in told:
            click.echo(f"  {each.release}  {said_of(each)}")
    return found


def said_of(fault: Fault) -> str:
    """A fault in a line: the field, and why."""
    return f"{fault.path}: {fault.why}" if fault.path else f"the record {fault.why}"


def incompatible(found: Sequence[Fault]) -> Incompatible:
    """The error of some faults, with the way to mend them."""
    count = f"{len(found)} {'thing stands' if len(found) == 1 else 'things stand'}"
    return Incompatible(
        f"{count} between released records and our schemas. Give new fields a default, rename by"
        " `aliases`, widen types and never narrow them"
    )


def write_release(version: str) -> Path:
    """Keep today's schemas as a release; raises `ConfigurationError` or `Incompatible`.

    They are kept without their docs, one a line, as what they read is all that counts.
    """
    if re.fullmatch(r"\d+(\.\d+)*", version) is None:
        raise ConfigurationError("VERSION", "numbers with dots between", "Write it like 0.2.0")
    if version in {each.version for each in releases()}:
        raise ConfigurationError("VERSION", f"{version} was released", "Take the next one")
    ours = registry()
    found = faults(ours.texts, ours.ids, releases())
    if found:
        raise incompatible(found)
    lines = [
        f"    {json.dumps(name)}: "
        + json.dumps(_without_docs(json.loads(text)), separators=(",", ":"))
        for name, text in ours.texts.items()
    ]
    told = '{\n  "ids": ' + json.dumps(ours.ids) + ',\n  "schemas": {\n'
    file = Path(str(resources.files("avro_schemas"))) / "released" / f"{version}.json"
    file.write_text(told + ",\n".join(lines) + "\n  }\n}\n", encoding="utf-8")
    return file


def _without_docs(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _without_docs(value) for key, value in schema.items() if key != "doc"}
    if isinstance(schema, list):
        return [_without_docs(each) for each in schema]
    return schema
