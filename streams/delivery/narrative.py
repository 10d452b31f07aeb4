"""What happens to deliveries, in the log: a line an outcome, at the level `DEBUG`.

The outcomes topic is what is asked later; these lines are for whoever watches a worker now. They
say of a customer as much as can be told apart, and no more.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from streams.model.masking import masked_phone
from streams.model.trace import trace_id, trace_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.delivery.pending import Delivery

log = logging.getLogger(__name__)


def tell(record: Mapping[str, Any], delivery: Delivery) -> None:
    """Log an outcome.

    Args:
        record: as it goes to the outcomes topic.
        delivery: whose it is.
    """
    if not log.isEnabledFor(logging.DEBUG):
        return
    trace = trace_of(delivery.headers)
    told = {
        "connection": record["connection"],
        "event_type": record["type"],
        "event_id": record["event_id"],
        "delivery_id": record["delivery_id"],
        "part": record["part"],
        "outcome": record["outcome"],
        "reason": record["reason"],
        "customer": masked_phone(record["customer_id"]),
        "trace_id": None if trace is None else trace_id(trace),
    }
    log.debug("%s: %s", record["connection"], record["outcome"], extra=told)
