"""What is planted for the canary test: secrets, and a day of people who do not exist.

The people live through the samples' stories, under names, addresses and ids that stand nowhere
else: whatever of them comes out was theirs.
"""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from tests.support.okendo import SAMPLES as LOYALTY
from tests.support.samples import CUSTOMER, MERCHANT, story

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PEOPLE: Final = 5

SECRETS: Final[Mapping[str, str]] = {
    "klaviyo's key": "pk_canary7Qz4kLw9",
    "attentive's key": "attentive-canary.8Rt/5m",
    "ometria's key": "ometria+canary=2Hx6p",
    "yespo's key": "yespo canary?3Jn7&v",
    "a revoked key": "pk_canaryRevoked5Tg",
    "a key that is quoted back": "pk_canaryQuoted1Bd",
    "hash key": "hash-canary/9Vc=2sD",
    "kafka's password": "kafka canary+4Fm&8k",
    "kafka's property": "property-canary%6Ws=1",
    "registry's password": "registry canary/7Yp+3",
}
"""Texts with whatever the place of each may hold: blanks, signs, what URLs and base64 change."""

CUSTOMERS: Final = "the customer's id"
PERSONAL: Final[Mapping[str, str]] = {
    "first name": "Zéphyrinne",
    "last name": "Thistlewood",
    "e-mail address": "plovermark",
    "phone": "212555014",
    "phone with dashes": "212-555-014",
    "phone with brackets": "(212) 555-014",
    "street": "Peppercorn Crescent",
    "another street": "Quillfeather Alley",
    "who lives there": "Bramblewick Library",
    CUSTOMERS: "kunde7q4zkx",
    "e-mail address of a member": "otterburnish",
    "id of a member": "7e57c0de-1c7e-4c0c-9b0a",
    "id of a member at the shop": "c0ffee7e-57aa-4f0e-8e0b",
}
"""Parts that all of the people share: `plovermark3@shop-demo.io` is the address of the third."""

_ID = re.compile(r'"([0-9a-f]{32})"')


def key_of(number: int) -> str:
    """Key of a person's row."""
    return f"{MERCHANT}:{PERSONAL[CUSTOMERS]}{number}"


def webhooks() -> Iterator[bytes]:
    """Ordergroove's webhooks of all people, one line each; among them some that nobody can read."""
    for body in story():
        for number in range(PEOPLE):
            yield _told_of(number, body)
    spoiled = _told_of(0, story()[0])
    yield spoiled[:-30]
    yield spoiled.replace(b'"public_id"', b'"no_id"').replace(b'"merchant"', b'"no_merchant"')
    yield spoiled.replace(b"subscri", b"unheard")
    yield json.dumps([PERSONAL["street"], PERSONAL["phone"]]).encode()


def loyalty_webhooks() -> Iterator[bytes]:
    """Okendo's webhooks, one line each, in the order in which they happened."""
    changes = {
        "noor.hale@": f"{PERSONAL['e-mail address of a member']}@",
        "6d1b7c1e-3a55-4c0c-9b0a": PERSONAL["id of a member"],
        "0f8e2b6a-77aa-4f0e-8e0b": PERSONAL["id of a member at the shop"],
    }
    for body in LOYALTY.values():
        yield _changed(body, changes)


def _told_of(number: int, body: bytes) -> bytes:
    """A sample as it happened to another: its ids are another's too, but for the merchant's."""
    changes = {
        f'"{CUSTOMER}"': f'"{PERSONAL[CUSTOMERS]}{number}"',
        "ines.marlow@": f"{PERSONAL['e-mail address']}{number}@",
        '"Ines"': f'"{PERSONAL["first name"]}"',
        '"Marlow"': f'"{PERSONAL["last name"]}"',
        "+16125550148": f"+1{PERSONAL['phone']}{number}",
        "612-555-0148": f"{PERSONAL['phone with dashes']}{number}",
        "(612) 555-0148": f"{PERSONAL['phone with brackets']}{number}",
        "77 Mill Row": f"77 {PERSONAL['street']}",
        "418 Larch Street": f"418 {PERSONAL['another street']}",
        "c/o Finch Library": f"c/o {PERSONAL['who lives there']}",
    }
    text = _changed(body, changes).decode()

    def another(found: re.Match[str]) -> str:
        if found[1] == MERCHANT:
            return found[0]
        return f'"{blake2b(f"{number} {found[1]}".encode(), digest_size=16).hexdigest()}"'

    return _ID.sub(another, text).encode()


def _changed(body: bytes, changes: Mapping[str, str]) -> bytes:
    text = json.dumps(json.loads(body), ensure_ascii=False)
    for before, after in changes.items():
        text = text.replace(before, after)
    return text.encode()
