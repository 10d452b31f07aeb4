"""`streams explain`: what bodies become, in the shape that programs read (issue part 9)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from streams.cli import commands
from streams.errors import ConfigurationError
from streams.model.ids import delivery_id, fact_id
from tests.support.samples import CUSTOMER, MERCHANT, SAMPLES, parsed, story
from tests.support.webhooks import START, order, person, subscription, webhook

SHAPE = {
    "input": {"line", "event_id", "type"},
    "events": {"type", "event_id", "because", "late", "withheld"},
    "because": {"event_id", "active_before", "active_after", "text"},
    "subscriber": {
        "status",
        "active_subscriptions",
        "total_subscriptions",
        "ever_subscribed",
    },
    "deliveries": {"connection", "delivery_id", "outcome", "reason", "requests"},
    "requests": {"part", "method", "url", "headers", "body"},
    "dead_letter": {"reason", "field"},
}
KLAVIYO = ("--destination", "klaviyo")
ATTENTIVE = ("--destination", "attentive")
WHO: dict[str, Any] = {"snapshot": {"customer": {"email": "noor@shop-demo.io"}}}
CREATE = webhook("subscription.create", subscription(), id="e1", **WHO)
CANCEL = webhook("subscription.cancel", subscription(live=False, updated=START + 9), START + 9)
STALE = webhook("subscription.sku_swap", subscription(updated=START + 5), START + 5)
HER: dict[str, Any] = {"snapshot": {"customer": {"email": "noor.hale@shop-demo.io"}}}
REMINDER = webhook("order.reminder", order(), START, **WHO)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings file and no variables of ours."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("STREAMS_"):
            monkeypatch.delenv(name)


def run(given: bytes, *arguments: str) -> Result:
    """The command with something on its standard input."""
    result = CliRunner().invoke(commands, ["explain", *arguments], input=given)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def explained(*bodies: bytes, arguments: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What `--json` says of bodies, each on a line; not what timers bring at the end."""
    return [line for line in everything(*bodies, arguments=arguments) if line["input"] is not None]


