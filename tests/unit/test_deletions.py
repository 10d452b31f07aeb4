"""Vendors asked to forget somebody: in their own words, by what they know of them, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from streams.destinations import DESTINATIONS
from streams.model.delivery import Accepted, Options, Outcome, Part, Refusal, Rejected, Response
from streams.model.fact import CUSTOMER_ERASED
from tests.support.enriched import AT, KNOWN, NOBODY, bare

PHONE = "+13125550148"
BOTH = replace(KNOWN, phone_number=PHONE)
ALONE = replace(NOBODY, phone_number=PHONE)


def asked(name: str, profile: Any = BOTH, **options: Any) -> Part | Refusal:
    """What a vendor is asked when a customer is erased."""
    event = bare(CUSTOMER_ERASED, profile)
    [part] = DESTINATIONS[name].render(event, "6f1d2a52", AT, Options(**options))
    return part


def body(name: str, profile: Any = BOTH, **options: Any) -> tuple[str, Any]:
    """Path and body of that."""
    part = asked(name, profile, **options)
    assert isinstance(part, Part), part
    assert ("event", Outcome.ERASED, False) == (part.name, part.outcome, part.brings_profile)
    return part.request.path, part.request.body


@pytest.mark.parametrize(
    ("profile", "who"), [(BOTH, {"email": KNOWN.email}), (ALONE, {"phone_number": PHONE})]
)
def test_klaviyo_deletes_by_one_identifier(profile: Any, who: dict[str, str]) -> None:
    """Several are an error (contract §7): the address, else the phone."""
    path, told = body("klaviyo", profile)
    data = told["data"]

    assert "/api/data-privacy-deletion-jobs" == path
    assert "data-privacy-deletion-job" == data["type"]
    assert {"data": {"type": "profile", "attributes": who}} == data["attributes"]["profile"]


def test_attentive_deletes_by_what_it_knows() -> None:
    """Only what matches is deleted (contract §5), so all that is known is named."""
    who = {"subjectEmail": KNOWN.email, "subjectPhone": PHONE, "requestMsg": "erasure 6f1d2a52"}
    customer = bare(CUSTOMER_ERASED).customer_id

    assert ("/v1/privacy/delete-request", who) == body("attentive")
    assert {**who, "clientUserId": customer} == body("attentive", client_user_id=True)[1]


@pytest.mark.parametrize("name", ["klaviyo", "attentive"])
def test_nobody_is_asked_about_nobody(name: str) -> None:
    """Without an identifier there is nothing to ask."""
    assert Refusal("event", Outcome.FILTERED, "no_identifier") == asked(name, NOBODY)


@pytest.mark.parametrize("name", ["ometria", "yespo"])
def test_who_offers_no_deletion_is_not_asked(name: str) -> None:
    """The outcome says so, for the certificate."""
    assert Refusal("event", Outcome.FILTERED, "no_deletion") == asked(name)
    assert DESTINATIONS[name].deletion is None


def test_attentives_request_is_followed() -> None:
    """Its id stands in the outcome's reason; by it the vendor is asked how far it is."""
    vendor = DESTINATIONS["attentive"]
    part = asked("attentive")
    assert isinstance(part, Part)
    assert vendor.deletion is not None
    answer = Response(200, {}, b'{"id": 8412, "processed": false}')
    [verdict] = vendor.classify([part.request], answer)
    assert Accepted("request_8412") == verdict
    request = vendor.deletion.follow("request_8412")
    assert request is not None
    assert ("GET", "/v1/privacy/delete-request/8412") == (request.method, request.path)
    assert vendor.deletion.follow("superseded") is None
    told = [vendor.deletion.done(Response(200, {}, each)) for each in (answer.body, b"x", b"{}")]
    assert [False, None, None] == told


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"id": null}', b'{"id": "a b"}'])
def test_an_answer_without_an_id_is_taken_all_the_same(answer: bytes) -> None:
    """There is nothing to follow then."""
    part = asked("attentive")
    assert isinstance(part, Part)
    vendor = DESTINATIONS["attentive"]

    assert [Accepted(None)] == vendor.classify([part.request], Response(200, {}, answer))
    [refused] = vendor.classify([part.request], Response(400, {}, b'{"error":"no"}'))
    assert isinstance(refused, Rejected)
