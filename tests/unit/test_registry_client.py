"""The registry's client, over real HTTP: what it answers, and what keeps it from answering."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from streams.errors import BadRecord
from streams.registry import (
    Address,
    RegistryAway,
    RegistryClient,
    SchemaRefused,
    ServedRegistry,
)
from tests.support.registry import OURS, client_of, field_of, in_memory, variant
from tests.support.registry_server import FIRST_ID, RegistryServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBJECT = "og.outcomes-value"
TEXT = OURS.texts["outcome"]
PASSWORD = "pw_81c2f0aa"


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    """A registry that is on."""
    with RegistryServer() as server:
        yield server


@pytest.mark.parametrize(
    "over_http", [pytest.param(True, id="HTTP"), pytest.param(False, id="mock")]
)
def test_a_schema_is_registered_once(server: RegistryServer, over_http: bool) -> None:
    """Registering is idempotent, and a schema is found under its subject and by its id."""
    client = client_of(server) if over_http else in_memory()[0]
    before = client.find(SUBJECT, TEXT)
    first, again = client.register(SUBJECT, TEXT), client.register(SUBJECT, TEXT)
    written = client.schema(first.id)

    assert before is None
    assert (SUBJECT, 1) == (first.subject, first.version)
    assert first == again == client.find(SUBJECT, TEXT)
    assert written is not None
    assert ("AVRO", (TEXT,)) == written
    assert {1: TEXT} == client.versions(SUBJECT)


@pytest.mark.parametrize(
    "over_http", [pytest.param(True, id="HTTP"), pytest.param(False, id="mock")]
)
def test_what_it_has_not_is_an_answer(server: RegistryServer, over_http: bool) -> None:
    """An unknown id or subject is no failure."""
    client = client_of(server) if over_http else in_memory()[0]

    assert client.schema(999) is None
    assert client.find(SUBJECT, TEXT) is None
    assert {} == client.versions(SUBJECT)


def test_a_new_version_of_ours_gets_a_new_id(server: RegistryServer) -> None:
    """Another text under the same subject is its second version."""
    newer = variant("outcome", lambda it: field_of(it, "reason").update(doc="Why."))
    client = client_of(server)
    first, second = client.register(SUBJECT, TEXT), client.register(SUBJECT, newer)

    assert (FIRST_ID, 1) == (first.id, first.version)
    assert (FIRST_ID + 1, 2) == (second.id, second.version)
    assert {1: TEXT, 2: newer} == client.versions(SUBJECT)


def test_an_incompatible_schema_is_refused(server: RegistryServer) -> None:
    """The registry's own words say so."""
    server.register(SUBJECT, '{"type": "record", "name": "Outcome", "fields": []}')

    with pytest.raises(SchemaRefused, match="incompatible with an earlier schema"):
        client_of(server).register(SUBJECT, TEXT)


AWAY = {
    "500": ((500, {"error_code": 50001, "message": PASSWORD}), "it answers HTTP 500"),
    "503": ((503, b"<html>busy</html>"), "it answers HTTP 503"),
    "401": (
        (401, {"error_code": 401, "message": PASSWORD}),
        "it refuses our credentials: HTTP 401",
    ),
    "403": ((403, {"error_code": 403}), "it refuses our credentials: HTTP 403"),
    "no registry": ((404, b"<html>nothing here</html>"), "HTTP 404, is registry.url right"),
    "a wrong path": ((404, {"error_code": 404, "message": "HTTP 404 Not Found"}), "HTTP 404"),
    "404 without a code": ((404, {}), "HTTP 404"),
    "a page of some proxy": ((200, b"<html>log in</html>"), "JSONDecodeError"),
    "an array": ((200, [1]), "TypeError"),
}


@pytest.mark.parametrize("case", AWAY)
def test_what_is_no_answer_is_away(server: RegistryServer, case: str) -> None:
    """Whatever is no answer of a registry is never taken for an unknown id."""
    server.instead, expected = AWAY[case]

    with pytest.raises(RegistryAway, match=expected) as away:
        client_of(server).schema(7)
    assert PASSWORD not in str(away.value)
    assert away.value.__cause__ is None
    assert {"GET /schemas/ids/7": 1} == server.asked  # to ask again is for who waits


def test_a_switched_off_registry_is_away_and_comes_back(server: RegistryServer) -> None:
    """The same client goes on when it is on again."""
    client = client_of(server)
    number = server.register(SUBJECT, TEXT)
    server.switch_off()
    with pytest.raises(RegistryAway, match="Connection refused"):
        client.schema(number)
    server.switch_on()

    assert client.schema(number) is not None


