"""`streams topics rewrite`: source topics copied to another prefix without the erased."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import click

from streams.cli.auditing import audit_of
from streams.cli.codecs import schemas_of
from streams.cli.composition import kafka_of, names_of, sources_of
from streams.cli.confirmation import confirm, yes_option
from streams.cli.context import Context, pass_context
from streams.cli.erase.erased import erased_now
from streams.cli.examples import examples
from streams.cli.mapping import check_customers_own_keys
from streams.cli.worker.rehearsal import rehearsal
from streams.engine.admin import TopicSpec, create_topics, describe_topics, set_topic_config
from streams.engine.stretch import Stretch, look_through, newest, whole
from streams.errors import ConfigurationError
from streams.names import Names
from streams.replay.rewriting import (
    Copy,
    Progress,
    Sieve,
    check_keeps,
    copied,
    limits_of,
    progress_of,
    survey,
)
from streams.replay.transaction import Appended, Transactions

if TYPE_CHECKING:
    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings
    from streams.settings import Settings

CLIENT: Final = "streams-topics"
_STAMPS: Final = "message.timestamp.type"


@examples(
    "# See how many records; the number that it shows copies them",
    "streams topics rewrite --to og2",
    "# In a script",
    "streams topics rewrite --to og2 --yes 88912",
)
@click.command()
@click.option("--to", "prefix", required=True, metavar="PREFIX", help="Of the new topics.")
@yes_option
@pass_context
def rewrite(context: Context, prefix: str, yes: int | None) -> None:
    """Copy the source topics to PREFIX without the records of those who were erased.

    Partitions, order, keys, headers and times are as they were; a copy that was cut short goes on.
    Erase records stay behind, they name the customer; the list of the erased is copied. Let nothing
    write to the old topics meanwhile: what comes later is copied by running it again. The new ones
    keep their records for as long as the old ones.
    """
    settings = context.settings
    check_customers_own_keys(settings, "topics rewrite")
    names, new = names_of(settings), Names(prefix)
    if prefix == settings.prefix:
        raise ConfigurationError("--to", "it is the prefix that is copied", "Give another one")
    kafka = kafka_of(settings, CLIENT)
    schemas = schemas_of(settings, [], wait=False)
    erased = erased_now(settings, kafka)
    copies, stretches, sieves = [], {}, {}
    for source in sources_of(settings):
        copy = Copy(names.events(source), new.events(source), new.control)
        stretches[copy] = whole(kafka, copy.source)
        sieves[copy] = Sieve(erased, schemas.decode_in_thread(f"sources/{source}"))
        counts = survey(kafka, stretches[copy], sieves[copy])
        click.echo(f"{copy.source} → {copy.target}: {_told(counts)}")
        copies.append((copy, counts))
    total = sum(counts["copied"] for _, counts in copies)
    confirm(total, "records are in the copy when it is done", yes)
    with audit_of(settings).action("topics.rewrite", {"to": prefix, "records": total}) as entry:
        transactions = Transactions(kafka, f"{prefix}-rewrite", rehearsal())
        _prepare(settings, kafka, new, [copy for copy, _ in copies])
        _copy_erased(kafka, names, new, transactions)
        for copy, _ in copies:
            done = _copied(kafka, copy, stretches[copy], sieves[copy], transactions)
            entry.result[copy.target] = dict(done)
            click.echo(f"{copy.target}: {_told(done)}; {_there(kafka, copy):,} records are there")
        for copy, _ in copies:
            set_topic_config(kafka, copy.target, {_STAMPS: "LogAppendTime"})


def _told(counts: Counter[str]) -> str:
    return (
        f"{counts['copied']:,} copied, {counts['erased']:,} of the erased and"
        f" {counts['erase_record']:,} erase records left out"
    )


def _prepare(settings: Settings, kafka: KafkaSettings, new: Names, copies: list[Copy]) -> None:
    """Make the topics, as the old ones are; records keep their time while they are copied.

    Raises:
        ConfigurationError: one is there that would not hold the copy.
        KafkaException: the broker does not answer, or refuses.
    """
    wanted = {each.target: each.source for each in copies}
    described = describe_topics(kafka, [*wanted.values(), *wanted])
    policy = {each.name: each.config for each in new.topics((), sources_of(settings))}
    partitions = {}
    for target, source in wanted.items():
        old, there = described[source], described[target]
        if old is None or (there is not None and there.partitions != old.partitions):
            raise ConfigurationError(
                f"topic {target}", f"it has other partitions than {source}", "Take another prefix"
            )
        if there is not None:
            check_keeps(there, old)
        partitions[target] = old.partitions
        policy[target] |= limits_of(old, policy[target])
    beside = {new.control: settings.topics.partitions, new.erased: settings.topics.partitions}
    replication = settings.topics.replication
    enough = {"min.insync.replicas": str(min(2, replication))}
    specs = [
        TopicSpec(
            name=name, partitions=count, replication=replication, config=policy[name] | enough
        )
        for name, count in (partitions | beside).items()
    ]
    create_topics(kafka, specs)
    for target in wanted:
        set_topic_config(kafka, target, {_STAMPS: "CreateTime"})


def _copy_erased(kafka: KafkaSettings, old: Names, new: Names, transactions: Transactions) -> None:
    newest: dict[bytes | None, bytes | None] = {}

    def note(message: Message) -> None:
        newest[message.key()] = message.value()

    look_through(kafka, whole(kafka, old.erased), note)
    if newest:
        transactions.append(Appended(new.erased, k, v, []) for k, v in newest.items())


def _copied(
    kafka: KafkaSettings,
    copy: Copy,
    stretch: Stretch,
    sieve: Sieve,
    transactions: Transactions,
) -> Counter[str]:
    """Copy, from where an earlier command was; what became of all records."""
    known = _progress(kafka, copy, stretch)
    done: Counter[str] = Counter()
    for counts in copied(kafka, copy, stretch, known, sieve, transactions):
        done += counts
    return done


def _progress(kafka: KafkaSettings, copy: Copy, stretch: Stretch) -> dict[int, Progress]:
    records = newest(kafka, copy.control)
    return {p: progress_of(copy, p, records.get(copy.key(p).encode())) for p in stretch.ends}


def _there(kafka: KafkaSettings, copy: Copy) -> int:
    """How many records the copy has: counted, not believed."""
    counted: Counter[int | None] = Counter()
    look_through(kafka, whole(kafka, copy.target), lambda each: counted.update([each.partition()]))
    return counted.total()
