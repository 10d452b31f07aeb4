"""The simulated Klaviyo: what it refuses in an event, and where its errors point (§2, §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.klaviyo import ABSENT, EVENTS, Account, changed, event, tell

if TYPE_CHECKING:
    from tests.support.klaviyo import JSON

ATTRIBUTES = "/data/attributes"
OWNER = f"{ATTRIBUTES}/profile/data"
PROFILE = f"{OWNER}/attributes"
METRIC = f"{ATTRIBUTES}/metric"
NAME = f"{METRIC}/data/attributes/name"
PHONE = f"{PROFILE}/phone_number"
PROPERTIES = f"{ATTRIBUTES}/properties"


def _nested(levels: int) -> object:
    value: object = "deep"
    for _ in range(levels):
        value = {"in": value}
    return value


def _judged(document: JSON | bytes, **switches: Any) -> tuple[int, list[str], list[str]]:
    """The status, the pointers of the errors, and the fates."""

    async def story(account: Account) -> tuple[int, list[str], list[str]]:
        response = await account.post(EVENTS, document)
        errors: list[Any] = response.json()["errors"] if response.content else []
        return response.status_code, [e["source"]["pointer"] for e in errors], account.fates

    return tell(story, **switches)


REFUSED = [
    ("/data", ABSENT, "/data"),
    ("/data", [], "/data"),
    ("/data/type", "events", "/data/type"),
    ("/data/type", ABSENT, "/data/type"),
    ("/data/extra", 1, "/data/extra"),
    (ATTRIBUTES, ABSENT, ATTRIBUTES),
    (f"{ATTRIBUTES}/uniqueId", "a", f"{ATTRIBUTES}/uniqueId"),
    (METRIC, ABSENT, METRIC),
    (f"{METRIC}/data", ABSENT, f"{METRIC}/data"),
    (f"{METRIC}/data/type", "event", f"{METRIC}/data/type"),
    (f"{METRIC}/data/attributes/key", "a", f"{METRIC}/data/attributes/key"),
    (NAME, ABSENT, NAME),
    (NAME, "", NAME),
    (NAME, 7, NAME),
    (NAME, "m" * 128, NAME),
    (f"{ATTRIBUTES}/profile", ABSENT, "/data"),
    (f"{ATTRIBUTES}/profile", {"email": "kim@shop-demo.io"}, "/data"),
    (f"{OWNER}/type", "person", f"{OWNER}/type"),
    (f"{OWNER}/id", 7, f"{OWNER}/id"),
    (f"{OWNER}/meta", {}, f"{OWNER}/meta"),
    (PROFILE, ABSENT, PROFILE),
    (PROFILE, {"first_name": "Kim"}, PROFILE),
    (PROFILE, {"email": None}, PROFILE),
    (f"{PROFILE}/email", "", f"{PROFILE}/email"),
    (f"{PROFILE}/email", "kim", f"{PROFILE}/email"),
    (f"{PROFILE}/email", "kim@shop-demo", f"{PROFILE}/email"),
    (f"{PROFILE}/email", "kim lee@shop-demo.io", f"{PROFILE}/email"),
    (f"{PROFILE}/email", "kim@shop-demo..io", f"{PROFILE}/email"),
    (f"{PROFILE}/email", "k" * 87 + "@shop-demo.io", f"{PROFILE}/email"),
    (f"{PROFILE}/external_id", "", f"{PROFILE}/external_id"),
    (f"{PROFILE}/external_id", "x" * 256, f"{PROFILE}/external_id"),
    (f"{PROFILE}/first_name", 7, f"{PROFILE}/first_name"),
    (f"{PROFILE}/firstName", "Kim", f"{PROFILE}/firstName"),
    (f"{PROFILE}/location", "Lisbon", f"{PROFILE}/location"),
    (f"{PROFILE}/location/town", "Lisbon", f"{PROFILE}/location/town"),
    (f"{PROFILE}/location/city", 7, f"{PROFILE}/location/city"),
    (f"{PROFILE}/properties", [], f"{PROFILE}/properties"),
    (f"{PROFILE}/meta", [], f"{PROFILE}/meta"),
    (f"{PROFILE}/meta/patch_properties/add", {}, f"{PROFILE}/meta/patch_properties/add"),
    (f"{PROFILE}/meta/patch_properties/unset", 7, f"{PROFILE}/meta/patch_properties/unset"),
    (PROPERTIES, ABSENT, PROPERTIES),
    (PROPERTIES, None, PROPERTIES),
    (f"{ATTRIBUTES}/time", "yesterday", f"{ATTRIBUTES}/time"),
    (f"{ATTRIBUTES}/time", "2026-10-01", f"{ATTRIBUTES}/time"),
    (f"{ATTRIBUTES}/time", "2026-02-30T00:00:00Z", f"{ATTRIBUTES}/time"),
    (f"{ATTRIBUTES}/time", 1790856000, f"{ATTRIBUTES}/time"),
    (f"{ATTRIBUTES}/value", "9.99", f"{ATTRIBUTES}/value"),
    (f"{ATTRIBUTES}/value", True, f"{ATTRIBUTES}/value"),
    (f"{ATTRIBUTES}/value_currency", "usd", f"{ATTRIBUTES}/value_currency"),
    (f"{ATTRIBUTES}/unique_id", "", f"{ATTRIBUTES}/unique_id"),
    (f"{ATTRIBUTES}/unique_id", 7, f"{ATTRIBUTES}/unique_id"),
    (f"{ATTRIBUTES}/unique_id", "u" * 256, f"{ATTRIBUTES}/unique_id"),
    (f"{ATTRIBUTES}/backfill", "yes", f"{ATTRIBUTES}/backfill"),
]
ACCEPTED = [
    (NAME, "m" * 127),
    (f"{ATTRIBUTES}/unique_id", "u" * 255),
    (f"{ATTRIBUTES}/unique_id", None),
    (f"{ATTRIBUTES}/value", 0),
    (f"{ATTRIBUTES}/value_currency", "USD"),
    (f"{ATTRIBUTES}/time", "2026-10-01T12:00:03.123456789+02:00"),
    (f"{ATTRIBUTES}/time", "2026-10-01T12:00:03"),
    (f"{ATTRIBUTES}/time", "1990-01-01T00:00:00Z"),
    (f"{ATTRIBUTES}/time", "2027-10-01T12:00:00Z"),
    (PROPERTIES, {}),
    (PROFILE, {"phone_number": "+12065550123"}),
    (PROFILE, {"external_id": "x" * 255}),
    (PROFILE, {"anonymous_id": "a-1"}),
    (PROFILE, {"_kx": "k-1"}),
    (f"{PROFILE}/email", "k" * 86 + "@shop-demo.io"),
    (f"{PROFILE}/email", "o'neil+club@münchen.shop-demo.io"),
    (f"{PROFILE}/location/latitude", 38.7),
]
LIMITS = [
    pytest.param(PROPERTIES, {f"p{n}": 1 for n in range(401)}, PROPERTIES, id="properties"),
    pytest.param(f"{PROPERTIES}/s", "ä" * 50_001, f"{PROPERTIES}/s", id="string bytes"),
    pytest.param(f"{PROPERTIES}/a", [1] * 4_001, f"{PROPERTIES}/a", id="array"),
    pytest.param(
        f"{PROPERTIES}/d", _nested(10), f"{PROPERTIES}/d{'/in' * 9}", id="nesting with properties"
    ),
    pytest.param(f"{PROPERTIES}/i", 2**63, f"{PROPERTIES}/i", id="integer"),
    pytest.param(f"{PROPERTIES}/l", [{"i": -(2**63) - 1}], f"{PROPERTIES}/l/0/i", id="inside"),
    pytest.param(
        f"{PROFILE}/properties", {f"p{n}": "x" * 950 for n in range(100)}, OWNER, id="profile"
    ),
]
WITHIN = [
    pytest.param(PROPERTIES, {f"p{n}": 1 for n in range(400)}, id="properties"),
    pytest.param(f"{PROPERTIES}/s", "ä" * 50_000, id="string bytes"),
    pytest.param(f"{PROPERTIES}/a", [1] * 4_000, id="array"),
    pytest.param(f"{PROPERTIES}/d", _nested(9), id="nesting with properties"),
    pytest.param(f"{PROPERTIES}/i", 2**63 - 1, id="integer"),
    pytest.param(f"{PROFILE}/properties", {"s": "x" * 94_000}, id="profile"),
]


@pytest.mark.parametrize(
    ("where", "value", "pointer"),
    [
        pytest.param(*case, id=f"{case[0].removeprefix(ATTRIBUTES)}={str(case[1])[:24]}")
        for case in REFUSED
    ],
)
def test_a_spoiled_event_is_refused_with_a_pointer(where: str, value: object, pointer: str) -> None:
    """Each field has its rule; 400 points at the field (wrong nesting of the profile: `/data`)."""
    assert (400, [pointer], [f"refused:{pointer}"]) == _judged(changed(event(), where, value))


@pytest.mark.parametrize(
    ("where", "value"),
    [pytest.param(*case, id=f"{case[0]}={str(case[1])[:24]}") for case in ACCEPTED],
)
def test_values_at_the_edge_are_accepted(where: str, value: object) -> None:
    """The largest values that fit, and every single identifier, pass."""
    assert (202, [], ["accepted"]) == _judged(changed(event(), where, value))


@pytest.mark.parametrize(("where", "value", "pointer"), LIMITS)
def test_what_exceeds_a_limit_is_refused_or_dropped(
    where: str, value: object, pointer: str
) -> None:
    """Limits whose consequence is not documented: 400 by default, on demand 202 and gone."""
    document = changed(event(), where, value)

    assert (400, [pointer], [f"refused:{pointer}"]) == _judged(document)
    assert (202, [], ["dropped:over_limit"]) == _judged(document, over_limit="drop")


@pytest.mark.parametrize(("where", "value"), WITHIN)
def test_what_reaches_a_limit_is_accepted(where: str, value: object) -> None:
    """The limits themselves are allowed."""
    assert (202, [], ["accepted"]) == _judged(changed(event(), where, value))


@pytest.mark.parametrize("time", ["1989-12-31T23:59:59Z", "2027-10-01T12:00:01Z"])
def test_times_out_of_bounds_are_refused_or_dropped(time: str) -> None:
    """Before 1990 and over a year ahead: 400 by default, on demand 202 and gone."""
    pointer = f"{ATTRIBUTES}/time"

    assert (400, [pointer], [f"refused:{pointer}"]) == _judged(event(time=time))
    assert (202, [], ["dropped:time_out_of_bounds"]) == _judged(
        event(time=time), time_out_of_bounds="drop"
    )


@pytest.mark.parametrize(
    ("rule", "document", "expected"),
    [
        pytest.param(
            "partial_failure",
            changed(event(), PHONE, "12065550123"),
            (202, "phone_number", "accepted", {"email": "kim@shop-demo.io"}),
            id="beside an e-mail: ignored and told",
        ),
        pytest.param(
            "refuse",
            changed(event(), PHONE, "12065550123"),
            (400, None, f"refused:{PHONE}", None),
            id="beside an e-mail, older behaviour",
        ),
        pytest.param(
            "partial_failure",
            changed(event(), PHONE, ""),
            (202, "phone_number", "accepted", {"email": "kim@shop-demo.io"}),
            id="empty",
        ),
        pytest.param(
            "partial_failure",
            changed(event(), PROFILE, {"phone_number": "0206 555 0123"}),
            (400, None, f"refused:{PHONE}", None),
            id="alone",
        ),
        pytest.param(
            "partial_failure",
            changed(event("kim"), PHONE, "12065550123"),
            (400, None, f"refused:{PROFILE}/email", None),
            id="beside a bad e-mail",
        ),
        pytest.param(
            "partial_failure",
            changed(event(), PHONE, "+12065550123"),
            (202, None, "accepted", {"email": "kim@shop-demo.io", "phone_number": "+12065550123"}),
            id="good",
        ),
    ],
)
def test_the_phone_rule(rule: str, document: JSON, expected: object) -> None:
    """A bad phone costs an event with a valid e-mail address nothing but the phone."""

    async def story(account: Account) -> object:
        response = await account.post(EVENTS, document)
        profiles = (await account.state())["profiles"]
        names = ("email", "phone_number")
        kept = {n: v for p in profiles for n, v in p["attributes"].items() if n in names}
        header = response.headers.get("X-Klaviyo-Partial-Failure")
        return response.status_code, header, account.fates[0], kept or None

    assert expected == tell(story, bad_phone=rule)


def test_phones_that_no_country_assigns() -> None:
    """By default the form of E.164 is enough; with the numbering plan it is not."""
    document = changed(event(), PROFILE, {"phone_number": "+15555550123"})

    assert 202 == _judged(document)[0]
    assert (400, [PHONE]) == _judged(document, phone_check="numbering_plan")[:2]


def test_a_phone_alone_needs_sms() -> None:
    """An account without SMS takes no profile that has only a phone."""
    document = changed(event(), PROFILE, {"phone_number": "+12065550123"})

    assert (400, [PHONE]) == _judged(document, sms=False)[:2]


def test_unknown_fields_can_be_ignored() -> None:
    """Whether Klaviyo minds unknown fields is not in the contract: a switch."""
    document = changed(event(), f"{ATTRIBUTES}/uniqueId", "a")

    assert (202, [], ["accepted"]) == _judged(document, unknown_fields="ignore")


def test_all_problems_are_told_at_once() -> None:
    """One answer has an error for each thing that is wrong; the fate names the first."""
    document = changed(event("kim"), NAME, "")
    pointers = [f"{PROFILE}/email", NAME]

    assert (400, pointers, [f"refused:{pointers[0]}"]) == _judged(document)


def test_errors_have_the_form_of_json_api() -> None:
    """An error has id, status, code, title, detail, source and meta."""

    async def story(account: Account) -> Any:
        response = await account.post(EVENTS, event("kim"))
        return response.headers["content-type"], response.json()["errors"]

    media_type, [error] = tell(story)

    assert "application/vnd.api+json" == media_type
    assert {"id", "status", "code", "title", "detail", "source", "links", "meta"} == set(error)
    assert (400, "invalid") == (error["status"], error["code"])
