"""Vendors, simulated: real HTTP servers, faithful to the vendors' contracts, with faults on demand.

Used by the demo, the tests and dry runs (`streams simulate VENDOR`). `server.py` is what they all
share; one module (with its family `<vendor>_*.py`) holds the rules of each vendor. They know
nothing of our own senders: what they check is the contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.simulators.attentive import attentive_simulator
from streams.simulators.klaviyo import klaviyo_simulator
from streams.simulators.ometria import ometria_simulator
from streams.simulators.ordergroove import ordergroove_simulator
from streams.simulators.server import Options, Simulator, read_options, run
from streams.simulators.yespo import yespo_simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SIMULATORS", "Options", "Simulator", "read_options", "run"]

SIMULATORS: Mapping[str, Callable[[Options], Simulator]] = {
    "attentive": attentive_simulator,
    "klaviyo": klaviyo_simulator,
    "ometria": ometria_simulator,
    "ordergroove": ordergroove_simulator,
    "yespo": yespo_simulator,
}
"""Every vendor that can be simulated, by its name. The functions raise ValueError for switches that
do not exist."""
