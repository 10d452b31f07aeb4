"""5 render: enriched event → what a vendor is asked for. One module per vendor; README says how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .attentive import ATTENTIVE
from .klaviyo import KLAVIYO
from .ometria import OMETRIA
from .yespo import YESPO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.model.delivery import Destination

DESTINATIONS: Mapping[str, Destination] = {
    each.name: each for each in (ATTENTIVE, KLAVIYO, OMETRIA, YESPO)
}
"""Every destination by name: the one list to extend."""
