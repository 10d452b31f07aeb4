"""How fast a replay may go beside live traffic, and so how long it takes. Pure.

The low lane has a share of each limit, evenly spread, and never more than live traffic leaves; and
a share of the connection's slots, each of which is busy for as long as the vendor takes to answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from streams.model.rules import Batch, Limit

LATENCY_SECONDS: Final = 0.2
"""How long a vendor takes to answer, where nothing was measured."""
_LEFT: Final = 0.05
"""Of a limit that live traffic uses up: the limiter lets some of the low lane through."""


class Share(NamedTuple):
    """What a replay has of one endpoint, in requests per second.

    Attributes:
        rate: for the replay.
        allowed: by the vendor and the settings together.
        live: of it taken by live traffic.
    """

    rate: float
    allowed: float
    live: float


class Pace(NamedTuple):
    """How fast one connection's low lane goes.

    Attributes:
        shares: by endpoint; an endpoint without one has no limit.
        ceiling: requests per second of all endpoints, by the slots.
        batches: records of a request at most, by the batch's name.
    """

    shares: Mapping[str, Share]
    ceiling: float
    batches: Mapping[str, int]

    def seconds(self, records: Mapping[tuple[str, str], float]) -> float:
        """How long so many records take, by endpoint and batch ("" where they go alone)."""
        requests: dict[str, float] = {}
        for (endpoint, batch), count in records.items():
            requests[endpoint] = requests.get(endpoint, 0.0) + count / self.batches.get(batch, 1)
        limited = [
            count / self.shares[endpoint].rate
            for endpoint, count in requests.items()
            if endpoint in self.shares
        ]
        return max([sum(requests.values()) / self.ceiling, *limited], default=0.0)


def pace_of(  # noqa: PLR0913 - all that has a say
    limits: Iterable[Limit],
    batches: Iterable[Batch],
    *,
    factor: float | None,
    share: float,
    concurrency: int,
    live: float,
    latency: float = LATENCY_SECONDS,
) -> Pace:
    """The pace of a connection's low lane.

    Args:
        limits: what the vendor publishes.
        batches: what travels together.
        factor: multiplies the limits; None: there are none.
        share: of limits and slots, for the low lane.
        concurrency: the connection's slots.
        live: deliveries a second that come live: each is taken for a request to every endpoint, or
            for a part of one where several travel together.
        latency: seconds until the vendor answers.
    """
    batched = {each.name: each for each in batches}
    spaced = {each.name: min(live, 1 / each.seconds) for each in batched.values()}
    shares: dict[str, Share] = {}
    for limit in limits if factor is not None else ():
        allowed = limit.count / limit.seconds * (factor or 1.0)
        taken = min(spaced.get(limit.endpoint, live), allowed)
        rate = max(min(allowed * share, allowed - taken), allowed * _LEFT)
        known = shares.get(limit.endpoint)
        if known is None or rate < known.rate:
            shares[limit.endpoint] = Share(rate, allowed, taken)
    ceiling = max(1, int(concurrency * share)) / max(latency, 0.001)
    return Pace(shares, ceiling, {name: each.count for name, each in batched.items()})