def everything(*bodies: bytes, arguments: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What `--json` says of bodies, each on a line, and of the timers that are left."""
    given = b"\n".join(json.dumps(json.loads(body)).encode() for body in bodies)
    chosen = arguments if "--destination" in arguments else (*KLAVIYO, *arguments)
    return [json.loads(line) for line in run(given, "--json", *chosen).stdout.splitlines()]


def own_types(line: dict[str, Any]) -> list[str]:
    """What the body itself became, without what a timer brought."""
    told = [event["type"] for event in line["events"]]
    return [each for each in told if each != "subscriber.subscriptions_created"]


def test_one_line_is_one_object() -> None:
    """The whole object of a first subscription, but for the body that Klaviyo's golden holds."""
    [line] = explained(CREATE)
    create_id = fact_id("subscriber.create", "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65", "0088123")
    requests = [delivery.pop("requests") for delivery in line["deliveries"]]
    bodies = [request.pop("body") for [request] in requests]

    assert {
        "input": {"line": 1, "event_id": "e1", "type": "subscription.create"},
        "events": [
            {
                "type": "subscription.create",
                "event_id": "e1",
                "because": None,
                "late": False,
                "withheld": None,
            },
            {
                "type": "subscriber.create",
                "event_id": create_id,
                "because": {
                    "event_id": "e1",
                    "active_before": 0,
                    "active_after": 1,
                    "text": "first subscription ever: active 0 → 1 by subscription.create",
                },
                "late": False,
                "withheld": None,
            },
        ],
        "subscriber": {
            "status": "active",
            "active_subscriptions": 1,
            "total_subscriptions": 1,
            "ever_subscribed": True,
        },
        "deliveries": [
            {
                "connection": "klaviyo",
                "delivery_id": delivery_id("e1", "subscription.create", "klaviyo"),
                "outcome": "delivered",
                "reason": None,
            },
            {
                "connection": "klaviyo",
                "delivery_id": delivery_id(create_id, "subscriber.create", "klaviyo"),
                "outcome": "delivered",
                "reason": None,
            },
        ],
        "dead_letter": None,
    } == line
    assert [
        [
            {
                "part": "event",
                "method": "POST",
                "url": "https://a.klaviyo.com/api/events",
                "headers": {
                    "authorization": "Klaviyo-API-Key ***",
                    "accept": "application/vnd.api+json",
                    "content-type": "application/vnd.api+json",
                    "revision": "2026-07-15",
                },
            }
        ]
    ] * 2 == requests
    assert [
        ("ordergroove.subscription.create", line["deliveries"][0]["delivery_id"]),
        ("ordergroove.subscriber.create", line["deliveries"][1]["delivery_id"]),
    ] == [
        (attributes["metric"]["data"]["attributes"]["name"], attributes["unique_id"])
        for attributes in (body["data"]["attributes"] for body in bodies)
    ]


def keys(value: Any, name: str) -> None:
    """Check the keys of every object below one, by the name it stands under."""
    if isinstance(value, list):
        for each in value:
            keys(each, name)
    elif isinstance(value, dict) and name not in ("body", "headers"):
        assert SHAPE[name] == set(value), name
        for inner, each in value.items():
            keys(each, inner)


def test_every_line_has_the_shape() -> None:
    """A whole year of samples, broken lines and repetitions: always the same keys."""
    lines = explained(*story(), SAMPLES["order.reject"]) + [
        json.loads(line) for line in run(b"{\n[1]\n", "--json").stdout.splitlines()
    ]

    assert len(SAMPLES) + 1 + 2 == len(lines)
    for line in lines:
        assert {"input", "events", "subscriber", "deliveries", "dead_letter"} == set(line)
        for name, value in line.items():
            keys(value, name)
    assert [json.loads(body)["type"] for body in story()] == [
        line["input"]["type"] for line in lines[: len(SAMPLES)]
    ]


def test_rows_are_remembered_between_lines() -> None:
    """Each line is read with what the ones before it left behind."""
    lines = explained(CREATE, CANCEL, STALE)

    assert [
        ["subscription.create", "subscriber.create"],
        ["subscription.cancel", "subscriber.cancel"],
        ["subscription.sku_swap"],
    ] == [own_types(line) for line in lines]
    assert ["active", "inactive", "inactive"] == [line["subscriber"]["status"] for line in lines]


def test_a_late_event_starts_no_flow() -> None:
    """It is accepted as data: delivered_no_trigger, because it is late."""
    late = explained(CREATE, CANCEL, STALE)[2]

    assert late["events"][0]["late"] is True
    assert [("delivered_no_trigger", "late", True)] == [
        (
            delivery["outcome"],
            delivery["reason"],
            delivery["requests"][0]["body"]["data"]["attributes"]["backfill"],
        )
        for delivery in late["deliveries"]
    ]


def test_a_repetition_becomes_nothing() -> None:
    """No events and no deliveries; the subscriber is as before."""
    first, again = explained(CREATE, CREATE)

    assert {
        **first,
        "input": {**first["input"], "line": 2},
        "events": [],
        "deliveries": [],
    } == again


def test_what_is_withheld_says_why() -> None:
    """The source's own subscriber event goes nowhere; the profile that it told does."""
    [line] = explained(webhook("subscriber.create", person(email="noor@shop-demo.io")))

    assert [("subscriber.create", "derived_mode"), ("profile.changed", None)] == [
        (event["type"], event["withheld"]) for event in line["events"]
    ]
    assert [("profile", "https://a.klaviyo.com/api/profile-import")] == [
        (request["part"], request["url"])
        for delivery in line["deliveries"]
        for request in delivery["requests"]
    ]
    assert {
        "status": None,
        "active_subscriptions": 0,
        "total_subscriptions": 0,
        "ever_subscribed": False,
    } == line["subscriber"]


def test_whom_nobody_can_tell_is_rejected() -> None:
    """Without address and number nothing is sent, and it says so."""
    [line] = explained(webhook("order.reminder", order()))

    assert [("rejected", "no_identifier", [])] == [
        (delivery["outcome"], delivery["reason"], delivery["requests"])
        for delivery in line["deliveries"]
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            b"{", [(1, None, None, {"reason": "malformed", "field": None})], id="half a line"
        ),
        pytest.param(
            b'\n{"id":"e9","type":"order.paused"}\n\nnoor\n',
            [
                (2, "e9", "order.paused", {"reason": "unknown_type", "field": "type"}),
                (4, None, None, {"reason": "malformed", "field": None}),
            ],
            id="lines are counted with the empty ones",
        ),
        pytest.param(
            b'{"id":"e9","type":"order.reminder","created":"soon"}',
            [(1, "e9", "order.reminder", {"reason": "wrong_type", "field": "created"})],
            id="the field is named",
        ),
        pytest.param(
            b"[5]",
            [(1, None, None, {"reason": "malformed", "field": None})],
            id="a number in a list",
        ),
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"\n \n", [], id="nothing but space"),
    ],
)
def test_a_broken_line_is_a_dead_letter(
    given: bytes, expected: list[tuple[int, str | None, str | None, dict[str, str | None]]]
) -> None:
    """A line that cannot be mapped says why, and the ones after it are read."""
    lines = [json.loads(line) for line in run(given, "--json").stdout.splitlines()]

    assert expected == [
        (
            line["input"]["line"],
            line["input"]["event_id"],
            line["input"]["type"],
            line["dead_letter"],
        )
        for line in lines
    ]
    assert [([], [], None)] * len(lines) == [
        (line["events"], line["deliveries"], line["subscriber"]) for line in lines
    ]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(SAMPLES["order.reject"], id="one document over many lines"),
        pytest.param(b"\n\n" + SAMPLES["order.reject"], id="after empty lines"),
        pytest.param(b"[" + SAMPLES["order.reject"] + b"]", id="in a list"),
        pytest.param(json.dumps(parsed("order.reject")).encode(), id="a line without its end"),
        pytest.param(json.dumps(parsed("order.reject")).encode() + b"\r\n", id="a line of Windows"),
    ],
)
def test_one_document_is_read_whole(given: bytes) -> None:
    """A file may hold JSON lines, one document, or a list of them."""
    [line] = [json.loads(each) for each in run(given, "--json").stdout.splitlines()]

    assert {"line": 1, "event_id": parsed("order.reject")["id"], "type": "order.reject"} == line[
        "input"
    ]
    assert ["order.reject"] == [
        event["type"] for event in line["events"] if event["type"].startswith("order.")
    ]


