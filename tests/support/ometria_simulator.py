"""A simulated Ometria and somebody who talks to it over a real socket.

`tell` runs a story against a fresh simulator (see `simulation.py`). `contact`, `reminder` and
`subscription` compose the records of contracts/ometria.md; `push` sends them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from streams.simulators import Options
from tests.support import simulation
from tests.support.simulation import NOW

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    import httpx2

    from streams.simulators.faults import Fault
    from tests.support.simulation import JSON, Account, Told

PUSH = "/v2/push"
ERRORS = "/v2/push/_errors"
EMAIL = "kim@shop-demo.io"
HEADERS = {"x-ometria-auth": "key-1", "content-type": "application/json"}
"""Those of a well formed request."""


def tell(
    story: Callable[[Account], Awaitable[Told]],
    *,
    limits: float | None = None,
    record: Path | None = None,
    faults: tuple[Fault, ...] = (),
    **switches: object,
) -> Told:
    """Run a story to its end against a fresh simulator, without limits unless asked for."""
    options = Options(limits=limits, record=record, faults=faults, switches=switches)
    return simulation.tell("ometria", HEADERS, story, options)


def contact(id_: str = "C-1", **fields: object) -> JSON:
    """Kim's contact with two counts, merged into what is there; `at_` stands for `@`."""
    return {
        "@type": "contact",
        "@collection": "ordergroove",
        "@merge": True,
        "id": id_,
        "customer_id": id_,
        "email": EMAIL,
        "properties": {"active_subscriptions": 1, "total_subscription": 3},
        **{name.replace("at_", "@", 1): value for name, value in fields.items()},
    }


def reminder(id_: str = "e-1", **fields: object) -> JSON:
    """Kim's order reminder of two seconds ago, unless told otherwise."""
    return {
        "@type": "custom_event",
        "id": id_,
        "timestamp": ago(2),
        "event_type": "Ordergroove_order_reminder",
        "identity_email": EMAIL,
        "properties": {"order_id": "O-7", "product_set": ["77"], "total_value": 25},
        **fields,
    }


def subscription(id_: str = "e-1", **fields: object) -> JSON:
    """Kim's cancellation of two seconds ago, unless told otherwise."""
    properties = {
        "cancellation_reason": "too much stock",
        "delivery_frequency": "Every 8 weeks",
        "detail_url": "https://shop-demo.io/p/77",
        "image_url": "https://shop-demo.io/p/77.jpg",
        "product_set": ["77"],
    }
    given = {"event_type": "Ordergroove_subscription_event", "properties": properties}
    return reminder(id_, **{**given, **fields})


def ago(seconds: float) -> str:
    """A timestamp of so long before the simulator's clock."""
    moment = datetime.fromtimestamp(NOW, UTC) - timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds")


async def push(account: Account, *records: object) -> httpx2.Response:
    """Send records in one request."""
    return await account.post(PUSH, list(records))


async def errors(account: Account) -> Any:
    """The errors as the vendor tells them: message and path of each."""
    told = (await account.get(ERRORS)).json()
    return [(each["error_message"], each["error_path"]) for each in told]


def row_fates(account: Account) -> list[list[str]]:
    """What became of each record of each request."""
    return [list(received.fates) for received in account.simulator.received]


def error_paths(record: object, **switches: Any) -> list[str]:
    """Where the errors of a record are; none where it is kept."""

    async def story(account: Account) -> list[str]:
        response = await push(account, record)
        assert (202, 1) == (response.status_code, response.json()["accepted"])
        paths = [path for _, path in await errors(account)]
        assert paths[-1:] == [fate[8:] for fate in row_fates(account)[0] if fate[:8] == "dropped:"]
        return paths

    return tell(story, **switches)


def flags_of(record: object, **switches: Any) -> list[tuple[str, str]]:
    """The flags of a record that is kept."""

    async def story(account: Account) -> list[tuple[str, str]]:
        await push(account, record)
        assert [] == await errors(account)
        return [(each["flag"], each["path"]) for each in await account.state("flags")]

    return tell(story, **switches)
