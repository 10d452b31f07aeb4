"""A vendor's answer as people may see it: `streams.delivery.excerpt`."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.delivery.excerpt import LONGEST, Answer
from streams.model.rules import Batch
from tests.support.delivery import Stage, tell
from tests.support.delivery_vendor import Answer as VendorAnswer
from tests.support.delivery_vendor import Seen, event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EMAIL = "noor.haddad@shop-demo.io"
PHONE = "+13125550148"
NAME = "Noor"
SURNAME = "Haddad-Öztürk"
CUSTOMER = "C-4410"
STREET = "12 Marigold Lane"
KEY = "pk_live_1f3870be274f6c49"
BODY: dict[str, Any] = {
    "externalCustomerId": CUSTOMER,
    "status": "INITIALIZED",
    "currency": "USD",
    "metric": {"data": {"attributes": {"name": "ordergroove.order.success"}}},
    "email": EMAIL,
    "phone": PHONE,
    "firstName": NAME,
    "lastName": SURNAME,
    "deliveryAddress": {"street": STREET},
    "params": [{"name": "email", "value": EMAIL}, {"name": "quantity", "value": 2}],
    "totalCost": 4_250.5,
}
PERSONAL = [EMAIL, PHONE, NAME, SURNAME, CUSTOMER, STREET]


def excerpt(answer: str | bytes, body: Any = BODY, *secrets: str) -> str | None:
    """What is shown of an answer."""
    raw = answer.encode() if isinstance(answer, str) else answer
    return Answer(raw, [body]).excerpt(*secrets)


def tells(shown: str | None, value: str) -> bool:
    """Whether a person who reads it learns the value: its letters and digits, in their order."""
    plain = re.sub(r"[\W_]+", "", value).casefold()
    return plain in re.sub(r"[\W_]+", "", shown or "").casefold()


@pytest.mark.parametrize(
    "answer",
    [
        '{"errors":[{"status":400,"source":{"pointer":"/data/attributes/profiles/data/3/email"}}]}',
        '{"error":{"id":71,"message":"invalid phone"}}',
        '{"status":"OK","accepted":1,"rejected":1}',
        '{"failedOrders":{"order":{"status":"INITIALIZED"},"error":"currency USD is not listed"}}',
        'The event should have the following params: ["externalCustomerId","email"]',
        "<html><h1>503 Service Unavailable</h1></html>",
        "Payload invalid: Record is too large",
        "this order was no success",
    ],
)
def test_the_vendors_own_words_remain(answer: str) -> None:
    """What the contracts' answers say is what an operator needs."""
    assert answer == excerpt(answer)


@pytest.mark.parametrize("answer", ["", " \n\t ", b"\x00", b"\xe2\x80\x8b"])
def test_an_answer_that_says_nothing_has_no_excerpt(answer: str | bytes) -> None:
    """Nothing, white space, what nobody can see."""
    assert excerpt(answer) is None


DRESSES: Mapping[str, Callable[[str], str]] = {
    "plain": str,
    "in capitals": str.upper,
    "url-encoded": lambda value: quote(value, safe=""),
    "url-encoded twice": lambda value: quote(quote(value, safe=""), safe=""),
    "every byte url-encoded": lambda value: "".join(f"%{byte:02x}" for byte in value.encode()),
    "as JSON": lambda value: json.dumps({"quoted": value}),
    "as JSON in JSON": lambda value: json.dumps({"quoted": json.dumps({"again": value})}),
    "every letter as JSON's escape": lambda value: "".join(f"\\u{ord(c):04X}" for c in value),
    "every letter as \\x": lambda v: "".join(f"\\x{ord(c):02x}" for c in v if ord(c) < 0x100),
    "as HTML": html.escape,
    "every letter as an entity": lambda value: "".join(f"&#{ord(c)};" for c in value),
    "hexadecimal entities": lambda value: "".join(f"&#x{ord(c):x};" for c in value),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 for addresses": lambda v: base64.urlsafe_b64encode(v.encode()).decode().rstrip("="),
    "base64 in the midst of more": lambda v: base64.b64encode(f"to: {v}, or".encode()).decode(),
    "hexadecimal": lambda value: value.encode().hex(),
    "letters apart": " ".join,
    "lines apart": "\n".join,
    "cut by mark-up": "-".join,
    "cut by JSON": lambda value: '","'.join(re.findall("..?", value)),
    "hidden characters between": "\u200b".join,
    "wide letters": lambda v: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in v),
}


