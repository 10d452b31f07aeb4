"""What loyalty asks of Attentive and Klaviyo, sent to their simulators over sockets.

The simulators follow the vendors' contracts and know nothing of the renderers. Every request of a
member's year must be taken, and at its end the vendors know what the member is, and no more.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from streams.destinations import DESTINATIONS
from streams.model.delivery import Options, Part
from streams.model.ids import delivery_id
from streams.pipeline import enriched_of
from tests.support import attentive_account, klaviyo
from tests.support.okendo import EMAIL, ENRICHED, story
from tests.support.okendo_page import PAGE

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent
    from tests.support.simulation import Account

STRICT: dict[str, Any] = {
    "attentive": {"error_body": "object", "phone_check": "numbering_plan", "dedup": True},
    "klaviyo": {},
}
KEYS = {"attentive": "tok", "klaviyo": "pk_test"}
TELL: dict[str, Any] = {"attentive": attentive_account.tell, "klaviyo": klaviyo.tell}


def _events() -> list[EnrichedEvent]:
    return [enriched_of(ENRICHED, told.value) for each in story() for told in each.told]


@cache
def delivered(vendor: str) -> tuple[int, list[tuple[int | None, str]], Any]:
    """How much was sent, what came of each request, and what the vendor then knows."""
    destination = DESTINATIONS[vendor]

    async def send(account: Account) -> tuple[int, list[tuple[int | None, str]], Any]:
        sent = 0
        for event in _events():
            account.now = event.occurred_at / 1000
            id_ = delivery_id(event.event_id, event.type, vendor)
            for part in destination.render(event, id_, event.occurred_at, Options()):
                assert isinstance(part, Part), part
                request = part.request
                headers = {**request.headers, **destination.authorize(KEYS[vendor])}
                await account.client.request(
                    request.method, request.path, json=request.body, headers=headers
                )
                sent += 1
        fates = [(each.status, each.fate) for each in account.simulator.received]
        return sent, fates, await account.state()

    found: tuple[int, list[tuple[int | None, str]], Any] = TELL[vendor](send, **STRICT[vendor])
    return found


@pytest.mark.parametrize("vendor", TELL)
def test_everything_is_taken(vendor: str) -> None:
    """No request is refused, dropped, or taken for a copy."""
    sent, fates, _ = delivered(vendor)

    assert sent
    assert {"accepted"} == {fate for _, fate in fates}
    assert sent == len(fates)


def test_attentive_has_every_event_type() -> None:
    """Under the page's names."""
    assert {row.name for row in PAGE.values()} == {
        each["name"] for each in delivered("attentive")[2]["types"]
    }


def test_attentive_knows_what_the_member_is_now() -> None:
    """Blocked, of no tier; the dates of before stay, as nobody says how they are cleared."""
    [who] = delivered("attentive")[2]["people"]
    known = who["attributes"]

    assert {"email": [EMAIL]} == who["identifiers"]

    assert ("blocked", "none", "2027-02-28") == (
        known["Okendo Loyalty Program Status"],
        known["Okendo Loyalty VIP Tier"],
        known["Okendo Loyalty Next Birthday Date"],
    )
    assert "2027-10-01" == known["Okendo Loyalty VIP Tier Expiry Date"]


def test_klaviyo_knows_what_the_member_is_now() -> None:
    """Blocked; all that holds no longer is gone."""
    [who] = delivered("klaviyo")[2]["profiles"]
    known = who["attributes"]

    assert EMAIL == known["email"]
    assert {
        "Okendo Loyalty Program Status": "blocked",
        "Okendo Loyalty Next Birthday Date": "2027-02-28",
    } == known["properties"]
