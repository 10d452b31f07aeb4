"""The vendors of a scene, their simulators in one thread, and what each of them started."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final, Self

from streams.simulators import SIMULATORS, Options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Any

    from streams.simulators.server import Simulator

VENDORS: Final = ("attentive", "klaviyo", "ometria", "yespo")
_SWITCHES: Final[Mapping[str, Mapping[str, Any]]] = {
    # strict the other way round: an event of somebody unknown counts as one that starts something,
    # and the same request within a minute is taken, for rounds follow each other in seconds
    "yespo": {"unmatched_events": "start", "repeats": "off"},
}
_START_SECONDS: Final = 20.0


class Vendors:
    """All vendors; a context manager."""

    def __init__(self, limits: float | None) -> None:
        self._simulators: dict[str, Simulator] = {
            name: SIMULATORS[name](Options(limits=limits, switches=dict(_SWITCHES.get(name, {}))))
            for name in VENDORS
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        for each in self._simulators.values():
            asyncio.run_coroutine_threadsafe(each.start(), self._loop).result(_START_SECONDS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in self._simulators.values():
            asyncio.run_coroutine_threadsafe(each.stop(), self._loop).result(_START_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def url(self, vendor: str) -> str:
        """Where a vendor listens."""
        return self._simulators[vendor].url + ("/api" if vendor == "yespo" else "")

    def requests(self, vendor: str) -> int:
        """How many requests it was sent."""
        return len(self._simulators[vendor].received)

    def started(self, vendor: str) -> Sequence[str]:
        """What started a flow, in the vendor's own word, oldest first: the event's id there.

        Of a Yespo order its id and status, which are the vendor's own event.
        """
        state: Mapping[str, Any] = self._simulators[vendor].state()
        if vendor == "attentive":
            return [each["external_event_id"] for each in state["journeys"]]
        if vendor == "klaviyo":
            return [each.unique_id for each in state["events"] if each.triggers]
        if vendor == "ometria":
            return [each.id for each in state["campaigns"]]
        return [f"{each.type}:{each.key}" for each in state["events"] if each.starts]