def test_a_name_that_nobody_knows_is_away() -> None:
    """As is whatever else the network cannot do."""
    with pytest.raises(RegistryAway, match=r"[Nn]ame|[Tt]emporary"):
        RegistryClient(Address(url="http://registry.invalid:8081")).schema(1)


def test_a_client_that_is_listened_to_by_nobody_gives_up_soon() -> None:
    """A request has an end: a server that takes it and says nothing is away."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = RegistryClient(Address(url=url))
        client._client._rest_client.session.timeout = 0.05

        with pytest.raises(RegistryAway, match=r"Timeout|timed out"):
            client.schema(1)


LEARNT = {
    "protobuf": ('syntax = "proto3";', "PROTOBUF", "is not Avro but PROTOBUF"),
    "a JSON schema": ("{}", "JSON", "is not Avro but JSON"),
    "no schema": ('{"type": "cheese"}', "AVRO", "is not an Avro schema (UnknownType)"),
    "no JSON": ("record", "AVRO", "is not an Avro schema (JSONDecodeError)"),
}


@pytest.mark.parametrize("case", LEARNT)
def test_what_is_not_avro_is_known_and_unreadable(server: RegistryServer, case: str) -> None:
    """It is settled, so nobody waits for it, and its records say why they cannot be read."""
    served = ServedRegistry(client_of(server), OURS)
    text, kind, detail = LEARNT[case]
    number = server.register("others-value", text, kind)
    known = served.learn(number)

    assert known
    assert number.to_bytes(5, "big") in served.settled
    with pytest.raises(BadRecord) as given_up:
        served.schema(number)
    assert "unknown_schema" == given_up.value.reason
    assert f"schema {number} {detail}" == given_up.value.detail


def test_a_schema_of_several_parts_is_put_together(server: RegistryServer) -> None:
    """What a schema refers to stands under subjects of its own, and is fetched with it."""
    part = '{"type": "record", "name": "p.Part", "fields": [{"name": "n", "type": "int"}]}'
    inner = '{"type": "record", "name": "p.Inner", "fields": [{"name": "part", "type": "p.Part"}]}'
    whole = (
        '{"type": "record", "name": "Whole", "fields":'
        ' [{"name": "i", "type": "p.Inner"}, {"name": "p", "type": "p.Part"}]}'
    )
    server.register("part", part)
    server.answer("POST", "/subjects/inner/versions", _post(inner, ("p.Part", "part")))
    references = (("p.Inner", "inner"), ("p.Part", "part"))
    _, taken = server.answer("POST", "/subjects/whole/versions", _post(whole, *references))
    served = ServedRegistry(client_of(server), OURS)
    known = served.learn(taken["id"])
    schema: Any = served.schema(taken["id"])

    assert known
    assert {"p.Part", "p.Inner", "Whole"} == schema["__named_schemas"].keys()


def _post(text: str, *references: tuple[str, str]) -> dict[str, Any]:
    named = [{"name": name, "subject": subject, "version": 1} for name, subject in references]
    return {"schema": text, "references": named}


def test_our_own_schema_is_known_by_its_layout(server: RegistryServer) -> None:
    """Other docs or another order of keys: it is still ours, and read without resolution."""
    same = json.dumps(json.loads(TEXT), sort_keys=True)
    newer = variant("outcome", lambda it: field_of(it, "reason").update(doc="Why."))
    other = variant("outcome", lambda it: it["fields"].pop())
    served = ServedRegistry(client_of(server), OURS)
    numbers = [server.register(f"{n}-value", text) for n, text in enumerate([same, newer, other])]
    known = [served.learn(number) for number in numbers]
    schemas = [served.schema(number) for number in numbers]

    assert [True, True, True] == known
    assert [True, True, False] == [schema is served.ours["outcome"] for schema in schemas]


def test_the_ids_of_ours_are_looked_up(server: RegistryServer) -> None:
    """What is missing is named by subject; of several ids of one schema the first is written."""
    client, served = in_memory()
    first = client.register("og.dead-letters.a-value", OURS.texts["dead_letter"])
    second = client.register("og.dead-letters.b-value", OURS.texts["dead_letter"])
    missing = served.find(
        {
            "og.dead-letters.a-value": "dead_letter",
            "og.dead-letters.b-value": "dead_letter",
            SUBJECT: "outcome",
        }
    )

    assert [SUBJECT] == missing
    assert first.id != second.id
    assert {"dead_letter": first.id} == served.ids
    assert served.schema(second.id) is served.ours["dead_letter"]
