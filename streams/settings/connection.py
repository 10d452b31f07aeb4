"""The table `connections.NAME`: one use of an account at a vendor."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path  # noqa: TC003 - pydantic reads these at run time
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from .tables import Group
from .values import Customer, Duration, Mode, Start, Zone  # noqa: TC001 - as above

ContactField = Literal["status", "active_subscriptions", "total_subscriptions"]
OrderStatus = Literal[
    "INITIALIZED", "IN_PROGRESS", "DELIVERED", "CANCELLED", "ABANDONED_SHOPPING_CART", ""
]


class Connection(Group):
    """One use of an account at a vendor."""

    destination: str | None = Field(None, description="The vendor. Default: the table's name.")
    mode: Mode = Field(
        "shadow",
        description="`off`, `shadow` (renders, sends nothing), `allowlist` (sends to the customers"
        " named) or `live`; `streams connections promote` may say otherwise.",
    )
    percentage: float = Field(
        100.0,
        ge=0,
        le=100,
        allow_inf_nan=False,
        description="`live`: share of the customers, by a hash of their key: raising it only adds.",
    )
    allowlist: list[Customer] = Field(
        default_factory=list,
        repr=False,  # whose they are is personal
        description="Customers, `MERCHANT:CUSTOMER`, who are served when the mode is `allowlist`.",
    )
    events: list[str] | None = Field(
        None,
        description="Only these of the event types that the vendor takes; profiles always go.",
    )
    except_events: list[str] = Field(
        default_factory=list, description="All event types that the vendor takes but these."
    )
    start: Start = Field(
        "end", description="Where in its topic the connection's first start begins."
    )
    merchants: list[str] | None = Field(
        None, description="Merchants, and stores of Okendo, that it serves. None: all."
    )
    credentials: SecretStr | None = Field(
        None, description="The private key: from the environment or a secret file, not this file."
    )
    credentials_file: Path | None = Field(
        None, description="A file that holds the private key; read again when it changes."
    )
    account: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = Field(
        None,
        description="Connections to one destination with the same `account` share its rate limits."
        " Default: those with the same credentials.",
    )
    url: str | None = Field(None, description="Where the API is. Default: the vendor's own.")
    display_zone: Zone = Field(
        "America/New_York", description="Zone of days and times that people read."
    )
    late_events: Literal["data", "trigger"] = Field(
        "data", description="`late` events start no flow, or (`trigger`) do like any other."
    )
    event_names: dict[str, str] = Field(
        default_factory=dict, description="Event type → its name at the vendor, if not the page's."
    )
    client_user_id: bool = Field(
        default=False,
        description="Let the shop's customer ids identify people at the vendor: only if no two"
        " people ever share one.",
    )
    contact_fields: dict[ContactField, str] = Field(
        default_factory=dict,
        description="What we keep of a customer → the vendor's field for it: Ometria's field ids,"
        " Yespo's numbers (without them Yespo's contacts are left alone).",
    )
    collection: str | None = Field(
        None, description="Ometria: the data source that contacts are listed under."
    )
    total_value_unit: Literal["major", "minor"] = Field(
        "major", description="Ometria: `total_value` in whole dollars or cents."
    )
    order_statuses: dict[str, OrderStatus] = Field(
        default_factory=dict,
        description="Yespo: event type of an order → its status; empty: an event of its own.",
    )
    sync_profiles_every: Duration | None = Field(
        None,
        description="How often changed profiles are sent; `0s`: with their events. None: as the"
        " vendor's page promises (Ometria: every hour).",
    )
    max_age: dict[str, Duration] = Field(
        default_factory=dict,
        description="Event type → how old it may be to be worth telling; then it is `expired`.",
    )
    park_after: Duration = Field(
        timedelta(minutes=1),
        description="A customer whose delivery fails for so long, while the vendor works, is parked"
        " and holds back nobody else.",
    )
    concurrency: int = Field(64, ge=1, le=1000, description="Customers served at once.")
    low_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of limits and concurrency that replays and repairs (`.low`) may take.",
    )
    limits: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["off"] = Field(
        1.0, description="Share of the vendor's published rate to use; `off`: no limit of ours."
    )
