"""`[ingest]`: the role that receives webhooks, and the addresses that it receives them at."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path  # noqa: TC003 - pydantic reads these at run time
from typing import Annotated

from pydantic import Field

from .tables import Group
from .values import Duration  # noqa: TC001 - as above

Account = Annotated[str, Field(pattern=r"^[^:/\s]+$")]
"""A merchant's or a store's id, which is the last part of an address."""


class Address(Group):
    """Where one merchant's, or one store's, webhooks come in."""

    keys_file: Path = Field(
        description="A file with the keys that sign them, one a line; while a key is rotated both."
        " It is read again when it changes.",
    )
    also: list[Account] = Field(
        default_factory=list,
        description="Further merchants or stores whose webhooks may come here; of others they are"
        " answered 200, counted as `foreign` and not kept.",
    )
    test_customers: list[str] = Field(
        default_factory=list,
        description="Customers of test webhooks: answered 200, counted as `test` and not kept.",
    )


class Ingest(Group):
    """The role ingest: webhooks → source topics."""

    host: str = Field("127.0.0.1", description="Address that it listens on.")
    port: int = Field(6067, ge=0, le=65535, description="Its HTTP port; 0: any free.")
    max_body: int = Field(
        10 << 20, ge=1 << 10, le=10 << 20, description="Bytes of a body at most; more is 413."
    )
    tolerance: Duration = Field(
        timedelta(minutes=5), description="How far a signature's time may be from ours."
    )
    patience: Duration = Field(
        timedelta(seconds=4),
        description="How long Kafka may take before the answer is 503; Ordergroove waits 5 s.",
    )
    ordergroove: dict[Account, Address] = Field(
        default_factory=dict,
        description="Merchant → its address, `/webhooks/ordergroove/MERCHANT`.",
    )
    okendo: dict[Account, Address] = Field(
        default_factory=dict, description="Store → its address, `/webhooks/okendo/STORE`."
    )
