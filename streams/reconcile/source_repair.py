"""What Ordergroove has of some customers becomes records of the source: derive mends their rows.

Records of kind `state`, as a sync writes them: they start no flow, and one that was read before is
a duplicate. What is of somebody erased since is not written, nor of who came back what is older.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.errors import BadRecord
from streams.replay.transaction import Appended
from streams.sources.ordergroove.state import Listed, known_product, state_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from streams.reconcile.at_source import Body
    from streams.reconcile.source_comparison import Api, Suspect
    from streams.replay.transaction import Transactions
    from streams.sources.ordergroove import WebhookOptions

_AT_ONCE: Final = 500
"""Records of a transaction, at most."""


class Intake(NamedTuple):
    """Where records go, and how they are made.

    Attributes:
        topic: that new records of the source are written to.
        encode: a record of the source's schema.
        options: how values are read.
        read_at: when the API began to give the entities, epoch milliseconds.
        hides: whether (merchant, customer, time) is of somebody erased since; asked of each record
            as it is written.
    """

    topic: str
    encode: Callable[[Mapping[str, Any]], bytes]
    options: WebhookOptions
    read_at: int
    hides: Callable[[str, str, int], bool]


async def products_of(
    suspects: Iterable[Suspect], apis: Mapping[str, Api]
) -> dict[tuple[str, str], Body]:
    """What the API says of the products of these customers' subscriptions, each asked for once."""
    wanted = {
        (each.ours.merchant, str(body["product"]))
        for each in suspects
        for kind, body in each.entities
        if kind == "subscriptions" and body.get("product")
    }
    found: dict[tuple[str, str], Body] = {}
    for merchant, id_ in sorted(wanted):
        body = await apis[merchant].retrieve("products", id_)
        product = None if body is None else known_product(body)
        if product is not None:
            found[merchant, id_] = product
    return found


def append(
    transactions: Transactions,
    intake: Intake,
    suspects: Iterable[Suspect],
    products: Mapping[tuple[str, str], Body],
) -> Iterator[int]:
    """Append the entities of these customers; yields how many records are done, each time.

    Raises:
        TakenOver: another command has begun.
        KafkaException: the broker does not answer, or refuses.
    """
    left = _records(intake, suspects, products)
    while some := list(islice(left, _AT_ONCE)):
        transactions.append(some)
        yield len(some)


def _records(
    intake: Intake, suspects: Iterable[Suspect], products: Mapping[tuple[str, str], Body]
) -> Iterator[Appended]:
    for suspect in suspects:
        merchant, customer_id = suspect.ours.merchant, suspect.ours.customer_id
        for entity, body in suspect.entities:
            product = products.get((merchant, str(body.get("product"))))
            listed = Listed(entity, body, merchant, customer_id, product)
            try:
                record = state_record(listed, intake.read_at, intake.options)
            except BadRecord:
                continue  # what cannot be read was counted when it was compared
            if intake.hides(merchant, customer_id, record["created"]):
                continue
            yield Appended(intake.topic, suspect.ours.key, intake.encode(record), [])
