"""docker-compose.yml keeps the Compose specification, and what it names is there.

The schema is the part of https://github.com/compose-spec/compose-spec that the file uses, by hand:
whatever else would appear in it is refused until it stands here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from streams.destinations import DESTINATIONS
from streams.settings import load_settings
from tests.support import deployed
from tests.support.composed import BY_HAND, ONCE, ROOT, SETTINGS, compose, image, our_services
from tests.support.schemas import TEXT, table

if TYPE_CHECKING:
    from pathlib import Path

DURATION = {"type": "string", "pattern": r"^(\d+(\.\d+)?(us|ms|s|m|h))+$"}
NAMES = {"type": "array", "items": TEXT, "uniqueItems": True}


def named(each: dict[str, Any]) -> dict[str, Any]:
    """An object of these, by name."""
    return {
        "type": "object",
        "patternProperties": {r"^[a-zA-Z0-9._-]+$": each},
        "additionalProperties": False,
    }


CONDITIONS = ["service_started", "service_healthy", "service_completed_successfully"]
SERVICE = table(
    {"image": TEXT, "restart": {"enum": ["no", "on-failure", "unless-stopped", "always"]}},
    build=table({"context": TEXT}, dockerfile=TEXT),
    command=NAMES | {"uniqueItems": False},
    environment={"type": "object", "additionalProperties": {"type": "string"}},
    init={"type": "boolean"},
    read_only={"type": "boolean"},
    tmpfs=NAMES,
    volumes=NAMES,
    secrets=NAMES,
    ports={"type": "array", "items": {"type": "string", "pattern": r"^127\.0\.0\.1:\d+:\d+$"}},
    profiles=NAMES,
    cap_drop=NAMES,
    security_opt=NAMES,
    depends_on=named(table({"condition": {"enum": CONDITIONS}})),
    healthcheck=table(
        {},
        test={"type": "array", "items": TEXT, "contains": {"enum": ["CMD", "CMD-SHELL"]}},
        interval=DURATION,
        timeout=DURATION,
        start_period=DURATION,
        retries={"type": "integer", "minimum": 1},
        disable={"type": "boolean"},
    ),
)
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": r"^[a-z0-9][a-z0-9_-]*$"},
        "services": named(SERVICE),
        "secrets": named(table({"file": TEXT})),
        "volumes": named({"type": "null"}),
    },
    "patternProperties": {"^x-": {}},
    "required": ["name", "services"],
    "additionalProperties": False,
}


def services() -> dict[str, Any]:
    """Name → service."""
    found: dict[str, Any] = compose()["services"]
    return found


def test_the_file_keeps_the_specification() -> None:
    """Keys, forms, conditions; ports on this machine's loopback alone."""
    wrong = [
        each.message for each in jsonschema.Draft202012Validator(SCHEMA).iter_errors(compose())
    ]

    assert [] == wrong


def test_every_role_runs() -> None:
    """Each of the program's, with every destination's simulator, and the source's."""
    commands = {name: each.get("command", []) for name, each in our_services().items()}
    roles = {name for name, words in commands.items() if words[:1] != ["simulate"]}
    simulated = {words[1] for words in commands.values() if words[:1] == ["simulate"]}
    stay = {"ingest", "sync", "hydrate", "rekey", "derive", "deliver", "console"}

    assert stay | {*ONCE, *BY_HAND} == roles
    assert {*DESTINATIONS, "ordergroove"} == simulated


@pytest.mark.parametrize("name", services())
def test_a_service_is_guarded(name: str) -> None:
    """It may do little; ours, and those that watch, write to their volumes alone."""
    each = services()[name]

    assert (["ALL"], ["no-new-privileges:true"]) == (each["cap_drop"], each["security_opt"])
    if each["image"].partition(":")[0] not in {"apache/kafka", "confluentinc/cp-schema-registry"}:
        assert each["read_only"]
    if name in our_services():
        assert "ordergroove-streams" == each["image"]
    else:
        assert re.search(r":v?\d+\.\d+\.\d+$", each["image"])  # pinned


@pytest.mark.parametrize("name", services())
def test_a_service_that_stays_is_watched(name: str) -> None:
    """By a check of its own, or the image's with where it is to ask."""
    each = services()[name]
    check = each.get("healthcheck", {})
    if name in {*ONCE, *BY_HAND, "shop-topic"}:
        assert check.get("disable") or "healthcheck" not in each
        return

    assert not check.get("disable")
    if name in our_services():
        assert "test" not in check
        assert "HEALTH_URL" in image().healthcheck[-1]
        assert each["environment"]["HEALTH_URL"].startswith("http://127.0.0.1:")
    else:
        assert check["test"]


def test_what_is_named_is_there() -> None:
    """Services that are waited for, and for what they can do; volumes, secrets and their files."""
    told = compose()
    for name, each in services().items():
        for other, how in each.get("depends_on", {}).items():
            ends = other in {*ONCE, "shop-topic"}
            wanted = "service_completed_successfully" if ends else "service_healthy"
            assert (name, other, wanted) == (name, other, how["condition"])
            assert other in services()
        for volume in each.get("volumes", ()):
            source = volume.partition(":")[0]
            assert (
                (ROOT / source).exists() if source.startswith("./") else source in told["volumes"]
            )
        assert set(each.get("secrets", ())) <= set(told["secrets"])
    for secret in told["secrets"].values():
        assert (ROOT / secret["file"]).read_text().strip()


def test_settings_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is read whole, with each service's variables; its secrets are given to somebody."""
    text = SETTINGS.read_text()
    files = set(re.findall(r"/run/secrets/([\w-]+)", text))
    given = {each for service in our_services().values() for each in service.get("secrets", ())}
    for service in our_services().values():
        with monkeypatch.context() as patch:
            for name, value in (image().environment | service["environment"]).items():
                patch.setenv(name, value)
            patch.setenv("STREAMS_SETTINGS", str(SETTINGS))
            load_settings()

    assert files == given == set(compose()["secrets"])


def test_who_is_scraped_runs() -> None:
    """Each job of prometheus.yml is a service, at the port that its role listens on."""
    settings = load_settings(SETTINGS)
    text = (deployed.PROMETHEUS / "prometheus.yml").read_text()
    found = dict(re.findall(r"names: \[(\w+)\], type: A, port: (\d+)", text))
    ports = dict.fromkeys(found, settings.web.port)
    ports |= {"ingest": settings.ingest.port, "console": settings.console.port}

    assert {name: str(port) for name, port in ports.items()} == found
    assert deployed.jobs() == {*found, "prometheus"}
    assert set(found) <= set(our_services())


def test_ports_that_are_published_are_listened_on() -> None:
    """Of ours: the health check asks the same."""
    for name, each in our_services().items():
        for port in each.get("ports", ()):
            outside, inside = port.split(":")[1:]
            url = each["environment"]["HEALTH_URL"]

            assert (name, outside, inside) == (name, inside, url.split(":")[2].partition("/")[0])


def test_nobody_s_real_key_is_in_the_repository(tmp_path: Path) -> None:
    """What stands under keys/ opens simulators and this machine's console only."""
    words = [each.read_text() for each in (ROOT / "deploy" / "compose" / "keys").iterdir()]

    assert all(re.search(r"simulat|on-this-machine|^whsec_c2ltdWxhdGVk", word) for word in words)
