"""The console in a real browser: the pages Flow and Customer, who is let in, what is never told."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from streams.control.audit import decode_action
from streams.demo.children import ChildFailed
from tests.support.console_browser import (
    another_console,
    filled_console,
    found,
    opened,
    until_filled,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.console_browser import ConsoleWorld

VIEW, OPERATE = "view-" + "v" * 16, "operate-" + "o" * 16
NARROW = 390


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleWorld]:
    """A console on a stage where a small day has come through."""
    with filled_console(tmp_path_factory.mktemp("console")) as world:
        yield world


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a visitor who was never here."""
    with opened(browser) as visited:
        yield visited


@pytest.fixture(scope="module")
def guarded(console: ConsoleWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A console that asks for a token."""
    directory: Path = tmp_path_factory.mktemp("guarded")
    with another_console(
        directory,
        settings=console.stage.settings,
        CONSOLE__VIEW_TOKEN=VIEW,
        CONSOLE__OPERATE_TOKEN=OPERATE,
        CONSOLE__INDEX=str(directory / "index.sqlite"),
    ) as url:
        yield url


def sign_in(page: Page, url: str, token: str, name: str = "anna") -> None:
    """Give a name and a token."""
    page.goto(f"{url}/flow")
    page.get_by_label("Your name, for the audit").fill(name)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def requested(page: Page) -> list[str]:
    """What the browser asks for from now on."""
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("websocket", lambda socket: seen.append(socket.url))
    return seen


def test_flow_shows_every_lane_from_source_to_vendor(console: ConsoleWorld, page: Page) -> None:
    """Sources, derive, each connection with its mode and state, its letters; and the charts."""
    until_filled(page, console.url)
    topology = page.get_by_label("Topology")

    for name in ("attentive", "klaviyo", "ometria", "yespo"):
        lane = topology.get_by_label(name, exact=True)
        expect(lane).to_contain_text(f"demo.deliveries.{name}")
        expect(lane).to_contain_text("mode: live")
        expect(lane).to_contain_text("running")
        expect(lane).to_contain_text("waits: 0")
    expect(topology).to_contain_text("demo.okendo.events")
    expect(page.get_by_label("Stacked bars")).to_be_visible()
    expect(page.get_by_text("In the last hour:")).to_contain_text("delivered")


def test_flow_says_what_is_wrong_where_the_broker_is_away(tmp_path: Path, page: Page) -> None:
    """In words, with what to do; the page stands."""
    with another_console(tmp_path, KAFKA__BOOTSTRAP="127.0.0.1:1") as url:
        page.goto(f"{url}/flow")

        expect(page.get_by_role("alert")).to_contain_text("Kafka does not answer")
        expect(page.get_by_role("alert")).to_contain_text("kafka.bootstrap")


def test_a_customer_is_found_by_the_keyboard_and_their_story_told(
    console: ConsoleWorld, page: Page
) -> None:
    """By id, by key, by e-mail; what was concluded, what became of it, the row, the requests."""
    until_filled(page, console.url)
    someone = console.customer
    found(page, console.url, someone.id)
    first = page.url
    phone = [each for each in (someone.phone,) if each is not None and each.startswith("+")]
    for text in (console.key, console.email, *phone):
        found(page, console.url, text)
        assert first == page.url

    chapter = page.locator(".chapter", has_text="subscription.create").last
    chapter.locator(".q-item").first.focus()
    page.keyboard.press("Enter")
    expect(chapter).to_contain_text("klaviyo, event: sent, and taken")
    expect(chapter).to_contain_text("HTTP 202")
    expect(chapter).to_contain_text("The customer's row")
    chapter.get_by_role("button", name="Requests, side by side").first.click()
    expect(chapter).to_contain_text("Rendered anew")
    expect(chapter).to_contain_text("klaviyo, event: POST /api/events")
    expect(chapter).to_contain_text("≠")


def test_why_they_did_not_get_it_is_answered(console: ConsoleWorld, page: Page) -> None:
    """What Klaviyo took, and what nothing that came leads to."""
    until_filled(page, console.url)
    found(page, console.url, console.customer.id)
    for type_, words in (
        ("subscriber.create", "They did: the vendor took it"),
        ("loyalty.enrolled", "Nothing that came of this customer leads to loyalty.enrolled"),
    ):
        page.get_by_label("Event", exact=True).fill(type_)
        page.get_by_role("option", name=type_, exact=True).click()
        page.get_by_role("button", name="Ask").click()
        expect(page.get_by_text(words)).to_be_visible()


def test_nobody_is_told_of_in_words(console: ConsoleWorld, page: Page) -> None:
    """A search that finds nobody, and an address that stands for nobody."""
    page.goto(f"{console.url}/customer")
    page.get_by_label("E-mail, phone").fill("nobody@shop-demo.io")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nobody like that is known")

    page.goto(f"{console.url}/customer/{'0' * 32}")
    expect(page.get_by_role("alert")).to_contain_text("stands for nobody")


def test_personal_data_is_masked_until_asked_for_and_that_is_on_record(
    console: ConsoleWorld, page: Page
) -> None:
    """The audit topic has who looked, and the customer as a hash."""
    until_filled(page, console.url)
    found(page, console.url, console.key)
    someone = console.customer
    expect(page.get_by_text(console.key)).to_have_count(0)
    assert console.email not in page.content()

    page.get_by_role("switch", name="Show personal data").click()
    expect(page.get_by_text(console.key)).to_be_visible()

    records = console.stage.topics.records(console.stage.names.audit)
    actions = [decode_action(message.value()) for message in records]
    told = [each for each in actions if each.action == "console.show" and each.state == "done"]
    assert told
    assert "customer" == told[-1].what["what"]
    assert someone.id not in json.dumps(told[-1].what)


def test_no_address_that_the_browser_asks_for_says_who_it_is_about(
    console: ConsoleWorld, page: Page
) -> None:
    """Nor does a title: history, proxies and screens keep those."""
    until_filled(page, console.url)
    seen, someone = requested(page), console.customer
    found(page, console.url, console.email)
    page.get_by_role("switch", name="Show personal data").click()
    expect(page.get_by_text(console.key)).to_be_visible()
    page.reload()
    expect(page.get_by_text("What came, and what became of it")).to_be_visible()

    told = " ".join([*seen, page.title()])
    personal = (console.email, someone.id, console.email.partition("@")[0], "%40")
    assert [] == [each for each in personal if each in told]
    assert all(each.startswith((console.url, console.url.replace("http", "ws"))) for each in seen)


@pytest.mark.parametrize(
    "path", ["/flow", pytest.param("/customer", marks=pytest.mark.long), "story"]
)
def test_a_phone_shows_it_without_scrolling_sideways(
    path: str, console: ConsoleWorld, browser: Browser
) -> None:
    """Wide tables scroll in their own box; the menu is behind a button."""
    with opened(browser, width=NARROW, height=844) as page:
        until_filled(page, console.url)
        if path == "story":
            found(page, console.url, console.customer.id)
            page.locator(".chapter", has_text="subscription.create").last.click()
            expect(page.get_by_text("The customer's row")).to_be_visible()
        elif path != "/flow":
            page.goto(f"{console.url}{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert NARROW >= wide
        page.get_by_role("button", name="Pages").click()
        expect(page.get_by_role("menuitem", name="Replay")).to_be_visible()


def test_dark_is_remembered(console: ConsoleWorld, page: Page) -> None:
    """By a switch in the head of each page, for the next visit."""
    page.goto(f"{console.url}/customer")
    page.get_by_role("button", name="Colours: as your machine").click()
    expect(page.locator("body.body--dark")).to_be_visible()
    page.goto(f"{console.url}/connections")

    expect(page.get_by_role("button", name="Colours: dark")).to_be_visible()


def test_who_may_only_look_is_shown_all_and_can_do_nothing(guarded: str, page: Page) -> None:
    """The role is shown; what would change something is not there to be pressed."""
    sign_in(page, guarded, VIEW)
    page.get_by_role("button", name="You: view").click()
    expect(page.get_by_text("anna", exact=True)).to_be_visible()
    page.goto(f"{guarded}/connections")
    connection = page.get_by_role("region", name="klaviyo")

    for name in ("Pause", "Resume", "Promote", "Reset"):
        expect(connection.get_by_role("button", name=f"{name} klaviyo")).to_be_disabled()
    page.get_by_role("button", name="You: view").click()
    page.get_by_role("link", name="Sign out").click()
    page.wait_for_url("**/login")
    page.goto(f"{guarded}/connections")
    assert f"{guarded}/login" == page.url.partition("?")[0]


def test_whoever_signs_out_sees_nothing_more_in_their_other_tabs(guarded: str, page: Page) -> None:
    """The open page hears nothing more, and within a minute shows the login."""
    page.clock.install()
    sign_in(page, guarded, OPERATE)
    expect(page.get_by_role("button", name="You: operate")).to_be_visible()
    assert 204 == page.evaluate("fetch('/here', {method: 'POST'}).then(each => each.status)")
    other = page.context.new_page()
    other.goto(f"{guarded}/logout")
    expect(other.get_by_label("Token")).to_be_visible()
    expect(page.get_by_text("Connection lost")).to_be_visible()
    page.clock.fast_forward(61_000)

    expect(page.get_by_label("Token")).to_be_visible()


def test_without_the_token_nothing_is_shown(guarded: str, page: Page) -> None:
    """Every path leads to the login; a wrong token is refused, and guessing has to wait."""
    for path in ("/", "/flow", "/customer", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"):
        page.goto(f"{guarded}{path}")
        assert f"{guarded}/login" == page.url.partition("?")[0]
    for _ in range(5):
        sign_in(page, guarded, "wrong")
        expect(page.get_by_role("alert")).to_contain_text("not known here")
    sign_in(page, guarded, OPERATE)
    expect(page.get_by_role("alert")).to_contain_text("Wait a minute")


def test_probes_are_answered_without_a_token(guarded: str) -> None:
    """They say nothing of anybody."""
    with urllib.request.urlopen(f"{guarded}/livez") as answer:  # noqa: S310 - ours
        assert {"alive": True} == json.load(answer)
        assert "no-referrer" == answer.headers["Referrer-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "no-store" == answer.headers["Cache-Control"]


def test_prometheus_is_told_how_the_index_is(console: ConsoleWorld, guarded: str) -> None:
    """Without a token; and who tried to come in."""
    told, others = samples(console.url), samples(guarded)

    assert (0.0, 0.0) == (
        told["streams_console_index_failing"],
        told["streams_console_index_to_go"],
    )
    assert told["streams_console_index_bytes"] > 0
    assert 'streams_console_logins_total{result="refused"}' in others


def samples(url: str) -> dict[str, float]:
    """What `/metrics` answers."""
    with urllib.request.urlopen(f"{url}/metrics") as answer:  # noqa: S310 - ours
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_elsewhere_it_does_not_start_without_a_token(tmp_path: Path) -> None:
    """The program ends with 2, and says which setting."""
    with (
        pytest.raises(ChildFailed, match=r"ended with 2:\n.*console\.host"),
        another_console(tmp_path, "--host", "0.0.0.0"),  # noqa: S104 - that is the point
    ):
        pytest.fail("it started")
