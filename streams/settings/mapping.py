"""`[ordergroove.mapping]`: how a merchant's own Avro records tell what ours do (DESIGN §6).

An entry says where one of our fields comes from: a `path` in the record, a `const`, or a part of
the record's `key`. Which fields there are, and what their values may be, is for the source to say
(`streams.sources.ordergroove.mapping`); here stands only what an entry looks like.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from .values import Zone

Constant = str | bool | int | float


class Group(BaseModel):
    """A table of the settings file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Entry(Group):
    """Where a field comes from; a text alone is a path."""

    path: str | None = Field(None, description="`a.b[0].c`, `a[kind=HOME].c`; `@.c`: see `each`.")
    const: Constant | None = Field(None, description="The same for every record.")
    key: str | None = Field(None, description="A part of the record's key, by its name in `key`.")
    unit: Literal["s", "ms", "us", "iso", "days"] | None = Field(
        None, description="Of a time: since 1970, or ISO 8601 text; `days`: of a day."
    )
    zone: Zone | None = Field(None, description="Of times that say none, and of days.")
    values: dict[str, Constant] = Field(
        default_factory=dict, description="The record's value → ours; all others are dead letters."
    )
    ignore: list[str] = Field(
        default_factory=list, description="Of `type`: values that are no event for us."
    )
    scale: int | None = Field(
        None, ge=0, le=15, description="Of money: decimals of a whole number, or of Avro's decimal."
    )
    optional: bool = Field(
        default=False, description="A writer's schema may lack the path: then it is not told."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        told = [each for each in (self.path, self.const, self.key) if each is not None]
        if len(told) != 1:
            raise ValueError("an entry has one of path, const and key")
        return self


def _entry(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


Origin = Annotated[Entry, BeforeValidator(_entry)]


class Fields(Group):
    """Entries by the names of our fields (`avro_schemas/sources/ordergroove.avsc`)."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Origin]


class Listed(Fields):
    """The same of each element of an array; without `each`, of one entity."""

    each: str | None = Field(None, description="The path of the array; `@` is then its element.")


class Person(Fields):
    """`subscriber`: the ids of `subscriptions` are a list of their own."""

    subscriptions: Listed | None = Field(
        None, description="Those that were created together: `public_id` of each."
    )


class Subscription(Listed):
    """`subscription`, or the snapshot's."""

    prepaid: Fields | None = Field(None, description="A prepayment.")
    components: Listed | None = Field(None, description="Of a bundle.")


class Item(Listed):
    """`item`, or the snapshot's."""

    components: Listed | None = Field(None, description="Of a bundle.")


class Snapshot(Group):
    """The entities beside the event's own object."""

    customer: Fields | None = Field(None, description="Who it is about.")
    subscriptions: Subscription | None = Field(None, description="Those that it concerns.")
    orders: Listed | None = Field(None, description="Those that it concerns.")
    items: Item | None = Field(None, description="Lines of the order.")
    addresses: Listed | None = Field(None, description="Where it goes.")
    payments: Listed | None = Field(None, description="How it is paid.")
    products: Listed | None = Field(None, description="Texts of what is in it.")


class Mapping(Group):
    """How a merchant's own records are read."""

    key: str = Field(
        "{merchant}:{customer_id}", description="What the record's key is made of, and only of."
    )
    writer: Path | None = Field(
        None, description="The writer's schema (.avsc): paths are checked against it at the start."
    )
    each: str | None = Field(
        None, description="An array whose elements are the events, in order; `@` is the element."
    )
    event_id: Origin = Field(
        description="The record's own id; with `each` its place is added, unless it begins with @."
    )
    type: Origin = Field(description="The event's type, by `values` in our words.")
    created: Origin = Field(description="When it happened.")
    merchant: Origin = Field(description="The merchant's id, often a `const`.")
    customer_id: Origin = Field(description="The merchant's id of the customer.")
    received_at: Origin | None = Field(None, description="When it was received, if not then.")
    actor: Origin | None = Field(None, description="Who did it.")
    source: Origin | None = Field(None, description="What it came from: `PurchasePOST` say.")
    kind: Origin | None = Field(None, description="`event` (the default), `state` or `erase`.")
    subscriber: Person | None = Field(None, description="The object of `subscriber.*`.")
    subscription: Subscription | None = Field(None, description="The object of `subscription.*`.")
    order: Fields | None = Field(None, description="The object of `order.*`.")
    item: Item | None = Field(None, description="The object of `item.*`.")
    entitlements: Listed | None = Field(None, description="The objects of `entitlement.*`.")
    communication: Fields | None = Field(None, description="The object of `workflow.*`.")
    snapshot: Snapshot | None = Field(None, description="The entities beside the object.")
