"""`streams table snapshot`: a table as it is, in files that a later rebuild can begin with."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import click

from streams.cli.auditing import audit_of
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.progress import adding
from streams.cli.rebuild.rebuilding import Table
from streams.errors import ConfigurationError
from streams.names import ORDERGROOVE, SOURCES
from streams.rebuild.beginning import SourceTopic
from streams.rebuild.snapshot import (
    Manifest,
    PartitionFile,
    begin_folder,
    finish_folder,
    write_partition,
)


@examples(
    "# All subscribers",
    "streams table snapshot --to snapshots/2026-11-22",
    "# All members of the loyalty programme",
    "streams table snapshot --to snapshots/members --source okendo",
)
@click.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="A new folder; its files hold personal data.",
)
@click.option(
    "--source",
    type=click.Choice(SOURCES),
    default=ORDERGROOVE,
    show_default=True,
    help="Whose table.",
)
@pass_context
def snapshot(context: Context, folder: Path, source: str) -> None:
    """Write the rows that derive keeps, each partition as of one offset of its source.

    Workers may run meanwhile. `streams rebuild --from-snapshot` begins with it, for when the source
    topic no longer reaches back to its beginning.
    """
    table = Table(context.settings, source)
    topic = SourceTopic.of(table.kafka, table.derived.topic, table.partitions)
    generation = table.generations.live().generation
    begin_folder(folder)
    with audit_of(context.settings).action("table.snapshot", {"source": source}) as entry:
        try:
            files = _files(table, folder)
            manifest = Manifest(
                source=source,
                origin=topic.origin,
                generation=generation,
                taken_at=int(time.time() * 1_000),
                row=table.fields,
                partitions=tuple(files),
            )
            finish_folder(folder, manifest)
        except OSError as error:
            problem = f"{folder}: {error.strerror}: the snapshot is not finished"
            raise ConfigurationError("--to", problem, "Make room, or name another") from None
        rows = sum(each.rows for each in files)
        entry.result |= {"rows": rows, "generation": generation}
    click.echo(
        f"{rows:,} rows of generation {generation} in {folder}, up to"
        f" {sum(each.offset for each in files):,} offsets of {table.derived.topic}"
    )


def _files(table: Table, folder: Path) -> list[PartitionFile]:
    files = []
    with closing(table.moments()) as moments, adding("partitions", table.partitions) as add:
        for partition in range(table.partitions):
            moment = moments.of(partition)
            rows = moments.rows(partition, moment)
            files.append(write_partition(folder, partition, moment.position, rows.items()))
            add(1)
    return files
