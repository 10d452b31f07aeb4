"""How patiently each kind of failure is met, as data: what vendors share, unless one differs.

A row is found by the reason of a `delivery.Retry`. A vendor's own rows (`Rules.retries`) go before
these. Waits grow with each failure under full jitter (`streams.delivery.retry`).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY: Final = 86_400.0
MINUTE: Final = 60.0

OTHERWISE: Final = "otherwise"
"""The row of a reason that has none of its own."""


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait between attempts, and when to give up. All in seconds.

    Attributes:
        first: the first wait's upper bound; it doubles with each failure.
        cap: no bound grows beyond it.
        longest_after: a Retry-After counts for so much at most.
        budget: time under attempt that a part may take before it is `expired`.
        source: the contract's section, or whose choice it is.
    """

    first: float = 0.5
    cap: float = MINUTE
    longest_after: float = 3_600.0
    budget: float = DAY
    source: str = "our choice"


RETRIES: Mapping[str, RetryPolicy] = MappingProxyType(
    {
        # nobody answered: `http.FailureReason`
        "unreachable": RetryPolicy(),
        "connection_broken": RetryPolicy(),
        "timeout": RetryPolicy(first=1.0, source="our choice: it may be at work on it"),
        "protocol_error": RetryPolicy(
            first=5.0, cap=5 * MINUTE, source="our choice: another address than the vendor's"
        ),
        # an answer that passes: `streams.destinations.answers`
        "server_error": RetryPolicy(),
        "request_timeout": RetryPolicy(),
        "too_early": RetryPolicy(first=1.0),
        "locked": RetryPolicy(first=1.0),
        "throttled": RetryPolicy(first=1.0, source="our choice: most limits are per second"),
        OTHERWISE: RetryPolicy(),
    }
)
"""Reason → how it is met, where the vendor has no row of its own."""
