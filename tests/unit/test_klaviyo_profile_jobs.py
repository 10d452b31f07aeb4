"""Klaviyo's call for many profiles (contracts/klaviyo.md §5): what goes by it, what cannot.

The simulator follows the contract and knows nothing of the renderer.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from streams.destinations.klaviyo_rules import PROFILES
from streams.model.delivery import Options, Part, Refusal, Rejected, Repair, Response, Spared
from streams.model.enriched import EnrichedEvent, MemberView, ProfileView
from tests.support.enriched import KLAVIYO, KNOWN, NOBODY, bare, render

IN_BULK = Options(bulk_profiles=True)
WHOLE = replace(KNOWN, phone_number="+13125550148", first_name="Noor", status="active")


def changed(profile: ProfileView = WHOLE, **more: Any) -> EnrichedEvent:
    """A profile that is told alone."""
    return bare("profile.changed", profile, **more)


def part(event: EnrichedEvent) -> Part:
    """What is asked in bulk."""
    found = render(event, options=IN_BULK)
    assert isinstance(found, Part), found
    return found


def test_a_profile_says_in_a_job_what_it_says_alone() -> None:
    """The same resource, one of a job's; the vendor then has the profile all the same."""
    alone, many = render(changed()), part(changed())
    assert isinstance(alone, Part)

    assert alone.request.body["data"] == many.request.body
    assert ("/api/profile-bulk-import-jobs", PROFILES) == (many.request.path, many.request.frame)
    assert replace(alone, request=many.request) == many


def test_a_job_is_the_contracts() -> None:
    """The frame holds the profiles as a list, under the job's type."""
    requests = [part(changed(replace(KNOWN, email=f"{n}@shop-demo.io"))).request for n in "ab"]
    job = msgspec.json.decode(requests[0].framed(msgspec.json.encode(r.body) for r in requests))

    assert "profile-bulk-import-job" == job["data"]["type"]
    rows = job["data"]["attributes"]["profiles"]["data"]
    assert ["a@shop-demo.io", "b@shop-demo.io"] == [row["attributes"]["email"] for row in rows]


def test_what_clears_goes_alone() -> None:
    """A job can take nothing away (§5), so a profile that must goes by the call that can."""
    member = MemberView(status="Left", cleared="tier")

    assert render(changed(member=member)) == render(changed(member=member), options=IN_BULK)


@pytest.mark.parametrize("profile", [NOBODY, replace(KNOWN, first_name="n" * 100_001)])
def test_what_is_refused_alone_is_refused_in_bulk(profile: ProfileView) -> None:
    """By the same rule, with the same field."""
    refused = render(changed(profile), options=IN_BULK)

    assert isinstance(refused, Refusal)
    assert render(changed(profile)) == refused


def test_an_answer_names_those_at_fault() -> None:
    """The others are spared; where only the phone is wrong it is left out (§5, §6)."""
    requests = [part(changed(replace(WHOLE, email=f"{n}@shop-demo.io"))).request for n in "abc"]
    pointers = ["0/attributes/email", "2/attributes/phone_number"]
    errors = [{"source": {"pointer": f"/data/attributes/profiles/data/{p}"}} for p in pointers]
    answer = Response(400, {}, msgspec.json.encode({"errors": errors}))
    first, second, third = KLAVIYO.classify(requests, answer)

    assert Rejected("HTTP 400", "attributes.email", named=True) == first
    assert Spared() == second
    assert isinstance(third, Repair)
    assert "phone_number" not in third.request.body["attributes"]
    assert PROFILES == third.request.frame
