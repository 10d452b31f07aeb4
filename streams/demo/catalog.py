"""What the demo's shop sells, where its customers live, what they say: invented words only.

Read by `streams.demo.world`, which makes people, subscriptions and orders of it.
"""

from __future__ import annotations

from typing import NamedTuple

DOMAINS = ("shop-demo.io", "post.shop-demo.io", "mail.shop-demo.io")
"""Where invented people have their mail."""

SHOP_URL = "https://shop-demo.io"


class Ware(NamedTuple):
    """A product: the shop's id of it, its stock keeping unit, name, unit price, picture's name."""

    id: str
    sku: str
    name: str
    price: str
    picture: str | None


WARES = (
    Ware("44120991", "OAT-2KG", "Oat mix 2 kg", "24.00", "oat"),
    Ware("44120992", "OAT-5KG", "Oat mix 5 kg", "52.50", "oat-5"),
    Ware("0071001", "COF-HOUSE-250", "House blend, whole bean 250 g", "11.90", "house"),
    Ware("0071002", "COF-HOUSE-1000", "House blend, whole bean 1 kg", "38.00", "house-1kg"),
    Ware("0071003", "COF-YIRGA-250", "Yirgacheffe, light roast 250 g", "15.40", "yirga"),
    Ware("0071004", "COF-DECAF-250", "Decaf Huila 250 g", "13.20", "decaf"),
    Ware("0071005", "COF-NOIR-500", "Café noir, ground 500 g", "21.75", "noir"),
    Ware("0071006", "COF-PODS-60", "Espresso pods, 60", "27.00", "pods"),
    Ware("PET-100", "DOG-SALMON-6", "Salmon & rice kibble 6 kg", "49.99", "salmon"),
    Ware("PET-101", "DOG-LAMB-6", "Lamb & oats kibble 6 kg", "51.99", "lamb"),
    Ware("PET-102", "CAT-TURKEY-24", "Turkey pâté, 24 tins", "33.60", "turkey"),
    Ware("PET-103", "CAT-LITTER-10", "Corn litter 10 kg", "18.25", None),
    Ware("PET-104", "DOG-CHEW-30", "Dental chews, 30", "16.00", "chews"),
    Ware("VIT-D3-90", "D3-90", "Vitamin D3, 90 softgels", "12.00", "d3"),
    Ware("VIT-B12-60", "B12-60", "Vitamin B12, 60 tablets", "14.50", "b12"),
    Ware("VIT-MULTI-120", "MULTI-120", "Daily multi, 120 capsules", "29.95", "multi"),
    Ware("VIT-OMEGA-90", "OMEGA-90", "Omega 3, 90 softgels", "26.40", "omega"),
    Ware("VIT-MAG-100", "MAG-100", "Magnesium glycinate, 100", "22.10", None),
    Ware("BNDL-MORNING", "MORNING-KIT", "Morning kit: coffee, oats, D3", "64.00", "morning"),
    Ware("BNDL-PUPPY", "PUPPY-KIT", 'Puppy box "Miso"', "71.25", "puppy"),
)
"""What can be subscribed to."""

SAMPLES = (
    Ware("SMP-01", "SAMPLE-ROAST", "Sampler: dark roast 50 g", "3.50", "sample-roast"),
    Ware("SMP-02", "SAMPLE-TREAT", "Sampler: duck treats", "2.75", "sample-treat"),
    Ware("SMP-03", "SAMPLE-C", "Sampler: vitamin C, 10", "2.00", None),
    Ware("SMP-04", "GIFT-MUG", "Enamel mug", "9.00", "mug"),
)
"""What is bought once, beside a subscription; never subscribed to."""

COMPONENTS = {"BNDL-MORNING": ("0071001", "44120991", "VIT-D3-90"), "BNDL-PUPPY": ("PET-100",)}
"""What bundles consist of."""

FIRST_NAMES = (
    "Noor", "Ada", "Miguel", "Priya", "Tomás", "Ingrid", "Kwame", "Yuki", "Lena", "Omar", "Saoirse",
    "Mateo", "Hana", "Piet", "Zoë", "Amara", "Jonas", "Leila", "Viktor", "Imani", "Rosa", "Emil",
    "Chiara", "Dev", "Freya", "Hugo", "Inés", "Kofi", "Maren", "Nils", "Olga", "Quentin", "Rafael",
    "Siobhán", "Tariq", "Una", "Vera", "Wen", "Ximena", "Yara",
)  # fmt: skip
LAST_NAMES = (
    "Hale", "Quill", "Ortega", "Raman", "Lindqvist", "Mensah", "Tanaka", "Brandt", "Farouk",
    "O'Dell", "Castellanos", "Sato", "van Dijk", "Okafor", "Weiss", "Haddad", "Petrov", "Otieno",
    "Vega", "Holm", "Ricci", "Mehta", "Nyberg", "Laurent", "Santos", "Boateng", "Keller", "Moreau",
    "Novak", "Abbott", "Suárez", "Whitlock", "Zhou", "Ibarra", "Carver", "Dunne", "Ekström",
)  # fmt: skip


class Town(NamedTuple):
    """A town: name, state, postal code, telephone area code, country."""

    name: str
    state: str
    zip: str
    area: str
    country: str = "US"


TOWNS = (
    Town("Chicago", "IL", "60601", "312"),
    Town("Brooklyn", "NY", "11201", "718"),
    Town("Austin", "TX", "78701", "512"),
    Town("Seattle", "WA", "98101", "206"),
    Town("Boston", "MA", "02108", "617"),
    Town("Santa Fe", "NM", "87501", "505"),
    Town("Portland", "ME", "04101", "207"),
    Town("Savannah", "GA", "31401", "912"),
    Town("Toronto", "ON", "M5V 2T6", "416", "CA"),
)
STREETS = ("Quay Rd", "Alder St", "Foundry Ln", "Larkspur Ave", "Old Mill Way", "Orchard Ct", "5th")

REASONS = (
    (1, "Moving abroad"),
    (2, "I have too much"),
    (3, "Not using it"),
    (8, "Costs too much"),
    (9, "Disengaged"),
    (15, "Did not like the taste"),
    (22, "Switching products"),
    (31, "Trouble managing online"),
    (70, "My pet doesn't need it; 50% is left"),
)
"""Codes and texts of cancel reasons."""

FREQUENCIES = (
    (7, 1, 2), (14, 2, 2), (28, 4, 2), (56, 8, 2), (30, 30, 1), (1, 1, 1), (45, 45, 1),
    (30, 1, 3), (60, 2, 3), (120, 4, 3), (180, 6, 3), (365, 1, 4),
)  # fmt: skip
"""(frequency_days, every, every_period): 1 days, 2 weeks, 3 months, 4 years."""

RESOURCES = (
    ("Recipe vault", "rv-1"),
    ("Ad-free brewing classes", "bc-7"),
    ("Vet on call", "voc-2"),
)
"""Digital resources that entitlements open: name, the shop's id."""

REJECTIONS = (
    '{"code": "120", "message": "Card has lapsed"}',
    '{"code": "140", "message": "Payment declined", "category": "payment"}',
    '{"code": "030", "message": "Stop trying"}',
    "{'code': '160', 'message': 'Do not retry'}",
    "{'code': '140', 'message': \"The card wasn't accepted\"}",
    '{"message": "No code given"}',
    "Gateway said: do not honor",
    "{}",
    "",
    None,
)
"""What platforms put into `rejected_message` (contracts/ordergroove.md §2.4)."""

UNKNOWN_TYPES = ("subscription.change_consumer", "order.teleport", "loyalty.points_earned")
"""Event types that no generation of the source's documents knows."""
