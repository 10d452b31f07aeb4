"""The simulated Attentive: attributes, their types and options, and how they are read back (§3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from streams.simulators.attentive_attributes import kind_of
from tests.support.attentive_account import (
    ATTRIBUTES,
    EMAIL,
    KIM,
    PHONE,
    STATUS,
    attributes,
    send,
    status,
    tell,
)
from tests.support.simulation import NOW

if TYPE_CHECKING:
    from tests.support.simulation import Account

LEE = {"email": "lee@shop-demo.io"}


def _given(values: list[Any], **switches: Any) -> tuple[list[int], list[str], Any]:
    """The same attribute with one value after another: statuses, fates, what is kept in the end."""

    async def story(account: Account) -> tuple[list[int], list[str], Any]:
        codes = await send(account, [attributes(Field=value) for value in values])
        people = await account.state("people")
        return codes, account.fates, people[0]["attributes"].get("Field") if people else None

    return tell(story, **switches)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "boolean"),
        ("TRUE", "boolean"),
        ("false", "boolean"),
        (24, "number"),
        (2.5, "number"),
        ("24", "number"),
        ("-2.50", "number"),
        ("2026-10-01", "date"),
        ("2026-10-01T12:00:00Z", "date"),
        ("2026-02-30", "text"),
        ("2026-10-01Tnoon", "text"),
        ("N/A", "text"),
        ("", "text"),
        ("24 %", "text"),
        ("active", "text"),
    ],
)
def test_the_type_of_a_value(value: object, kind: str) -> None:
    """Texts are guessed at: "24" is a number, "TRUE" a boolean."""
    assert kind == kind_of(value)


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        pytest.param(["active", "inactive"], [200, 200], id="texts"),
        pytest.param(["active", "24"], [200, 200], id="text, then what looks like a number"),
        pytest.param(["active", 24], [200, 400], id="text, then number"),
        pytest.param(["active", True], [200, 400], id="text, then boolean"),
        pytest.param([24, 25.5], [200, 200], id="numbers"),
        pytest.param(["24", 25], [200, 200], id="a text of digits, then a number"),
        pytest.param(["24", "many"], [200, 400], id="a text of digits, then another text"),
        pytest.param(["TRUE", False], [200, 200], id="a text of TRUE, then a boolean"),
        pytest.param(["TRUE", "maybe"], [200, 400], id="a text of TRUE, then another text"),
        pytest.param(["2026-10-01", "N/A"], [200, 400], id="a date, then no date"),
        pytest.param(["N/A", "2026-10-01"], [200, 200], id="no date, then a date"),
        pytest.param(["", 24], [200, 400], id="empty, then a number: spoilt for good"),
        pytest.param([24, ""], [200, 400], id="a number, then empty"),
    ],
)
def test_the_first_value_fixes_the_type(values: list[Any], codes: list[int]) -> None:
    """A value of another type is 400 and changes nothing."""
    fates = ["accepted" if code == 200 else "refused:/properties/Field" for code in codes]
    kept = [value for value, code in zip(values, codes, strict=True) if code == 200]

    assert (codes, fates, kept[-1]) == _given(values)


def test_the_type_holds_for_everybody() -> None:
    """The attribute is the account's, not one person's; other attributes and cases are free."""
    sent = [
        attributes(Points=3),
        attributes(LEE, Points="many"),
        attributes(LEE, points="many"),
        attributes(LEE, Other="many"),
        attributes(LEE, Points=4),
    ]

    async def story(account: Account) -> Any:
        codes = await send(account, sent)
        return codes, await account.state("attributes")

    kinds = [("Points", "number", 1), ("points", "text", 3), ("Other", "text", 4)]
    known = [{"name": name, "kind": kind, "since": since} for name, kind, since in kinds]

    assert ([200, 400, 200, 200, 200], known) == tell(story)


def test_a_refused_request_leaves_no_trace() -> None:
    """One bad value costs all of the request: no person, no other attribute, no type."""

    async def story(account: Account) -> Any:
        codes = await send(account, [attributes(A=1)])
        codes += await send(account, [attributes(LEE, New="x", A="x")])
        state = await account.state()
        return codes, len(state["people"]), [each["name"] for each in state["attributes"]]

    assert ([200, 400], 1, ["A"]) == tell(story)


@pytest.mark.parametrize(
    ("switches", "values", "expected"),
    [
        pytest.param(
            {"type_mismatch": "ignore"},
            [1, "x"],
            ([200, 200], ["accepted", "dropped:type_mismatch"], 1),
            id="mismatch ignored",
        ),
        pytest.param(
            {"empty_attribute": "refuse"},
            ["", "x"],
            ([400, 200], ["refused:/properties/Field", "accepted"], "x"),
            id="empty refused",
        ),
        pytest.param(
            {"empty_attribute": "ignore"},
            ["", 24],
            ([200, 200], ["dropped:empty", "accepted"], 24),
            id="empty ignored",
        ),
        pytest.param(
            {},
            ["x", None],
            ([200, 400], ["accepted", "refused:/properties/Field"], "x"),
            id="null refused",
        ),
        pytest.param(
            {"null_attribute": "ignore"},
            ["x", None],
            ([200, 200], ["accepted", "dropped:null"], "x"),
            id="null ignored",
        ),
        pytest.param(
            {"null_attribute": "clear"},
            ["x", None],
            ([200, 200], ["accepted", "accepted"], None),
            id="null clears",
        ),
        pytest.param(
            {"null_attribute": "clear"},
            [None, 24],
            ([200, 200], ["accepted", "accepted"], 24),
            id="null fixes no type",
        ),
    ],
)
def test_what_is_not_sure(switches: Any, values: list[Any], expected: object) -> None:
    """Other types, empty texts and nulls: refused, ignored, or taken at their word."""
    assert expected == _given(values, **switches)


def test_what_is_not_ignored_is_kept() -> None:
    """An ignored value costs nothing but itself."""

    async def story(account: Account) -> Any:
        await send(account, [attributes(A=1), attributes(A="x", B=2)])
        [kim] = await account.state("people")
        return account.fates, kim["attributes"]

    assert (["accepted"] * 2, {"A": 1, "B": 2}) == tell(story, type_mismatch="ignore")


@pytest.mark.parametrize(
    ("value", "code"),
    [("active", 200), ("inactive", 200), ("Active", 400), ("paused", 400), ("", 400), (True, 400)],
)
def test_attributes_with_options(value: Any, code: int) -> None:
    """What was made in Attentive's pages takes only its options, whatever the case."""

    async def story(account: Account) -> list[int]:
        return await send(account, [status(value)])

    assert [code] == tell(story, options={STATUS: ["active", "inactive"]})


