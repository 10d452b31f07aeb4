"""`streams rebuild`: a table computed anew from its source, compared, on request switched in."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from msgspec import structs

from streams.cli.auditing import audit_of
from streams.cli.confirmation import confirm, yes_option
from streams.cli.connections.deciding import operator
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.progress import adding
from streams.cli.rebuild.lines import comparison_lines, counted
from streams.cli.rebuild.rebuilding import Candidate, Derivation, Table, candidate_of
from streams.engine.discarding import delete_group, delete_topic
from streams.engine.group_offsets import committed_positions
from streams.engine.offline import Overtaken
from streams.engine.patience import patiently
from streams.engine.stretch import look_through, whole
from streams.errors import ConfigurationError
from streams.names import ORDERGROOVE, SOURCES
from streams.rebuild.beginning import SourceTopic
from streams.rebuild.building import Building
from streams.rebuild.comparing import Comparer
from streams.rebuild.snapshot import Snapshot
from streams.rebuild.switching import Successor, check_no_members, switch

if TYPE_CHECKING:
    from confluent_kafka import Message

    from streams.engine.offline import OfflineRun

_SECONDS: Final = 30.0
"""How long a position is waited for: longer than a killed worker's transaction may hold it."""


class Refused(click.ClickException):
    """Another command took over."""

    exit_code = 75


@examples(
    "# Compute the subscribers anew, and see what would differ",
    "streams rebuild",
    "# After a mapping was corrected: parse the original bodies again",
    "streams rebuild --from-raw",
    "# The members, from a snapshot on",
    "streams rebuild --source okendo --from-snapshot snapshots/members",
    "# Let derive, which rests meanwhile, go on from it",
    "streams rebuild --switch",
    "# Delete one that is not kept",
    "streams rebuild --discard 3",
)
@click.command()
@click.option(
    "--source",
    type=click.Choice(SOURCES),
    default=ORDERGROOVE,
    show_default=True,
    help="Whose table.",
)
@click.option("--from-raw", is_flag=True, help="Parse the original bodies again.")
@click.option(
    "--from-snapshot",
    "place",
    type=click.Path(path_type=Path),
    help="Begin with a snapshot (`streams table snapshot`): its folder, or its manifest.",
)
@click.option("--anew", is_flag=True, help="Do not go on with a rebuild that was cut short.")
@click.option("--switch", "switching", is_flag=True, help="Have derive go on from the new table.")
@click.option(
    "--discard", type=click.IntRange(0), metavar="GENERATION", help="Delete one that is not kept."
)
@click.option("--show-customers", is_flag=True, help="Show keys of examples as they are.")
@click.option(
    "--examples", type=click.IntRange(0), default=5, show_default=True, help="Of each difference."
)
@yes_option
@pass_context
def rebuild(  # noqa: PLR0913 - a command's options
    context: Context,
    source: str,
    place: Path | None,
    discard: int | None,
    examples: int,
    yes: int | None,
    *,
    from_raw: bool,
    anew: bool,
    switching: bool,
    show_customers: bool,
) -> None:
    """Compute a table anew, by today's program and settings, and compare it with the live one.

    It reads the source topic from its beginning into a new generation of the table; nothing is
    delivered and no dead letter is written. Derive may go on meanwhile; only --switch needs it to
    rest. Cut short, the same command goes on where it was.
    """
    table = Table(context.settings, source)
    if discard is not None:
        _discard(table, discard, yes)
        return
    if switching:
        check_no_members(table.kafka, table.derived.group)
        table.generations.settle()
    snapshot = None if place is None else Snapshot(place)
    topic = SourceTopic.of(table.kafka, table.derived.topic, table.partitions)
    if snapshot is not None:
        topic.check(snapshot, source, table.fields)
    derivation = Derivation(table, snapshot, from_raw=from_raw)
    candidate = candidate_of(table, derivation.fingerprint, operator(), anew=anew)
    comparer: Comparer[Any] = Comparer(table.family.decode, examples)
    what = {
        "source": source,
        "generation": candidate.generation,
        "from_raw": from_raw,
        "from_snapshot": snapshot is not None,
    }
    with closing(derivation.run(table, candidate)) as run, closing(table.moments()) as live:
        to_do = _to_do(table, topic, run, snapshot)
        with audit_of(context.settings).action("rebuild.run", what) as entry:
            _begin(table, candidate)
            building = Building(run, live, comparer, snapshot, derivation.hides)
            _build(table, building, to_do)
            entry.result |= comparer.found.counts()
    _show(table, derivation, candidate, building)
    for line in comparison_lines(comparer.found, unmasked=show_customers):
        click.echo(line)
    if switching:
        _switch(table, candidate, building, comparer.found.unequal, yes)


