"""Settings → a reconciliation with a vendor, and its repair through the low lane."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from streams.avro_structs import struct_writer
from streams.cli.auditing import audit_of
from streams.cli.codecs import schemas_of
from streams.cli.composition import names_of, options_of
from streams.cli.confirmation import confirm
from streams.cli.progress import adding
from streams.cli.reconcile.read_backs import (
    asker_of,
    erased_of,
    kafka_for,
    lines_of,
    standing_of,
    table_read,
    vendor_of,
)
from streams.cli.reconcile.reconciling import Work, rows_of
from streams.reconcile.at_vendor import Comparison, Terms
from streams.reconcile.evidence import Evidence
from streams.reconcile.reasons import REPAIRED_BY_SENDING
from streams.reconcile.sending import Lane, append
from streams.reconcile.telling import customer_of
from streams.replay.transaction import Transactions

if TYPE_CHECKING:
    from streams.cli.reconcile.read_backs import Read, Vendor
    from streams.cli.reconcile.reconciling import Asked
    from streams.settings import Settings

ACTION: Final = "reconcile.repair"


def against_vendor(settings: Settings, asked: Asked) -> Work:
    """Compare, and say what would mend it.

    Raises:
        ConfigurationError: a setting is wrong, a topic missing, or the credentials do not do.
        VendorAway: the vendor does not answer.
        KafkaException: the broker does not answer.
    """
    vendor, kafka = vendor_of(settings, asked.against), kafka_for(settings)
    read = table_read(settings, kafka, asked.table)
    comparison = asyncio.run(_compared(settings, asked, vendor, read))
    return Work(comparison.findings, partial(_repair, settings, vendor, read, comparison))


async def _compared(settings: Settings, asked: Asked, vendor: Vendor, read: Read) -> Comparison:
    name, kafka = vendor.connection.name, kafka_for(settings)
    configured, names = settings.connections[name], names_of(settings)
    terms = Terms(
        family=read.family,
        destination=vendor.destination,
        options=options_of(configured),
        merchants=None if configured.merchants is None else frozenset(configured.merchants),
        readback=vendor.readback,
        hides=erased_of(settings, kafka).hides,
    )
    async with asker_of(vendor) as asker:
        comparison = Comparison(terms, asker)
        with adding("rows compared") as add:
            for rows in rows_of(read.rows, asked):
                await comparison.look(rows)
                add(len(rows))
        if comparison.suspects:
            await comparison.look_again(read.rows.newer)
        suspects = comparison.suspects.keys()
        if suspects:
            decode = schemas_of(settings, [], wait=False).decode_in_thread("outcome")
            lines = lines_of(settings, read.family.source)
            evidence = Evidence(kafka, names, name, lines, decode)
            standing = standing_of(settings, name)
            await comparison.conclude(evidence.signs(suspects, standing, vendor.readback.parts))
    return comparison


def _repair(
    settings: Settings, vendor: Vendor, read: Read, comparison: Comparison, yes: int | None
) -> None:
    """Have the profiles sent again that this mends; confirmed, and audited."""
    name, names, found = vendor.connection.name, names_of(settings), comparison.findings
    going = [each.key for each in found.drifts if each.why.reason in REPAIRED_BY_SENDING]
    left = len(found.drifts) - len(going)
    if left:
        click.echo(f"{left:,} of them no profile would mend: see what their reasons mean")
    if not going:
        click.echo("nothing to repair")
        return
    confirm(len(going), f"profiles go to {name} again, through its low lane", yes)
    low = names.low(name)
    encode: Any = struct_writer(schemas_of(settings, [low], wait=False).codec("events/enriched"))
    reasons = {reason.value: count for reason, count in found.reasons.items()}
    what = {"against": name, "profiles": len(going), "drift": reasons}
    with audit_of(settings).action(ACTION, what) as entry:
        entry.result["written"] = 0
        transactions = Transactions(kafka_for(settings), f"{settings.prefix}-repair-{name}")
        lane = Lane(low, read.family, encode, entry.id)
        customers = [
            customer_of(key, comparison.suspects[key].subject.value, read.family) for key in going
        ]
        for some in append(transactions, lane, customers):
            entry.result["written"] += some
    click.echo(f"{len(going):,} profiles wait in {low}; run {entry.id} on the audit topic")