@pytest.mark.parametrize("value", PERSONAL)
@pytest.mark.parametrize("dress", DRESSES)
def test_nothing_that_was_sent_of_a_person_gets_through(dress: str, value: str) -> None:
    """However the vendor quotes it: encoded, escaped, cut up."""
    dressed = DRESSES[dress](value)
    shown = excerpt(f'{{"detail":"refused {dressed} for good"}}')

    assert not tells(shown, value)
    assert shown is not None
    assert dressed not in shown
    assert "refused" in shown


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        pytest.param("mail to kim@shop-demo.io bounced", "mail to *** bounced", id="an address"),
        pytest.param("kim+tag@shop-demo.io", "***", id="with a tag"),
        pytest.param("Kim <kim@shop-demo.io>", "Kim <***>", id="with a name that was not sent"),
        pytest.param("o'neil@shop-demo.io", "***", id="with an apostrophe"),
        pytest.param("kim @ shop-demo.io", "***", id="with spaces"),
        pytest.param("kim@", "***", id="half of one"),
        pytest.param("call 312-555-0148 now", "call *** now", id="a phone number"),
        pytest.param("(312) 555 0148", "(***", id="another form"),
        pytest.param("+44 20 7946 0958", "***", id="another country's"),
        pytest.param("1234567", "***", id="seven digits"),
        pytest.param("123456", "123456", id="six digits"),
        pytest.param("code 400, row 12, limit 100", "code 400, row 12, limit 100", id="numbers"),
        pytest.param("Bearer abc", "***", id="a short token"),
        pytest.param("Klaviyo-API-Key abc", "***", id="another one"),
        pytest.param("key pk_a", "key ***", id="by its beginning"),
        pytest.param("8f14e45fceea167a5a36dedd4bea2543", "***", id="by its look"),
        pytest.param("5d5b09f6dcb2d53a5fffc60c4ac0d55f.eyJhIjoxfQ", "***", id="with dots"),
    ],
)
def test_what_looks_personal_or_secret_is_masked_unseen(answer: str, shown: str) -> None:
    """Though we sent no such thing: it may be another program's."""
    assert shown == excerpt(answer, {})


def test_short_values_are_masked_as_words_only() -> None:
    """Else nothing would be left of an answer to somebody called Al."""
    assert excerpt("Al: also not a valid alias", {"first_name": "Al"}) == (
        "***: also not a valid alias"
    )


def test_half_of_a_value_is_masked_too() -> None:
    """A vendor may cut what it quotes: each word of a value is looked for."""
    shown = excerpt("no such street: Marigold, no such Haddad, no domain shop-demo")

    assert shown == "no such street: ***, no such ***, no domain ***-***"


def test_a_parameters_name_is_no_secret() -> None:
    """Its value is."""
    assert excerpt(f"parameter email: {EMAIL}") == "parameter email: ***"


def test_credentials_are_masked() -> None:
    """Those of the connection, whatever they look like."""
    assert excerpt("no account for seven words", {}, "seven words") == "no account for ***"
    assert excerpt(f"no account for {KEY}", {}) == "no account for ***"


