"""What the simulated merchant sells, and the words that its customers are made of: all invented."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from streams.simulators.shapes import JSON

__all__ = [
    "FIRST_NAMES",
    "LAST_NAMES",
    "REASONS",
    "SCHEDULES",
    "TOWNS",
    "WARES",
    "Ware",
    "product_of",
]


class Ware(NamedTuple):
    """A product; `parts` are those of a bundle. Lists hide it unless it is `shown` (§2.2)."""

    id: str
    sku: str
    name: str
    price: str
    parts: tuple[str, ...] = ()
    autoship: bool = True
    discontinued: bool = False

    @property
    def shown(self) -> bool:
        """Whether a list has it without being asked for more."""
        return self.autoship and not self.discontinued


WARES = (
    Ware("44120991", "OAT-2KG", "Oat mix 2 kg", "24.00"),
    Ware("0071001", "COF-HOUSE-250", "House blend, whole bean 250 g", "11.90"),
    Ware("0071003", "COF-YIRGA-250", "Yirgacheffe, light roast 250 g", "15.40"),
    Ware("0071005", "COF-NOIR-500", "Café noir, ground 500 g", "21.75"),
    Ware("PET-100", "DOG-SALMON-6", "Salmon & rice kibble 6 kg", "49.99"),
    Ware("PET-102", "CAT-TURKEY-24", "Turkey pâté, 24 tins", "33.60"),
    Ware("VIT-D3-90", "D3-90", "Vitamin D3, 90 softgels", "12.00"),
    Ware("VIT-MULTI-120", "MULTI-120", "Daily multi, 120 capsules", "29.95"),
    Ware("BNDL-MORNING", "MORNING-KIT", "Morning kit", "64.00", ("0071001", "44120991")),
    Ware("VIT-OLD-60", "OLD-60", "Vitamin C, 60 tablets", "9.90", discontinued=True),
    Ware("SMP-04", "GIFT-MUG", "Enamel mug", "9.00", autoship=False),
)

FIRST_NAMES = (
    "Noor", "Ada", "Miguel", "Priya", "Tomás", "Ingrid", "Kwame", "Yuki", "Lena", "Omar", "Saoirse",
    "Mateo", "Hana", "Piet", "Zoë", "Amara", "Jonas", "Leila", "Viktor", "Imani",
)  # fmt: skip
LAST_NAMES = (
    "Hale", "Quill", "Ortega", "Raman", "Lindqvist", "Mensah", "Tanaka", "Brandt", "Farouk",
    "O'Dell", "Castellanos", "Sato", "van Dijk", "Okafor", "Weiss", "Haddad",
)  # fmt: skip
TOWNS = (
    ("Chicago", "IL", "60601", "312"),
    ("Seattle", "WA", "98101", "206"),
    ("Portland", "ME", "04101", "207"),
    ("Santa Fe", "NM", "87501", "505"),
)
"""Name, state, postal code, telephone area code."""

SCHEDULES = ((1, 2, 7), (2, 2, 14), (8, 2, 56), (1, 3, 30), (2, 3, 60), (6, 3, 180), (10, 1, 10))
"""`every`, `every_period` and `frequency_days` (§2.1)."""

REASONS = ((1, "Moving away"), (2, "Overstocked"), (8, "Costs too much"), (15, "Not for me"))
"""Codes and texts that customers cancel with (§2.1)."""


def product_of(ware: Ware, merchant: str, since: int) -> JSON:
    """A product as an entity, unchanged since that moment (§2.2)."""
    return {
        "merchant": merchant,
        "groups": [],
        "name": ware.name,
        "price": ware.price,
        "image_url": f"https://shop-demo.io/img/{ware.sku.lower()}.png",
        "detail_url": f"https://shop-demo.io/p/{ware.sku.lower()}",
        "external_product_id": ware.id,
        "sku": ware.sku,
        "autoship_enabled": ware.autoship,
        "prepaid_eligible": False,
        "created": since,
        "last_update": since,
        "live": not ware.discontinued,
        "discontinued": ware.discontinued,
        "offer_profile": None,
        "extra_data": None,
        "incentive_group": None,
        "product_type": "static price bundle" if ware.parts else "standard",
        "autoship_by_default": False,
        "every": None,
        "every_period": None,
    }