def test_a_file_may_be_named(tmp_path: Path) -> None:
    """FILE instead of standard input."""
    file = tmp_path / "bodies.jsonl"
    file.write_bytes(CREATE + b"\n" + CANCEL)

    assert 2 == len(run(b"", str(file), "--json").stdout.splitlines())


SETTINGS = """
[connections.klaviyo]
mode = "live"

[connections.eu]
destination = "klaviyo"
url = "http://localhost:9/"
merchants = ["5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65"]
display_zone = "UTC"

[connections.other]
destination = "klaviyo"
mode = "off"
merchants = ["m2"]
"""


def test_connections_are_those_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its mode, address and merchants; credentials never show."""
    monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS", "pk_very_secret")
    (tmp_path / "streams.toml").write_text(SETTINGS)
    result = run(CREATE, "--json")
    line = json.loads(result.stdout.splitlines()[0])

    assert [
        ("klaviyo", "delivered", None, "https://a.klaviyo.com/api/events"),
        ("eu", "filtered", "shadow", "http://localhost:9/api/events"),
    ] * 2 == [
        (each["connection"], each["outcome"], each["reason"], each["requests"][0]["url"])
        for each in line["deliveries"]
    ]
    assert "pk_very_secret" not in result.output


@pytest.mark.parametrize(
    ("names", "connections"),
    [
        (["--destination", "eu"], {"eu"}),
        (["--destination", "eu", "--destination", "klaviyo"], {"eu", "klaviyo"}),
        (["--destination", "other"], set()),
    ],
    ids=["one", "two", "one of another merchant"],
)
def test_destinations_can_be_chosen(
    names: list[str], connections: set[str], tmp_path: Path
) -> None:
    """`--destination`, once or more often, leaves out the others."""
    (tmp_path / "streams.toml").write_text(SETTINGS)
    line = json.loads(run(CREATE, "--json", *names).stdout.splitlines()[0])

    assert connections == {each["connection"] for each in line["deliveries"]}


def test_an_unknown_destination_is_named() -> None:
    """With those that there are."""
    with pytest.raises(ConfigurationError) as wrong:
        run(CREATE, "--destination", "clavio")

    assert "--destination: no connection clavio. Known: attentive, klaviyo, ometria, yespo" == str(
        wrong.value
    )


@pytest.mark.parametrize(
    ("now", "outcome", "reason"),
    [
        ("2026-10-01T15:00:00Z", "delivered", None),
        ("2026-10-01T11:00:00-04:00", "delivered", None),
        ("2025-01-01T00:00:00Z", "rejected", "time_out_of_range"),
    ],
    ids=["then", "then, in New York", "long before"],
)
def test_deliveries_are_judged_at_a_chosen_time(now: str, outcome: str, reason: str | None) -> None:
    """`--now` stands for the time at which a delivery would be sent; else it is stream time."""
    [line] = explained(REMINDER, arguments=("--now", now))

    assert [(outcome, reason)] == [
        (each["outcome"], each["reason"])
        for each in line["deliveries"]
        if each["requests"] == [] or each["requests"][0]["part"] == "event"
    ]


def credentials(headers: dict[str, str]) -> str:
    """What the credentials' header shows."""
    return headers.get("authorization") or headers["x-ometria-auth"]


