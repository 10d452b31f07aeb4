"""What the source writes: webhook bodies, in every variant of contracts/ordergroove.md §1.1, §1.3.

`Scribe` puts an object into its envelope: `context` and `snapshot` at the top or inside `data`,
null, empty or absent. The object itself is written by `streams.demo.objects`, the snapshot's
entities by `streams.demo.snapshots`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.demo.entities import Customer
    from streams.demo.world import World

Json = dict[str, Any]


class Scribe:
    """Writes bodies; draws from the world's chance which variant each one takes."""

    def __init__(self, world: World) -> None:
        self._world = world

    def body(
        self, kind: str, customer: Customer, created: int, data: Json, snapshot: Json, origin: Json
    ) -> bytes:
        """A webhook body, UTF-8 JSON on one line.

        Args:
            kind: the event type.
            customer: whose event it is.
            created: epoch seconds.
            data: what goes into `data`: the `object`, and what else this type carries.
            snapshot: entities beside it; may be empty.
            origin: `source` and `actor` (the actor's type) where they matter.
        """
        envelope: Json = {
            "id": self._world.hex(),
            "type": kind,
            "created": created,
            "data": dict(data),
        }
        self._place(envelope, "context", self._context(customer, origin))
        self._place(envelope, "snapshot", snapshot)
        return self.write(envelope)

    def write(self, envelope: Json) -> bytes:
        """JSON as bytes: compact or spaced, with or without escapes."""
        rng = self._world.rng
        tight = rng.random() < 0.7
        text = json.dumps(
            envelope,
            ensure_ascii=rng.random() < 0.5,
            separators=(",", ":") if tight else (", ", ": "),
        )
        return text.encode()

    def _place(self, envelope: Json, name: str, value: Json) -> None:
        """At the top or inside `data`; an empty one may also be null or missing."""
        shape = self._world.rng.choice(("top", "top", "data", "null", "absent"))
        if value and shape in {"null", "absent"}:
            shape = "top"
        if shape == "absent":
            return
        target = envelope["data"] if shape == "data" else envelope
        target[name] = None if shape == "null" else value

    def _context(self, customer: Customer, origin: Json) -> Json:
        context: Json = {}
        if "source" in origin:
            context["source"] = origin["source"]
        kind = origin.get("actor") or self._world.rng.choice(("customer", "customer", None))
        if kind == "customer":
            context["actor"] = {"type": kind, "customer": {"merchant_user_id": customer.id}}
        elif kind == "user":
            context["actor"] = {"type": kind, "user": {"public_id": "u" + "0" * 31}}
        elif kind is not None:
            context["actor"] = {"type": kind}
        return context
