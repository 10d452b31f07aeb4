"""Ordergroove's REST API, read: lists page by page, single entities (contracts/ordergroove.md §2).

What it answers is passed on as it is: dicts with Ordergroove's own names, times without a zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Self
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from typing_extensions import override

from .ordergroove_requests import ApiAway, ApiRefused, ApiUnexpected, Manners, Requests, unexpected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

__all__ = ["ApiAway", "ApiRefused", "ApiUnexpected", "Entity", "Manners", "OrdergrooveApi", "Page"]

Entity = Literal[
    "customers", "subscriptions", "orders", "items", "payments", "addresses", "products"
]

_PAGE_SIZE: Final = 100


class Page(NamedTuple):
    """One page of a list; `next` is the cursor to go on from, None after the last."""

    results: list[dict[str, Any]]
    next: str | None


class _List(msgspec.Struct):
    results: list[dict[str, Any]]
    next: str | None = None


_read_list = msgspec.json.Decoder(_List)
_read_object = msgspec.json.Decoder(dict[str, Any])


class OrdergrooveApi:
    """One merchant's account at Ordergroove. For one event loop; `async with`, or `aclose`.

    Attributes:
        merchant: whose it is.
        progress: how the questions to it get on.
    """

    def __init__(
        self,
        url: str,
        key: str | Callable[[], str],
        merchant: str,
        manners: Manners,
        *,
        timeout: float = 3.0,
    ) -> None:
        """Describe it; nothing is asked yet.

        Args:
            url: scheme and host, perhaps a path that the entities' are appended to.
            key: the API key, or who tells the one that holds now.
            merchant: whose it is; names the setting in errors.
            manners: see there.
            timeout: seconds that an answer may take at first.
        """
        self.merchant = merchant
        self._requests = Requests(url, key, merchant, manners, timeout)
        self.progress = self._requests.progress

    @override
    def __repr__(self) -> str:
        return f"OrdergrooveApi({self.merchant})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections."""
        await self._requests.aclose()

    async def pages(
        self,
        entity: Entity,
        filters: Mapping[str, str],
        cursor: str | None = None,
        *,
        patience: float | None = None,
    ) -> AsyncIterator[Page]:
        """The pages of a list, from its beginning or from where an earlier page's `next` points.

        Args:
            entity: which list.
            filters: as Ordergroove names them; with a cursor they are in it, and these not looked
                at.
            cursor: an earlier page's `next`, of the same entity.
            patience: seconds that each page may take with all its attempts; None: an hour.

        Raises:
            ApiRefused: the key is wrong, or may not list across customers (Bulk Operations).
            ApiAway: a page did not come.
            ApiUnexpected: another answer; also to a filter or cursor that the API does not take.
        """
        asked = cursor
        query = urlencode({"page_size": str(_PAGE_SIZE), **filters}) if asked is None else asked
        while True:
            found = await self._requests.ask(entity, f"{entity}/?{query}", _read_list, patience)
            if found is None:
                raise unexpected(entity, "404")
            following = None if found.next is None else _cursor(found.next)
            if following in {"", query}:
                raise unexpected(entity, "a `next` that leads nowhere")
            yield Page(found.results, following)
            if following is None:
                return
            query = following

    async def retrieve(
        self, entity: Entity, id_: str, *, patience: float | None = None
    ) -> dict[str, Any] | None:
        """One entity by its id; None where the API has none (404).

        Args:
            entity: of which list it is.
            id_: a customer's merchant_user_id, a product's external_product_id, else a public_id.
            patience: seconds that it may take with all attempts; None: an hour.

        Raises:
            ApiRefused, ApiAway, ApiUnexpected: as `pages`.
        """
        if not id_ or not id_.strip("."):  # in a path they would be another address
            return None
        path = f"{entity}/{quote(id_, safe='')}/"
        found: dict[str, Any] | None = await self._requests.ask(
            entity, path, _read_object, patience
        )
        return found


def _cursor(following: str) -> str:
    """What a `next` says of where to go on: its query alone, so that no other host gets the key.

    It holds filters and page size, too; "" where it is none that could be asked for.
    """
    try:
        query = urlsplit(following).query
    except ValueError:
        return ""
    return query if query.isascii() and query.isprintable() and " " not in query else ""