def test_without_settings_every_destination_is_shown() -> None:
    """Attentive and Ometria get the profile before the event, Klaviyo both in one call."""
    [line] = [json.loads(each) for each in run(CREATE, "--json").stdout.splitlines()][:1]

    assert {
        "attentive": [
            ("profile", "https://api.attentivemobile.com/v1/attributes/custom", "Bearer ***"),
            ("event", "https://api.attentivemobile.com/v1/events/custom", "Bearer ***"),
        ],
        "klaviyo": [("event", "https://a.klaviyo.com/api/events", "Klaviyo-API-Key ***")],
        "ometria": [
            ("profile", "https://api.ometria.com/v2/push", "***"),
            ("event", "https://api.ometria.com/v2/push", "***"),
        ],
        "yespo": [("event", "https://yespo.io/api/v2/event", "Basic c3RyZWFtczoqKio=")],
    } == {
        each["connection"]: [
            (request["part"], request["url"], credentials(request["headers"]))
            for request in each["requests"]
        ]
        for each in reversed(line["deliveries"])  # the record's first delivery brings the status
    }


def test_a_profile_is_sent_once() -> None:
    """Of the events of one record the first brings the status; the next finds it there already."""
    created, cancelled, _ = explained(CREATE, CANCEL, STALE, arguments=ATTENTIVE)

    assert [["profile", "event"], ["event"]] * 2 == [
        [request["part"] for request in each["requests"]]
        for line in (created, cancelled)
        for each in line["deliveries"]
        if each["outcome"] == "delivered"
    ][:4]


def test_the_event_decides_what_is_said_of_a_delivery() -> None:
    """A late event is filtered at Attentive; a profile that is news is sent all the same."""
    late = webhook("subscription.sku_swap", subscription(updated=START + 5), START + 5, **HER)
    known, news = (
        explained(CREATE, CANCEL, each, arguments=ATTENTIVE)[2] for each in (STALE, late)
    )

    assert [[("filtered", "late", [])], [("filtered", "late", ["profile"])]] == [
        [
            (each["outcome"], each["reason"], [request["part"] for request in each["requests"]])
            for each in line["deliveries"]
        ]
        for line in (known, news)
    ]


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        ("2026-10-02T03:00:00Z", "delivered"),
        ("2026-10-02T03:00:01Z", "delivered_no_trigger"),
    ],
    ids=["twelve hours later", "a second more"],
)
def test_twelve_hours_later_attentive_starts_nothing(now: str, outcome: str) -> None:
    """`--now` shows what a delay would do to customers."""
    [line] = explained(REMINDER, arguments=(*ATTENTIVE, "--now", now))

    assert [outcome] == [each["outcome"] for each in line["deliveries"]]


@pytest.mark.parametrize("now", ["2026-10-01T15:00:00", "yesterday", ""])
def test_a_time_without_zone_is_refused(now: str) -> None:
    """A time must say its zone."""
    with pytest.raises(ConfigurationError) as wrong:
        run(CREATE, "--now", now)

    assert "--now" == wrong.value.setting
    assert "2026-10-01T12:00:00Z" in wrong.value.fix


def test_people_read_the_same() -> None:
    """Without `--json`: events with reasons, the subscriber, outcomes and requests."""
    text = run(b"\n".join([CREATE, CANCEL, STALE, STALE, b"{"])).stdout

    for fact in (
        "1  subscription.create  e1",
        "event subscriber.create  [first subscription ever: active 0 → 1 by subscription.create]",
        "subscriber active: 1 active of 1",
        "subscriber inactive: 0 active of 1",
        "event subscription.sku_swap  [late: data only]",
        "→ klaviyo: delivered_no_trigger (late)",
        "POST https://a.klaviyo.com/api/events",
        '"email": "noor@shop-demo.io"',
        "nothing: told before",
        "dead letter: malformed",
    ):
        assert fact in text


def test_a_pair_is_one_fact() -> None:
    """change_live after reactivate becomes nothing, though it is no repetition."""
    events = ("subscription.reactivate", "subscription.change_live")
    lines = explained(*(SAMPLES[each] for each in ("subscription.create", *events)))

    assert [["subscription.reactivate"], []] == [own_types(line) for line in lines[1:]]
    assert (
        fact_id(
            "subscription.reactivate",
            MERCHANT,
            CUSTOMER,
            parsed(events[0])["data"]["object"]["public_id"],
            parsed(events[0])["data"]["object"]["updated"] * 1000,
        )
        == lines[1]["events"][0]["event_id"]
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--json"], 0, '"type":"subscription.create"'),
        (["--destination", "clavio"], 2, "streams: --destination: no connection clavio"),
    ],
    ids=["it works", "a wrong choice"],
)
def test_the_program_itself(arguments: list[str], code: int, said: str) -> None:
    """The executable needs nothing but its input; asked wrongly, it says so and exits 2."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "streams", "explain", *arguments],
        input=CREATE,
        capture_output=True,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": os.environ["PATH"]},
    )

    assert (code, True) == (done.returncode, said in (done.stdout + done.stderr).decode())
