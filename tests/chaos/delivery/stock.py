"""What a round feeds: deliveries of demo shops, and what must come of each by the pure renderers.

The shops' webhooks go through the pipeline once, in one thread; so each delivery is one that the
derive role would write, and what it asks of its vendor is known before anything is sent.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from streams.avro import codec
from streams.demo.ledger import VENDORS
from streams.demo.shop import Shop, opens_for
from streams.demo.world import MERCHANT
from streams.derive import DeriveOptions
from streams.destinations import DESTINATIONS
from streams.engine.timers import Timers
from streams.errors import BadRecord
from streams.model.delivery import Options, Part
from streams.model.ids import customer_key, delivery_id
from streams.pipeline import Pipeline, enriched_of
from streams.route import Route
from streams.sources.ordergroove import record_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from streams.pipeline import Processed

ORDERS: Final = ("order.success", "order.cancel", "order.skip_order", "order.reject")
"""At Yespo these are events of their own here: an order that waits may be superseded by the moment,
so nobody could say beforehand which of its statuses must arrive."""

OPTIONS: Final = {"yespo": Options(order_statuses=dict.fromkeys(ORDERS, ""))}
_SHOPS: Final = 24
_HISTORY: Final = DeriveOptions(history="complete", flows_from=0, checkout_settle=0)


class Goods(NamedTuple):
    """One delivery record.

    Attributes:
        connection: whose.
        key: the customer's.
        value: the enriched event, encoded.
        identity: by which the vendor's request is known; None: no event is sent for it.
    """

    connection: str
    key: bytes
    value: bytes
    identity: str | None


class Stock:
    """The deliveries of many shops' days, side by side: so nobody has very many of them."""

    def __init__(self, seed: int, events: int, connections: Sequence[str]) -> None:
        """Prepare. `connections` are called after their vendors."""
        opens = opens_for(time.time())
        self._shops = [
            Shop(seed + number, events=events // _SHOPS, opens=opens) for number in range(_SHOPS)
        ]
        self._source, self._enriched = codec("sources/ordergroove"), codec("events/enriched")
        routes = [Route(name, DESTINATIONS[name].takes) for name in connections]
        self._pipeline = Pipeline(self._source, self._enriched, routes, _HISTORY)
        self._rows: dict[bytes, bytes] = {}
        self._timers = Timers()

    def __iter__(self) -> Iterator[Goods]:
        """In the order in which they are to be fed."""
        at = int(time.time() * 1_000)
        for now, body in enumerate(self._bodies(), at):
            try:
                record = record_of(body, at)
                key = customer_key(record["merchant"], record["customer_id"])
                value = self._source.encode(record)
                processed = self._pipeline.process(value, self._rows.get, now, key, at)
            except BadRecord:
                continue
            yield from self._kept(processed, now)
            while (due := self._timers.pop(now)) is not None:
                yield from self._kept(self._pipeline.fire(due[1], self._rows[due[1]], now), now)

    def _bodies(self) -> Iterator[bytes]:
        """One of each shop in turn; each shop is another merchant's."""
        merchant = MERCHANT.encode()
        for several in zip(*self._shops, strict=True):
            for number, body in enumerate(several):
                yield body.replace(merchant, b"%08x" % number + merchant[8:])

    def _kept(self, processed: Processed[Any], now: int) -> Iterator[Goods]:
        if processed.duplicate or processed.value is None:
            return
        self._rows[processed.key] = processed.value
        self._timers.set(processed.key, processed.due)
        for told in processed.told:
            for connection in told.connections:
                identity = self._identity(connection, told.value, now)
                yield Goods(connection, processed.key, told.value, identity)

    def _identity(self, connection: str, value: bytes, now: int) -> str | None:
        event = enriched_of(self._enriched, value)
        name = delivery_id(event.event_id, event.type, connection)
        options = OPTIONS.get(connection, Options())
        for part in DESTINATIONS[connection].render(event, name, now, options):
            if isinstance(part, Part) and part.name == "event":
                request = part.request
                body = msgspec.json.decode(request.framed([msgspec.json.encode(request.body)]))
                return identity_of(connection, VENDORS[connection].records(body)[0])
        return None


def identity_of(vendor: str, record: Any) -> str | None:
    """By what an event's record is known at a vendor: the delivery's id; None for a profile."""
    return VENDORS[vendor].labels(record).identity
