"""Settings → a reconciliation with Ordergroove's API, and its repair through the source."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import click

from streams.cli.auditing import audit_of
from streams.cli.codecs import schemas_of
from streams.cli.composition import intake_of, names_of, webhook_options_of
from streams.cli.confirmation import confirm
from streams.cli.erase.erased import following_erased
from streams.cli.ordergroove_access import api_of
from streams.cli.reconcile.read_backs import erased_of, kafka_for, lines_of, table_read
from streams.cli.reconcile.reconciling import Work, rows_of
from streams.engine.stretch import look_through, whole
from streams.errors import ConfigurationError
from streams.families import SUBSCRIBERS
from streams.names import ORDERGROOVE
from streams.reconcile.evidence import waiting_in
from streams.reconcile.reasons import REPAIRED_BY_READING
from streams.reconcile.source_comparison import SourceComparison, SourceTerms
from streams.reconcile.source_repair import Intake, append, products_of
from streams.replay.transaction import Transactions
from streams.sources.ordergroove.quirks import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from confluent_kafka import Message

    from streams.cli.reconcile.read_backs import Read
    from streams.cli.reconcile.reconciling import Asked
    from streams.ingest.ordergroove_api import OrdergrooveApi
    from streams.reconcile.at_source import Body
    from streams.reconcile.source_comparison import Suspect
    from streams.settings import Settings

ACTION: Final = "reconcile.repair"


def against_source(settings: Settings, asked: Asked) -> Work:
    """Compare, and say what would mend it.

    Raises:
        ConfigurationError: a setting is wrong, a topic missing, or the key does not do.
        ApiAway, ApiUnexpected: the API does not answer, or not as its contract says.
        KafkaException: the broker does not answer.
    """
    if asked.table != "subscribers":
        raise ConfigurationError(
            "--table", f"Ordergroove knows nothing of {asked.table}", "Leave it out"
        )
    merchants = _merchants(settings, asked)
    kafka = kafka_for(settings)
    read = table_read(settings, kafka, asked.table)
    comparison, read_at = asyncio.run(_compared(settings, asked, read, merchants))
    suspects = comparison.suspects.keys()
    if suspects:
        lagging = waiting_in(kafka, lines_of(settings, SUBSCRIBERS.source), suspects)
        comparison.conclude(lagging, _given_up(settings, suspects))
    return Work(comparison.findings, partial(_repair, settings, comparison, merchants, read_at))


def _merchants(settings: Settings, asked: Asked) -> list[str]:
    configured = list(settings.ordergroove.api)
    if asked.customer is not None:
        return [asked.customer.decode().partition(":")[0]]
    if not configured:
        raise ConfigurationError(
            "ordergroove.api", "no merchant has a key", "Add a table [ordergroove.api.MERCHANT]"
        )
    return configured


async def _compared(
    settings: Settings, asked: Asked, read: Read, merchants: list[str]
) -> tuple[SourceComparison, int]:
    """The comparison, and when the API began to be asked, epoch milliseconds."""
    async with AsyncExitStack() as stack:
        apis = await _apis(settings, merchants, stack)
        options = webhook_options_of(settings)
        zone, now = ZoneInfo(options.source_zone), int(time.time() * 1_000)
        hides = erased_of(settings, kafka_for(settings)).hides
        reading = Reading(zone, options.phone_region, 0, now)  # as a sync reads
        comparison = SourceComparison(SourceTerms(read.family, apis, reading, hides))
        if asked.customer is None and asked.sample is None:
            await comparison.look_at_all(read.rows.all())
        else:
            for rows in rows_of(read.rows, asked):
                await comparison.look(rows)
        if comparison.suspects:
            await comparison.look_again(read.rows.newer)
    return comparison, now


async def _apis(
    settings: Settings, merchants: list[str], stack: AsyncExitStack
) -> dict[str, OrdergrooveApi]:
    return {each: await stack.enter_async_context(api_of(settings, each)) for each in merchants}


def _given_up(settings: Settings, suspects: AbstractSet[bytes]) -> set[bytes | None]:
    """Those of whom a record stands among the source's dead letters."""
    kafka, topic = kafka_for(settings), names_of(settings).dead_letters(ORDERGROOVE)
    decode = schemas_of(settings, [], wait=False).decode_in_thread("dead_letter")
    standing: dict[bytes | None, bytes | None] = {}

    def note(message: Message) -> None:
        value = message.value()
        standing.pop(message.key(), None)
        key = None if value is None else decode(value)["key"]
        if key in suspects:
            standing[message.key()] = key

    look_through(kafka, whole(kafka, topic), note)
    return set(standing.values())


def _repair(
    settings: Settings,
    comparison: SourceComparison,
    merchants: list[str],
    read_at: int,
    yes: int | None,
) -> None:
    """Write what the API said of those that this mends to the source; confirmed, and audited."""
    found = comparison.findings
    going = [
        comparison.suspects[each.key]
        for each in found.drifts
        if each.why.reason in REPAIRED_BY_READING
    ]
    left = len(found.drifts) - len(going)
    if left:
        click.echo(f"{left:,} of them no reading would mend: see what their reasons mean")
    if not going:
        click.echo("nothing to repair")
        return
    topic = intake_of(settings)
    confirm(len(going), f"customers' state at Ordergroove is written to {topic}", yes)
    products = asyncio.run(_products(settings, merchants, going))
    encode = schemas_of(settings, [topic], wait=False).codec(f"sources/{ORDERGROOVE}").encode
    reasons = {reason.value: count for reason, count in found.reasons.items()}
    what = {"against": ORDERGROOVE, "customers": len(going), "drift": reasons}
    kafka = kafka_for(settings)
    with (
        # somebody may have been erased since they were compared, and until they are written
        following_erased(settings, kafka) as erased,
        audit_of(settings).action(ACTION, what) as entry,
    ):
        entry.result["written"] = 0
        options = webhook_options_of(settings)
        intake = Intake(topic, encode, options, read_at, erased.hides)
        transactions = Transactions(kafka, f"{settings.prefix}-repair-{ORDERGROOVE}")
        for some in append(transactions, intake, going, products):
            entry.result["written"] += some
        written = entry.result["written"]
    click.echo(f"{written:,} records of {len(going):,} customers are written to {topic}")


async def _products(
    settings: Settings, merchants: list[str], going: list[Suspect]
) -> Mapping[tuple[str, str], Body]:
    async with AsyncExitStack() as stack:
        return await products_of(going, await _apis(settings, merchants, stack))
