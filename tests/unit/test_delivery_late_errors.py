"""Stories of what a vendor refuses after it has said yes: seen, counted, tied to nobody."""

from __future__ import annotations

import msgspec
import pytest

from streams.destinations.ometria import OMETRIA
from streams.model.delivery import LateError, LateErrors, Request, Response
from tests.support.delivery import Stage, tell, until
from tests.support.delivery_vendor import Answer, Seen


def listed(response: Response) -> list[LateError]:
    """A JSON list of fields, with a record's id behind a slash where one is named."""
    fields: list[str] = msgspec.json.decode(response.body)
    return [
        LateError(field, record or None) for field, _, record in (f.partition("/") for f in fields)
    ]


def event_of(request: Request) -> str | None:
    """The id by which the list names a record."""
    return request.body.get("event")


LIST = LateErrors(Request("GET", "/errors", {}, {}, "errors"), listed, event_of)


def told(stage: Stage) -> list[tuple[str | None, str, str]]:
    """(field, reason, delivery id) of the outcomes that belong to no delivery."""
    return [each[3:] for each in stage.outcomes("field", "reason", "delivery_id")]


def lists(stage: Stage, *following: list[str]) -> None:
    """Let the vendor answer its list so, one after another, the last for ever."""
    answers = [msgspec.json.encode(each) for each in following]

    def answer(seen: Seen) -> Answer:
        del seen
        asked = sum(each.endpoint == "errors" for each in stage.server.seen)
        return Answer(200, body=answers[min(asked, len(answers)) - 1])

    stage.server.answer = answer


def test_each_new_one_is_told() -> None:
    """What was listed before we looked is no news; of equal ones the number counts."""

    async def story(stage: Stage) -> None:
        lists(stage, ["old"], ["old"], ["id", "old"], ["id", "id", "old"])
        stage.own(0, epoch=2)
        await until(lambda: len(told(stage)) == 2)

    assert [("id", "late_error", "")] * 2 == told(tell(story, late_errors=LIST))


@pytest.mark.parametrize("answer", [Answer(500), Answer(404), Answer(cut=True)])
def test_a_list_that_does_not_come_is_asked_for_again(answer: Answer) -> None:
    """A vendor that is down, or knows no such list."""

    async def story(stage: Stage) -> None:
        stage.server.answer = lambda _: answer
        stage.own(0, epoch=2)
        await until(lambda: len(stage.server.seen) >= 3)

    assert [] == told(tell(story, late_errors=LIST))


def test_only_one_looks() -> None:
    """Who has the first partition; who loses it stops."""

    async def story(stage: Stage) -> None:
        lists(stage, [])
        stage.own(0, 1, epoch=2)
        await until(lambda: len(stage.server.seen) >= 2)
        stage.handler.drop([0])
        tasks.append(stage.handler._late_errors._task)
        stage.own(1, epoch=3)
        tasks.append(stage.handler._late_errors._task)

    tasks: list[object] = []
    tell(story, late_errors=LIST)

    assert [None, None] == tasks


@pytest.mark.parametrize("mode", ["shadow", "off"])
def test_who_sends_nothing_does_not_look(mode: str) -> None:
    """Nothing of ours can be listed there."""

    async def story(stage: Stage) -> None:
        stage.own(0, epoch=2)
        assert stage.handler._late_errors._task is None

    tell(story, late_errors=LIST, mode=mode)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'[{"error_message":"not a valid value","error_path":"root > timestamp"}]', ["timestamp"]),
        (b'[{"error_path":"root > properties > total_value"},{}]', ["properties.total_value", ""]),
        (b"[]", []),
        (b"{}", []),
        (b"<html>", []),
        (b'[{"error_path":5}]', []),
    ],
)
def test_ometrias_list_is_read(body: bytes, fields: list[str]) -> None:
    """Its paths, without its words; it names no record."""
    expected = [LateError(field, None) for field in fields]

    assert expected == OMETRIA.late_errors.read(Response(200, {}, body))
