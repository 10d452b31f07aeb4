"""5 render: enriched event → what a vendor is asked for. One module per vendor; README says how."""

from __future__ import annotations

from collections.abc import Mapping

from streams.model.delivery import Destination

from .klaviyo import KLAVIYO

DESTINATIONS: Mapping[str, Destination] = {each.name: each for each in (KLAVIYO,)}
"""Every destination by name: the one list to extend."""
