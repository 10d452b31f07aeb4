"""Points: a transaction is told when it is complete for the first time, and never again.

Pending awards complete later, refunds change or delete what was earned; a delete names no customer
(contracts/okendo.md §5.6). Sequence numbers order the records of one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.model.enriched import Because
from streams.model.fact import Fact
from streams.model.ids import fact_id
from streams.model.loyalty import COMPLETE, DELETE, POINTS_OF
from streams.model.member import TransactionState

from .terms import DAY

if TYPE_CHECKING:
    from streams.model.loyalty import LoyaltyEvent, LoyaltyTransaction
    from streams.model.member import Member

    from .terms import LoyaltyOptions

NEW = DAY
"""How old a transaction may be whose first record here is an update, in milliseconds."""


def note(
    row: Member,
    event: LoyaltyEvent,
    subject: LoyaltyTransaction,
    now: int,
    options: LoyaltyOptions,
    withheld: str | None,
) -> list[Fact]:
    """Keep a transaction's newest state in the (forked) row; the fact, where it is complete now."""
    id_, status = subject.transaction_id, DELETE if event.deletes else subject.status
    known = row.transactions.get(id_)
    told = known is not None and known.told
    complete = status == COMPLETE
    stale = known is not None and event.sequence <= known.sequence
    sequence, newest = (
        (known.sequence, known.status) if known and stale else (event.sequence, status)
    )
    row.transactions[id_] = TransactionState(sequence, newest, told or complete, now)
    _forget(row, now - options.transactions * DAY)
    if told or not complete:
        return []
    age = event.received_at - event.created
    if not row.complete and known is None and event.type.endswith(".update") and age > NEW:
        withheld = withheld or "old_transaction"
    event_type = POINTS_OF[event.resource]
    return [
        Fact(
            event_type,
            fact_id(event_type, event.merchant, id_),
            event.created,
            late=stale or event.created < options.flows_from or age > options.transactions * DAY,
            withheld=withheld,
            because=Because(event.event_id, 0, 0, _why(known, event)),
        )
    ]


def _why(known: TransactionState | None, event: LoyaltyEvent) -> str:
    before = "unknown" if known is None else known.status
    return f"transaction {before} → {COMPLETE} by {event.type}"


def _forget(row: Member, before: int) -> None:
    for id_ in [i for i, each in row.transactions.items() if each.touched < before]:
        del row.transactions[id_]