def _to_do(table: Table, topic: SourceTopic, run: OfflineRun, snapshot: Snapshot | None) -> int:
    """Offsets between where it goes on and the live table; raises `ConfigurationError`."""
    derived, numbers = table.derived, range(table.partitions)
    live = patiently(
        lambda: committed_positions(table.kafka, derived.group, derived.topic, numbers), _SECONDS
    )
    begun = {p: topic.check_start(p, run.position(p), snapshot) for p in numbers}
    return sum(max(0, (live[p] or (0,))[0] - begun[p]) for p in numbers)


def _begin(table: Table, candidate: Candidate) -> None:
    """Make the generation's topic, and say what it is for."""
    generation, rebuilt, is_new = candidate
    if is_new:
        table.generations.note(generation, rebuilt)
    if table.create(rebuilt.changelog) and not is_new:
        # its positions speak of rows that are gone: it is begun from the beginning
        delete_group(table.kafka, table.names.rebuild_group(table.source, generation))


def _build(table: Table, building: Building, to_do: int) -> None:
    """Compute every partition, and compare."""
    try:
        with adding("offsets", to_do) as add:
            for partition in range(table.partitions):
                for some in building.partition(partition):
                    add(some)
    except Overtaken as error:
        raise Refused(f"{error}: run it again to see what came of it") from None


def _show(table: Table, derivation: Derivation, candidate: Candidate, building: Building) -> None:
    """Say what was computed."""
    live = table.generations.live()
    click.echo(
        f"generation {candidate.generation} in {candidate.rebuilt.changelog}:"
        f" {building.rows:,} rows, at the same offsets as the live table,"
        f" generation {live.generation} in {live.changelog}"
    )
    letters = derivation.counts.dead_letters
    if letters:
        click.echo(f"records that cannot be read, of those read now: {counted(letters)}")
    if derivation.raw is not None:
        click.echo(f"records by what was used of them: {counted(derivation.raw.counts)}")
    if building.left_out:
        click.echo(f"rows of the snapshot left out, since erased: {building.left_out:,}")


def _switch(
    table: Table, candidate: Candidate, building: Building, unequal: int, yes: int | None
) -> None:
    """Switch in what was computed, once that is confirmed."""
    generation, rebuilt, _ = candidate
    before = table.generations.live().generation
    plural = "" if unequal == 1 else "s"
    confirm(
        unequal,
        f"row{plural} of {table.source} differ{'s' if unequal == 1 else ''}: derive will keep"
        f" generation {generation} in place of {before}",
        yes,
    )
    what = {"source": table.source, "generation": generation, "before": before, "differ": unequal}
    with audit_of(table.settings).action("rebuild.switch", what):
        switch(
            table.kafka,
            table.generations,
            table.derived.group,
            table.derived.topic,
            Successor(generation, rebuilt.changelog, building.reached),
            operator(),
        )
    click.echo(f"derive keeps generation {generation} from its next start on")
    click.echo(f"generation {before} stands until `streams rebuild --discard {before}`")


def _discard(table: Table, generation: int, yes: int | None) -> None:
    """Delete a generation that is not kept, once that is confirmed."""
    live, rebuilt = table.generations.live(), table.generations.rebuilt()
    if live.generation == generation or live.switching:
        raise ConfigurationError(
            "--discard", f"derive keeps generation {live.generation}", "Name another one"
        )
    known = rebuilt.get(generation)
    if generation and (known is None or known.discarded):
        standing = [str(n) for n, each in rebuilt.items() if not each.discarded] + ["0"]
        raise ConfigurationError(
            "--discard", f"there is no generation {generation}", f"Known: {', '.join(standing)}"
        )
    changelog = table.names.changelog(table.source, generation)
    rows = _rows_in(table, changelog)
    confirm(rows, f"row{'' if rows == 1 else 's'} of generation {generation} will be deleted", yes)
    what = {"source": table.source, "generation": generation, "rows": rows}
    with audit_of(table.settings).action("rebuild.discard", what):
        if known is not None:
            table.generations.note(generation, structs.replace(known, discarded=True))
        delete_group(table.kafka, table.names.rebuild_group(table.source, generation))
        delete_topic(table.kafka, changelog)
    click.echo(f"generation {generation} is deleted: {changelog}")


def _rows_in(table: Table, changelog: str) -> int:
    """How many rows a changelog holds."""
    keys: set[object] = set()

    def note(message: Message) -> None:
        (keys.discard if message.value() is None else keys.add)(message.key())

    look_through(table.kafka, whole(table.kafka, changelog), note)
    return len(keys)
