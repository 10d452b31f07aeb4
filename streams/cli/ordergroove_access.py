"""Settings → who asks Ordergroove's REST API for a merchant."""

from __future__ import annotations

import random
import re
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from streams.cli.connections.settings import checked_address
from streams.delivery.limits import Limiter
from streams.delivery.retry import Schedule
from streams.destinations.answers import retry_after
from streams.errors import ConfigurationError
from streams.ingest.keys import Keys
from streams.ingest.ordergroove_api import OrdergrooveApi
from streams.ingest.ordergroove_requests import ENDPOINT, Manners
from streams.model.rules import Limit
from streams.settings.secret_files import secret_file, set_by_variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.delivery.limits import WindowKey
    from streams.settings import Settings
    from streams.settings.ordergroove_api import Api

_SAFETY = 0.955
"""The share of a short window that is used, so that jitter on the way breaks none."""

_OF_VARIABLES = re.compile("[a-z0-9]+(_[a-z0-9]+)*")

_SCHEDULE = Schedule(base=0.5, cap=30.0, longest_after=300.0)


def api_of(settings: Settings, merchant: str) -> OrdergrooveApi:
    """The client of a merchant's account; all of a process keep one limit at one address.

    Raises:
        ConfigurationError: the merchant has no table, no key, or an address that is none.
    """
    configured = settings.ordergroove.api.get(merchant)
    if configured is None:
        raise ConfigurationError(
            f"ordergroove.api.{merchant}",
            "there is no such table",
            "Add it, with the merchant's public id and its key",
        )
    pace = _pace_of(settings, merchant)
    return OrdergrooveApi(
        configured.url,
        _key_of(merchant, configured),
        merchant,
        Manners(pace, _SCHEDULE.wait, retry_after, random.random),
        timeout=configured.timeout.total_seconds(),
    )


class SharedPace:
    """A limiter that several threads may ask."""

    def __init__(self, requests_per_minute: int) -> None:
        limits = (Limit(ENDPOINT, requests_per_minute, 60.0),)
        self._limiter = Limiter(limits, factor=1.0, safety=_SAFETY, clock=time.monotonic)
        self._lock = threading.Lock()

    @property
    def windows(self) -> Mapping[WindowKey, int]:
        """See `Limiter.windows`."""
        return self._limiter.windows

    def take(self, endpoint: str) -> float:
        """See `Limiter.take`."""
        with self._lock:
            return self._limiter.take(endpoint)

    def throttled(self, endpoint: str, seconds: float, latency: float = 0.0) -> bool:
        """See `Limiter.throttled`."""
        with self._lock:
            return self._limiter.throttled(endpoint, seconds, latency)


_paces: dict[tuple[str, int], SharedPace] = {}
"""What this process keeps to, by address and requests a minute."""

_paces_lock = threading.Lock()


def _pace_of(settings: Settings, merchant: str) -> SharedPace:
    """The pace at a merchant's address: the slowest of what its merchants are set to."""
    addresses = {name: _address(name, api) for name, api in settings.ordergroove.api.items()}
    address = addresses[merchant]
    slowest = min(
        api.requests_per_minute
        for name, api in settings.ordergroove.api.items()
        if addresses[name] == address
    )
    with _paces_lock:
        return _paces.setdefault((address, slowest), SharedPace(slowest))


def _address(merchant: str, configured: Api) -> str:
    """Scheme, host and port of the API."""
    url = checked_address(f"ordergroove.api.{merchant}.url", configured.url, "key")
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _key_of(merchant: str, configured: Api) -> str | Callable[[], str]:
    """The key, or who reads it again from its file when that changes."""
    setting = ("ordergroove", "api", merchant, "key")
    file = None if set_by_variable(*setting) else secret_file(*setting) or configured.key_file
    if file is not None:
        keys = Keys(f"ordergroove.api.{merchant}.key_file", file, time.monotonic)
        return lambda: keys()[0]
    told = "" if configured.key is None else configured.key.get_secret_value().strip()
    if not told:
        file_setting = f"ordergroove.api.{merchant}.key_file to a file that holds it"
        if _OF_VARIABLES.fullmatch(merchant):  # else no variable's name says it
            file_setting = f"STREAMS_ORDERGROOVE__API__{merchant.upper()}__KEY, or {file_setting}"
        raise ConfigurationError(
            f"ordergroove.api.{merchant}.key", "there is none", f"Set {file_setting}"
        )
    return told