def test_it_is_short() -> None:
    """Cut after it was masked, so that no half of a value is left at the end."""
    shown = excerpt("x " * (LONGEST // 2 - 4) + EMAIL + " and more" * 30)

    assert shown is not None
    assert len(shown) == LONGEST
    assert shown.endswith("…")
    assert "noor" not in shown


def test_what_is_cut_off_before_it_is_read_is_not_shown() -> None:
    """A long answer is not read to its end, where half of a value may stand."""
    note = {"note": "they moved away because of the noise of the works next door"}
    for padding in range(3_960, 4_010):
        shown = excerpt("<i></i>" * 500 + "-" * (padding - 3_500) + note["note"], note)

        assert "moved" not in (shown or "")


def test_of_a_call_of_several_nobody_is_shown() -> None:
    """An answer may quote the others' records."""
    others = [{"first_name": f"Person{each}", "id": f"c-{each}-x"} for each in range(100)]
    answer = Answer(b"Person7 and c-99-x were refused", others)

    assert answer.excerpt() == "*** and *** were refused"


VALUES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]),
    min_size=5,
    max_size=40,
).filter(lambda value: len(re.findall(r"[A-Za-z0-9]", value)) >= 5)


@given(VALUES, st.sampled_from(["plain", "url-encoded", "as JSON", "as HTML", "base64"]))
@example("%41%42%43%44%45", "plain")
@example("a\\u0062cdef", "as JSON")
@example("a&amp;b&lt;cdef", "as HTML")
def test_whatever_was_sent_does_not_come_back(value: str, dress: str) -> None:
    """Also where a person's own words look like an encoding of something else."""
    shown = excerpt(f"<<{DRESSES[dress](value)}>>", {"own_words": value})

    assert not tells(shown, value)


ESCAPES = st.lists(
    st.sampled_from(["\\ud83d", "\\ude00", "\\u0000", "&#0;", "%ff", "%1b[2J", "\\", "x", "@"])
)


@given(
    st.binary(max_size=6_000) | ESCAPES.map("".join).map(str.encode),
    st.dictionaries(st.text(), st.text() | st.integers()),
)
def test_whatever_comes_is_survived(answer: bytes, body: dict[str, Any]) -> None:
    """Any bytes at all, on one line and no longer than it may be, fit for Avro and a terminal."""
    shown = excerpt(answer, body) or ""

    assert len(shown) <= LONGEST
    assert shown == shown.encode().decode()
    assert not any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for letter in shown)


def test_a_letter_in_two_escapes_is_one() -> None:
    """As JSON writes what is beyond its first plane; half of one is nobody's letter."""
    assert excerpt("fine \\ud83d\\ude00 \\ud83d", {}) == "fine \U0001f600 \ufffd"


def test_an_outcome_has_it() -> None:
    """From the socket to the outcomes topic: refused ones say why, and nobody's name."""

    def answer(seen: Seen) -> VendorAnswer:
        if seen.event == "c1-1":
            return VendorAnswer(400, body=b'["no such address: c1@shop-demo.io"]')
        return VendorAnswer(202, body=b'["fine, c2@shop-demo.io"]')

    async def story(stage: Stage) -> None:
        stage.server.answer = answer
        await stage.feed(event(), event(customer="c2"))
        await stage.until_offset(2)

    written = tell(story).outcomes("excerpt")

    assert {
        ("c1-1", "event", "rejected", '["no such address: ***"]'),
        ("c2-1", "event", "delivered", None),
    } == set(written)


def test_an_outcome_shows_nobody_who_went_along() -> None:
    """One answer for a call of two: the refused one's outcome does not tell of the other."""
    together = Batch("many", count=2, bytes=10_000, seconds=60.0, source="")

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: VendorAnswer(
            200, body=b'["ann-1", "and zoe-1 was not wanted either"]'
        )
        await stage.feed(event("together", customer="ann"), event("together", customer="zoe"))
        await stage.until_offset(2)

    stage = tell(story, travels=(together,))

    assert ["ann-1+zoe-1"] == stage.server.events
    assert {
        ("ann-1", "event", "rejected", '["***", "and *** was not wanted either"]'),
        ("zoe-1", "event", "delivered", None),
    } == set(stage.outcomes("excerpt"))
