"""What a vendor refuses after it has answered: looked up now and then, and told as outcomes.

Each becomes an outcome `rejected: late_error` with the field. Where the list names the record, and
it was sent lately, it is the delivery's outcome and corrects the earlier one (`LatelySent`).
Ometria lists the newest errors without saying whose they are (contracts/ometria.md §2), and other
programs of the account have theirs there too: such an outcome belongs to no delivery; it is seen
and counted. Who owns the delivery topic's first partition looks.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

from streams.delivery.http import TransportFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.delivery.http import Http
    from streams.model.delivery import Destination, LateError
    from streams.model.delivery import LateErrors as Listing

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 60.0


class LateErrors:
    """Looks up one connection's late errors. For one event loop."""

    def __init__(
        self,
        destination: Destination,
        http: Http,
        tell: Callable[[LateError], None],
        *,
        every: float = LOOK_SECONDS,
    ) -> None:
        """Take what it works with.

        Args:
            destination: says where they are listed, if anywhere, and reads the list.
            http: the connections to the vendor.
            tell: called with each new one.
            every: seconds between two looks.
        """
        self._destination = destination
        self._http = http
        self._tell = tell
        self._every = every
        self._seen: Counter[LateError] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, if the vendor lists any; what is listed already is nobody's news."""
        if self._task is None and self._destination.late_errors is not None:
            look = self._look_regularly(self._destination.late_errors)
            self._task = asyncio.get_running_loop().create_task(look)

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            self._task, self._seen = None, None

    async def _look_regularly(self, listing: Listing) -> None:
        while True:
            try:
                response = await self._http.send(listing.request, b"")
            except TransportFailure as failure:
                log.info("%s: no list of late errors: %s", self._destination.name, failure.reason)
            else:
                if 200 <= response.status < 300:
                    self._note(listing.read(response))
            await asyncio.sleep(self._every)

    def _note(self, errors: Sequence[LateError]) -> None:
        """Tell of what the last list had not; of equal ones only their number is known."""
        now = Counter(errors)
        if self._seen is not None:
            for error in (now - self._seen).elements():
                self._tell(error)
        self._seen = now
