"""The simulated Klaviyo: bulk import jobs, and their errors (contracts/klaviyo.md §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from streams.simulators.faults import Fault
from tests.support.klaviyo import IMPORT, JOBS, Account, changed, job, profile, tell

if TYPE_CHECKING:
    from tests.support.klaviyo import JSON

KIM, LEE = "kim@shop-demo.io", "lee@shop-demo.io"
ROWS = "/data/attributes/profiles/data"
LISTS = {"lists": {"data": [{"type": "list", "id": "L1"}]}}


def _judged(document: JSON, **switches: Any) -> tuple[int, list[str], list[str]]:
    """The status, the pointers of the errors, and the fates of the rows."""

    async def story(account: Account) -> tuple[int, list[str], list[str]]:
        response = await account.post(JOBS, document)
        pointers = [each["source"]["pointer"] for each in response.json().get("errors", [])]
        return response.status_code, pointers, list(account.simulator.received[0].fates)

    return tell(story, **switches)


def test_a_job_is_queued_processed_complete() -> None:
    """202 with the job; asking moves it on; it expires after seven days."""

    async def story(account: Account) -> list[Any]:
        answers = [await account.post(JOBS, job({"email": KIM}, {"email": LEE}))]
        path = f"{JOBS}/{answers[0].json()['data']['id']}"
        for _ in range(3):
            account.now += 1
            answers.append(await account.get(path))
        return [(answer.status_code, answer.json()["data"]["attributes"]) for answer in answers]

    told = tell(story)
    names = ("status", "total_count", "completed_count", "failed_count")

    assert [202, 200, 200, 200] == [status for status, _ in told]
    assert [
        ("queued", 2, 0, 0),
        ("processing", 2, 0, 0),
        ("complete", 2, 2, 0),
        ("complete", 2, 2, 0),
    ] == [tuple(attributes[name] for name in names) for _, attributes in told]
    assert {
        "created_at": "2026-10-01T12:00:00+00:00",
        "started_at": "2026-10-01T12:00:01+00:00",
        "completed_at": "2026-10-01T12:00:02+00:00",
        "expires_at": "2026-10-08T12:00:00+00:00",
    }.items() <= told[-1][1].items()


def test_rows_of_a_job_can_fail() -> None:
    """A fault lets matching rows fail: counted, listed page by page, not applied."""
    rows = [{"email": f"kim{number}@shop-demo.io"} for number in range(5)]
    fault = Fault(kind="fail_rows", rows=3, match={"email": "kim[1-4]@*"})

    async def story(account: Account) -> Any:
        response = await account.post(JOBS, job(*rows))
        path = f"{JOBS}/{response.json()['data']['id']}"
        for _ in range(2):
            status = (await account.get(path)).json()["data"]["attributes"]
        page = (await account.get(f"{path}/import-errors?page[size]=2")).json()
        rest = (await account.client.get(_local(page), headers=account.headers)).json()
        known = {p["attributes"]["email"] for p in (await account.state())["profiles"]}
        return status["failed_count"], [page["data"], rest["data"]], rest["links"]["next"], known

    failed, pages, after, known = tell(story, faults=(fault,))

    assert (3, [2, 1], None) == (failed, [len(page) for page in pages], after)
    assert {"kim0@shop-demo.io", "kim4@shop-demo.io"} == known
    assert [f"{ROWS}/{n}" for n in (1, 2, 3)] == [
        error["attributes"]["source"]["pointer"] for page in pages for error in page
    ]
    assert rows[1] == pages[0][0]["attributes"]["original_payload"]["attributes"]


def _local(page: Any) -> str:
    """The next page's address, at the simulator in place of Klaviyo."""
    return str(page["links"]["next"]).removeprefix("https://a.klaviyo.com")


@pytest.mark.parametrize(
    "query", ["page[size]=0", "page[size]=101", "page[size]=x", "page[cursor]=-1"]
)
def test_wrong_pages_are_refused(query: str) -> None:
    """400 that names the parameter."""

    async def story(account: Account) -> Any:
        response = await account.post(JOBS, job({"email": KIM}))
        path = f"{JOBS}/{response.json()['data']['id']}/import-errors?{query}"
        response = await account.get(path)
        return response.status_code, response.json()["errors"][0]["source"]

    assert (400, {"parameter": query.partition("=")[0]}) == tell(story)


def test_unknown_jobs_are_not_found() -> None:
    """404 for a job that was never made."""

    async def story(account: Account) -> list[int]:
        paths = (f"{JOBS}/none", f"{JOBS}/none/import-errors")
        return [(await account.get(path)).status_code for path in paths]

    assert [404, 404] == tell(story)


@pytest.mark.parametrize(
    ("where", "value", "pointer"),
    [
        (ROWS, [], ROWS),
        (ROWS, "kim", ROWS),
        (f"{ROWS}/1/attributes/email", "lee", f"{ROWS}/1/attributes/email"),
        (f"{ROWS}/1/attributes", {"phone_number": "1"}, f"{ROWS}/1/attributes/phone_number"),
        (f"{ROWS}/1/attributes/properties", {"s": "x" * 100_000}, f"{ROWS}/1"),
        ("/data/attributes/list", "L1", "/data/attributes/list"),
        ("/data/relationships", LISTS, "/data"),
        ("/data/relationships", {}, "/data/relationships"),
    ],
    ids=lambda value: str(value)[:48],
)
def test_bad_jobs_are_refused_whole(where: str, value: object, pointer: str) -> None:
    """400 with a pointer to the row; an unknown list points at `/data`."""
    document = changed(job({"email": KIM}, {"email": LEE}), where, value)

    assert (400, [pointer], []) == _judged(document)


def test_known_lists_are_accepted() -> None:
    """A job may add to a list that the account has."""
    document = changed(job({"email": KIM}), "/data/relationships", LISTS)

    assert (202, [], ["accepted"]) == _judged(document, lists=["L1"])


@pytest.mark.parametrize(("count", "status"), [(10_000, 202), (10_001, 400)])
def test_a_job_has_at_most_10000_profiles(count: int, status: int) -> None:
    """One more than the limit is refused."""
    assert status == _judged(job(*({"external_id": str(n)} for n in range(count))))[0]


def test_a_job_neither_clears_nor_complains() -> None:
    """Null changes nothing, and a bad phone beside an address is dropped silently."""
    row = {"email": KIM, "phone_number": "1", "first_name": None, "properties": {"a": None}}

    async def story(account: Account) -> Any:
        await account.post(IMPORT, profile(email=KIM, first_name="Kim", properties={"a": 1}))
        response = await account.post(JOBS, job(row))
        path = f"{JOBS}/{response.json()['data']['id']}"
        for _ in range(2):
            counts = (await account.get(path)).json()["data"]["attributes"]
        [stored] = (await account.state())["profiles"]
        header = response.headers.get("X-Klaviyo-Partial-Failure")
        return header, counts["failed_count"], stored["attributes"]

    header, failed, stored = tell(story)

    assert (None, 0) == (header, failed)
    assert ("Kim", {"a": 1}) == (stored["first_name"], stored["properties"])
    assert "phone_number" not in stored
