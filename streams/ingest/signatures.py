"""Whether a webhook comes from who it says: signatures over the raw body, pure.

Ordergroove signs with the route's verification key and, for a day after it was rotated, with the
former one too (contracts/ordergroove.md §1.4). Okendo's signatures are Svix's, whose headers may
also be called `webhook-*` (contracts/okendo.md). Comparisons take the same time whatever differs.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from standardwebhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["BadSignature", "Reason", "signed_by_okendo", "signed_by_ordergroove"]

Reason = Literal["no_signature", "malformed_signature", "wrong_time", "no_match"]
"""Why a signature counts for nothing: a word for metrics."""

_MOST: Final = 8
"""Signatures that are looked at: two while keys are rotated; more are somebody's trial."""


class BadSignature(Exception):
    """Whoever sent this did not show that they know the key. Quotes nothing of what was sent."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def signed_by_ordergroove(
    header: str | None, body: bytes, keys: Sequence[str], now: float, tolerance: float
) -> None:
    """Return if one of these keys signed the body, lately.

    Args:
        header: `ts=SECONDS,sig=HEX[,sig=HEX]`.
        body: as it came, byte for byte.
        keys: of the route: the one that is valid, and the former one while it is rotated.
        now: epoch seconds.
        tolerance: seconds that the header's time may be off, either way.

    Raises:
        BadSignature: nobody who knows a key did.
    """
    told = [each.strip().partition("=") for each in (header or "").split(",")]
    times = [value for name, _, value in told if name == "ts"]
    signatures = [value for name, _, value in told if name == "sig"][:_MOST]
    if not signatures:
        raise BadSignature("no_signature")
    if len(times) != 1 or not (times[0].isascii() and times[0].isdecimal()):
        raise BadSignature("malformed_signature")
    _check_time(times[0], now, tolerance)
    message = times[0].encode() + b"." + body
    expected = [hmac.new(key.encode(), message, hashlib.sha256).hexdigest() for key in keys]
    _check_any(expected, signatures)


def signed_by_okendo(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float, tolerance: float
) -> None:
    """Return if one of these secrets signed the body, lately.

    Args:
        headers: names in lower case: `svix-id`, `svix-timestamp`, `svix-signature`, or `webhook-*`.
        body: as it came, byte for byte.
        secrets: `whsec_…`; several while they are rotated.
        now: epoch seconds.
        tolerance: seconds that the header's time may be off, either way.

    Raises:
        BadSignature: nobody who knows a secret did.
    """
    identity, at, told = (_either(headers, name) for name in ("id", "timestamp", "signature"))
    if not (identity and at and told):
        raise BadSignature("no_signature")
    if not (at.isascii() and at.isdecimal()):
        raise BadSignature("malformed_signature")
    _check_time(at, now, tolerance)
    try:
        text, moment = body.decode(), datetime.fromtimestamp(int(at), UTC)
        expected = [Webhook(secret).sign(identity, moment, text) for secret in secrets]
    except UnicodeError:
        raise BadSignature("no_match") from None  # what is signed is text
    _check_any(expected, told.split()[:_MOST])


def usable_secret(secret: str) -> bool:
    """Whether a secret of Okendo's has the form that its signatures need."""
    try:
        Webhook(secret)
    except (binascii.Error, ValueError, RuntimeError):
        return False
    except Exception:  # noqa: BLE001 - the library's own for an empty one
        return False
    return True


def _either(headers: Mapping[str, str], name: str) -> str | None:
    return headers.get(f"svix-{name}") or headers.get(f"webhook-{name}")


def _check_time(seconds: str, now: float, tolerance: float) -> None:
    if len(seconds) > 12 or abs(int(seconds) - now) > tolerance:
        raise BadSignature("wrong_time")


def _check_any(expected: Iterable[str], told: Sequence[str]) -> None:
    """Compare all with all, so that nothing is learnt of which one was nearly right."""
    found = False
    for ours in expected:
        for theirs in told:
            same = hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "replace"))
            found = found or same
    if not found:
        raise BadSignature("no_match")
