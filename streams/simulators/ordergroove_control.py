"""Further control routes of the Ordergroove simulator: what the merchant has there.

| route | answer |
|---|---|
| PUT /_control/entities/KIND | `{"entities": [{…}, …]}`: added, or changed where the id is known |
| DELETE /_control/entities/KIND/ID | gone, as if it had never been |
| GET /_control/entities/KIND?offset=N&limit=M | what is true, however answers tell it |

KIND is the path of the list. In what is true times are epoch seconds, and nothing is odd. What is
put counts as changed now, unless it says when itself (`updated`, in epoch seconds or as a text).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.simulators.ordergroove_shelves import Shelves

__all__ = ["EntityControl"]

_KIND = "/_control/entities/{kind}"
_MANY = 1_000


class _Entities(msgspec.Struct, forbid_unknown_fields=True):
    entities: list[dict[str, Any]]


class EntityControl:
    """The handlers; `shelves` are asked for anew each time, `clock` gives seconds since 1970."""

    def __init__(self, shelves: Callable[[], Shelves], clock: Callable[[], float]) -> None:
        self._shelves = shelves
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be added before those of all vendors."""
        return [
            web.get(_KIND, self._get),
            web.put(_KIND, self._put),
            web.delete(f"{_KIND}/{{id:.+}}", self._delete),
        ]

    async def _get(self, request: web.Request) -> web.Response:
        kind, shelves = _kind(request, self._shelves()), self._shelves()
        offset, limit = (
            int(text) if (text := request.query.get(name, "")).isdecimal() else default
            for name, default in (("offset", 0), ("limit", _MANY))
        )
        rows = shelves[kind].some(offset, limit)
        entities = [shelves.entity(kind, row) for row in rows]
        body = msgspec.json.encode({"entities": entities})
        return web.Response(body=body, content_type="application/json")

    async def _put(self, request: web.Request) -> web.Response:
        kind, shelves = _kind(request, self._shelves()), self._shelves()
        try:
            told = msgspec.json.decode(await request.read(), type=_Entities)
            for entity in told.entities:
                shelves.put(kind, entity, int(self._clock()))
        except ValueError as error:  # also msgspec's own errors
            return web.json_response({"error": str(error)}, status=400)
        return web.Response(status=204)

    async def _delete(self, request: web.Request) -> web.Response:
        kind, id_ = _kind(request, self._shelves()), request.match_info["id"]
        if not self._shelves().delete(kind, id_, int(self._clock())):
            return web.json_response({"error": f"{kind}: no such id"}, status=404)
        return web.Response(status=204)


def _kind(request: web.Request, shelves: Shelves) -> str:
    kind = request.match_info["kind"]
    if kind not in shelves.counts():
        text = f'{{"error": "kinds are: {", ".join(shelves.counts())}"}}'
        raise web.HTTPNotFound(text=text, content_type="application/json")
    return kind
