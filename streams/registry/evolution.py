"""Whether our schemas still read what released ones wrote (`avro_schemas/released`).

Avro's own library judges; what is in the way is told by field. Where there is no registry, ids are
those of `ids.json`: an id that was released must go on meaning the same bytes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from streams.avro import compiled, layout

from .compatibility import obstacles
from .differences import gaps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from streams.avro import Release


class Fault(NamedTuple):
    """Why records of a release could not be read any more.

    Attributes:
        schema: its name.
        release: the version that wrote them.
        path: the field; empty: the whole.
        why: in plain words.
    """

    schema: str
    release: str
    path: str
    why: str


def faults(
    texts: Mapping[str, str], ids: Mapping[str, int], releases: Sequence[Release]
) -> list[Fault]:
    """What is in the way between our schemas and the releases; [] if nothing.

    Args:
        texts: our schemas' texts, by name.
        ids: their ids, by name.
        releases: with which they are compared, each of them: a source topic keeps records long.
    """
    return [fault for release in releases for fault in _of(release, texts, ids)]


def _of(release: Release, texts: Mapping[str, str], ids: Mapping[str, int]) -> Iterator[Fault]:
    for name, schema in release.schemas.items():
        text = texts.get(name)
        if text is None:
            yield Fault(name, release.version, "", "is gone, and its records would be left unread")
            continue
        for path, why in _unreadable(text, json.dumps(schema)):
            yield Fault(name, release.version, path, why)
        yield from _of_ids(release, name, text, ids)


def _unreadable(reader: str, writer: str) -> list[tuple[str, str]]:
    """Path and reason of what keeps a reader from reading a writer's records."""
    judged = obstacles(reader, writer)
    if not judged:
        return []
    found = [gap for gap in gaps(json.loads(reader), json.loads(writer)) if not gap.readable]
    return [(gap.path, gap.why) for gap in found] or [("", each) for each in judged]


def _of_ids(release: Release, name: str, text: str, ids: Mapping[str, int]) -> Iterator[Fault]:
    number = release.ids[name]
    users = [each for each, used in ids.items() if used == number]
    if not users:
        return
    if users != [name]:
        yield Fault(name, release.version, "", f"had the id {number}, which {users[0]} has now")
    elif layout(compiled(json.loads(text))) != layout(compiled(release.schemas[name])):
        why = f"has other fields than under its id {number}: give it a new id in ids.json"
        yield Fault(name, release.version, "", why)
