"""Pages → records for the source topic; what becomes none is counted by the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from streams.errors import BadRecord
from streams.model.dead_letter import body_dead_letter
from streams.model.ids import customer_key
from streams.replay.transaction import Appended
from streams.sources.ordergroove.state import SECRETS, Listed, known_product, state_record
from streams.sync.lists import LISTS
from streams.sync.owners import Owners

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Mapping

    from streams.sources.ordergroove import WebhookOptions
    from streams.sync.reading import Taken

__all__ = ["OUTCOMES", "Telling", "Topics"]

WRITTEN: Final = "written"
OUTCOMES: Final = (WRITTEN, "unchanged", "no_customer", "foreign", "erased", "dead_letter")
"""What becomes of an entity: a record; nothing, as it is older than the window, for which its list
has no filter; nobody's (a guest's, or of an order that is gone); another merchant's; of a customer
erased since; or its bytes, which could not be read, in a dead letter."""

_DOUBT: Final = 7_200_000
"""Milliseconds by which a time without a zone may be read too early: an hour, and room."""


class Topics(NamedTuple):
    """Where a sync writes, and how.

    Attributes:
        intake: source records.
        dead_letters: of the source.
        encode: a source record.
        encode_dead_letter: a dead letter.
    """

    intake: str
    dead_letters: str
    encode: Callable[[Mapping[str, Any]], bytes]
    encode_dead_letter: Callable[[Mapping[str, Any]], bytes]


class Telling:
    """Makes records of one merchant's entities.

    Attributes:
        products: id → what is known of a product.
        owners: whose orders are.
    """

    def __init__(
        self,
        merchant: str,
        topics: Topics,
        hides: Callable[[str, str, int], bool],
        options: WebhookOptions,
        counts: Counter[tuple[str, str]],
        since: int | None = None,
    ) -> None:
        """Prepare.

        Args:
            merchant: whose entities come.
            topics: where they go.
            hides: whether (merchant, customer, time) is of somebody erased since.
            options: how values are read.
            counts: (list, outcome) → entities, to be counted on.
            since: where the run's window begins, epoch milliseconds.
        """
        self.products: dict[str, dict[str, Any]] = {}
        self.owners = Owners()
        self._counts = counts
        self._oldest = 0 if since is None else since - _DOUBT
        self._merchant = merchant
        self._topics = topics
        self._hides = hides
        self._options = options

    def note_product(self, body: Mapping[str, Any]) -> None:
        """Keep what later records say of a product; one that cannot be read is not known."""
        told = known_product(body)
        if told is not None:
            self.products[str(told["external_product_id"])] = told

    def records(self, page: Taken, read_at: int) -> Iterator[Appended]:
        """The records of a page, read at `read_at` (epoch ms); counts what becomes none."""
        for body in page.results:
            outcome, record = self._told(page.entity, body, read_at)
            self._counts[page.entity, outcome] += 1
            if record is not None:
                yield record

    def _told(
        self, entity: str, body: Mapping[str, Any], read_at: int
    ) -> tuple[str, Appended | None]:
        if body.get("merchant") not in (None, self._merchant):
            return "foreign", None
        owner = self._owner(entity, body)
        if owner is None:
            return "no_customer", None
        product = self.products.get(str(body.get("product"))) if entity in _WITH_PRODUCT else None
        listed = Listed(entity, body, self._merchant, owner, product)
        try:
            record = state_record(listed, read_at, self._options)
        except BadRecord as bad:
            return "dead_letter", self._letter(bad, body, read_at)
        if entity in _UNFILTERED and record["created"] < self._oldest:
            return "unchanged", None
        if self._hides(self._merchant, owner, record["created"]):
            return "erased", None
        topics, key = self._topics, customer_key(self._merchant, owner)
        return WRITTEN, Appended(topics.intake, key, topics.encode(record), [])

    def _owner(self, entity: str, body: Mapping[str, Any]) -> str | None:
        """The customer, as the entity or its order names them."""
        told = body.get("merchant_user_id" if entity == "customers" else "customer")
        if told is None and entity == "items":
            order = body.get("order")
            return self.owners.of(order) if isinstance(order, str) else None
        return str(told).strip() or None if isinstance(told, str | int) else None

    def _letter(self, bad: BadRecord, body: Mapping[str, Any], now: int) -> Appended:
        kept = {name: value for name, value in body.items() if name not in SECRETS}
        letter = body_dead_letter(bad, msgspec.json.encode(kept), now)
        value = self._topics.encode_dead_letter(letter)
        return Appended(self._topics.dead_letters, letter["id"].encode(), value, [])


_UNFILTERED: Final = frozenset(each.entity for each in LISTS if each.changed is None)
_WITH_PRODUCT: Final = frozenset({"subscriptions", "items"})