def test_options_can_come_while_it_runs() -> None:
    """The merchant lists too few values: what passed before is refused from then on."""

    async def story(account: Account) -> Any:
        codes = await send(account, [status("inactive")])
        put = await account.client.put(
            "/_control/switches", json={"switches": {"options": {STATUS: ["active"]}}}
        )
        codes += await send(account, [status("inactive"), status("active")])
        return put.status_code, codes

    assert (204, [200, 400, 200]) == tell(story)


def test_changes_are_kept_in_order_of_arrival() -> None:
    """Every value stays known with its request and time, the last one holds."""

    async def story(account: Account) -> Any:
        for value in ("active", "inactive", "active"):
            await send(account, [status(value)])
            account.now = NOW + 60
        [kim] = await account.state("people")
        return kim["attributes"], kim["changes"]

    held, changes = tell(story)
    now, later = "2026-10-01T12:00:00Z", "2026-10-01T12:01:00Z"

    assert {STATUS: "active"} == held
    assert [
        {"sequence": 1, "at": now, "name": STATUS, "value": "active"},
        {"sequence": 2, "at": later, "name": STATUS, "value": "inactive"},
        {"sequence": 3, "at": later, "name": STATUS, "value": "active"},
    ] == changes


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(f"email={EMAIL}", (200, ["Points", STATUS]), id="e-mail"),
        pytest.param("email=KIM@shop-demo.io", (200, ["Points", STATUS]), id="other case"),
        pytest.param("phone=%2B12065550123", (200, ["Points", STATUS]), id="phone"),
        pytest.param(f"phone={PHONE}", (400, None), id="a plus that is a space"),
        pytest.param("email=lee@shop-demo.io", (200, []), id="somebody unknown"),
        pytest.param("email=kim", (400, None), id="no e-mail"),
        pytest.param(f"email={EMAIL}&phone=%2B12065550123", (400, None), id="both"),
        pytest.param("", (400, None), id="neither"),
        pytest.param("clientUserId=1", (400, None), id="another identifier"),
    ],
)
def test_reading_back(query: str, expected: object) -> None:
    """By e-mail or phone, not both; a phone's plus must be encoded."""

    async def story(account: Account) -> object:
        await send(account, [attributes(Points=3), status("active")])
        response = await account.get(f"{ATTRIBUTES}?{query}")
        if response.status_code != 200:
            return response.status_code, None
        return 200, [each["name"] for each in response.json()]

    assert expected == tell(story)


def test_values_are_read_back_as_sent() -> None:
    """Each with its name; a person without any has an empty list."""

    async def story(account: Account) -> Any:
        await send(account, [attributes(A="24", B=True, C=2.5)])
        return (await account.get(f"{ATTRIBUTES}?email={EMAIL}")).json()

    assert [
        {"name": "A", "value": "24"},
        {"name": "B", "value": True},
        {"name": "C", "value": 2.5},
    ] == tell(story)


def test_somebody_unknown_can_be_404() -> None:
    """Whether `[]` or 404 is not stated: a switch."""

    async def story(account: Account) -> list[int]:
        await send(account, [attributes(KIM)])
        paths = (f"{ATTRIBUTES}?email={email}" for email in (EMAIL, "lee@shop-demo.io"))
        return [(await account.get(path)).status_code for path in paths]

    assert [200, 404] == tell(story, unknown_person="not_found")
