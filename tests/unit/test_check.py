"""`streams check`: how many customers and requests pass each rule, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from streams.check import Check, Line
from streams.cli import commands
from streams.destinations import DESTINATIONS
from streams.explain import Target
from streams.model.delivery import Options
from streams.model.enriched import OrderView
from tests.support.enriched import AT, KNOWN, NOBODY, bare
from tests.support.samples import story

if TYPE_CHECKING:
    from pathlib import Path

    from streams.model.enriched import EnrichedEvent, ProfileView

PHONE = "+13125550148"
HOUR = 3_600_000


def of(customer: str, who: ProfileView, kind: str = "order.success", **more: Any) -> EnrichedEvent:
    """A customer's event."""
    return replace(bare(kind, who, **more), customer_id=customer)


def judged(name: str, *events: EnrichedEvent, now: int = AT, **options: Any) -> Check:
    """What a vendor makes of these."""
    check = Check(Target(name, DESTINATIONS[name], Options(**options)))
    for event in events:
        check.see(event, now)
    return check


def line(check: Check, rule: str, of: str | None = None) -> Line:
    """The one line of a rule."""
    [found] = [
        each
        for each in check.lines()
        if each.rule.startswith(rule) and (of is None or each.of == of)
    ]
    return found


def test_customers_without_a_number_get_mail_only() -> None:
    """One in four has no usable number, one has nothing: said so, with masked examples."""
    both = replace(KNOWN, phone_number=PHONE)
    bad = replace(KNOWN, phone_number="312-555-0148")
    check = judged("attentive", *map(of, "abcd", [both, both, bad, NOBODY]))
    phone, email = line(check, "phone_number"), line(check, "email")

    assert (4, 2, "1 go by email only, 1 cannot be found at all") == (
        phone.judged, phone.passed, phone.means
    )  # fmt: skip
    assert (("***48",), 3) == (phone.examples, email.passed)


def test_a_customer_counts_once_and_as_they_are_now() -> None:
    """A number that came later is a number."""
    check = judged("attentive", of("a", KNOWN), of("a", replace(KNOWN, phone_number=PHONE)))

    assert (1, 1) == line(check, "phone_number")[4:6]


def test_what_is_refused_is_counted_with_its_rule() -> None:
    """The rules before it were passed; those behind were not asked."""
    whole = OrderView("o1", total="4.00", currency_code="USD")
    check = judged(
        "yespo",
        of("a", KNOWN, order=whole),
        of("b", KNOWN, order=replace(whole, currency_code=None)),
        of("c", NOBODY, order=whole),
    )
    someone = line(check, "no_identifier", "orders")
    missing = line(check, "missing_field (externalOrderId", "orders")

    assert ((3, 2), (2, 1)) == (someone[4:6], missing[4:6])
    assert ("order.success of ***",) == tuple(e.split(":")[0] for e in missing.examples)
    assert "order.success of ***: currency" == missing.examples[0]


def test_a_profiles_refusal_is_a_profiles() -> None:
    """The contact lacks an address; the event goes by the shop's id."""
    check = judged("ometria", of("a", replace(NOBODY, status="active"), "order.reminder"))

    assert (1, 0) == line(check, "missing_field", "contact")[4:6]
    assert (1, 1) == line(check, "no_identifier", "custom_event")[4:6]


def test_old_events_are_told() -> None:
    """Four hours at Ometria: kept, and starts nothing."""
    check = judged("ometria", of("a", KNOWN, "order.reminder"), now=AT + 5 * HOUR)

    assert (1, 0) == line(check, "age")[4:6]


def test_the_shops_id_counts_only_where_it_may() -> None:
    """An identifier that the connection does not use is no way to find anybody."""
    unused, used = (
        [each.rule for each in judged("attentive", of("a", NOBODY), client_user_id=use).lines()]
        for use in (False, True)
    )

    assert "customer_id" not in unused
    assert "customer_id" in used


@pytest.fixture
def samples(tmp_path: Path) -> str:
    """The samples' year as a file."""
    file = tmp_path / "webhooks.jsonl"
    lines = [msgspec.json.encode(msgspec.json.decode(body)) for body in story()]
    file.write_bytes(b"\n".join([*lines, b"{}"]))
    return str(file)


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and output of a command."""
    result = CliRunner().invoke(commands, ["check", *arguments])
    return result.exit_code, result.output


def test_a_file_is_judged_for_every_destination(samples: str) -> None:
    """Nothing is sent, nothing but a file is needed; what cannot be read is said."""
    code, text = run(samples)

    assert 0 == code
    assert [f"{name}: " in text for name in DESTINATIONS] == [True] * len(DESTINATIONS)
    assert "1 records could not be read" in text
    assert "ines" not in text.lower()


def test_it_can_be_read_by_programs(samples: str) -> None:
    """One object a line, each with its rate."""
    code, text = run(samples, "--destination", "klaviyo", "--json")
    lines = [msgspec.json.decode(each) for each in text.splitlines() if each.startswith("{")]

    assert 0 == code
    assert {("klaviyo", 1.0)} == {(each["connection"], each["rate"]) for each in lines}


@pytest.mark.parametrize("arguments", [(), ("--topic", "t", "file")])
def test_it_wants_one_of_two(arguments: tuple[str, ...], samples: str) -> None:
    """A file or a topic."""
    result = CliRunner().invoke(
        commands, ["check", *(samples if each == "file" else each for each in arguments)]
    )

    assert "needs a FILE or --topic" in str(result.exception)
