"""Scenarios of simulators: the files to rehearse with, and giving one to a running simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.simulators import SIMULATORS, Options, read_options
from streams.simulators.faults import Fault, FaultPlan, load_scenario
from tests.support import simulation
from tests.support.attentive_account import EVENTS, event, tell
from tests.support.simulation import NOW, Account

FILES = sorted((Path(__file__).parents[2] / "deploy" / "rehearsals").glob("*.toml"))
OUTAGE, THROTTLED = (
    next(each for each in FILES if each.stem == name) for name in ("outage", "throttled")
)
SCENARIO = "/_control/scenario"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_rehearsal_can_be_run(path: Path) -> None:
    """Those called after a vendor by that one, the others by each: every switch exists."""
    for vendor in {path.stem} & SIMULATORS.keys() or SIMULATORS:
        simulator = SIMULATORS[vendor](read_options("1", None, path))
        assert load_scenario(path).faults == tuple(
            _given(each) for each in simulator.plan.describe()
        )


def test_there_is_a_rehearsal_of_every_vendor() -> None:
    """And of what can happen with all of them."""
    shared = {"outage", "resets", "slow", "throttled"}

    assert {*SIMULATORS, *shared} == {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_rehearsal_says_how_to_run_it(path: Path) -> None:
    """Its first lines are the command, with its own place."""
    vendor = path.stem if path.stem in SIMULATORS else "klaviyo"
    wanted = f"#   streams simulate {vendor} --port 8080 --faults deploy/rehearsals/{path.name}"

    assert wanted in path.read_text().splitlines()


@pytest.mark.parametrize(
    ("fault", "pattern"),
    [
        pytest.param(Fault(kind="reset", lasts=2), "xx...", id="at once, for a while"),
        pytest.param(Fault(kind="reset", begins=3), "...xx", id="later, and on"),
        pytest.param(Fault(kind="reset", begins=1, lasts=2), ".xx..", id="in between"),
        pytest.param(
            Fault(kind="reset", begins=1, after=1), "..xxx", id="after counts in its time"
        ),
        pytest.param(Fault(kind="reset", begins=1, count=1), ".x...", id="count too"),
    ],
)
def test_faults_of_a_time(fault: Fault, pattern: str) -> None:
    """One request a second: times count from the first, however late that one came."""
    plan = FaultPlan([fault])
    fired = [plan.fire(EVENTS, NOW + second, list).fault is not None for second in range(5)]

    assert pattern == "".join("x" if each else "." for each in fired)


def test_an_outage_from_its_file() -> None:
    """All is well, then it is down for five minutes, then all is well by itself."""

    async def story(account: Account) -> list[int]:
        given = await account.client.put(SCENARIO, content=OUTAGE.read_bytes())
        assert 200 == given.status_code
        statuses = []
        for second in (0, 59, 60, 119, 120, 239, 360, 999):
            account.now = NOW + second
            statuses.append((await account.post(EVENTS, event())).status_code)
        return statuses

    assert [200, 200, 500, 500, 503, 503, 200, 200] == tell(story)


def test_a_scenario_is_taken_back() -> None:
    """Faults and switches are those of the start again; what was kept stays."""
    first = Fault(kind="latency", seconds=0)
    given = b'switches = { success_status = 202 }\n[[faults]]\nkind = "drop"'

    async def story(account: Account) -> Any:
        told = []
        for change in (None, given, None):
            if change is not None:
                await account.client.put(SCENARIO, content=change)
            else:
                assert 200 == (await account.client.delete(SCENARIO)).status_code
            told.append((await account.post(EVENTS, event())).status_code)
        faults = (await account.client.get("/_control/faults")).json()["faults"]
        kinds = [each["kind"] for each in faults]
        return told, account.fates, len(await account.state("events")), kinds

    fates = ["accepted", "dropped:fault", "accepted"]

    assert ([200, 202, 200], fates, 2, ["latency"]) == tell(story, faults=(first,))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        pytest.param(b"[switches]\nsuccess_status = 202\ndedupe = true", "dedupe", id="switch"),
        pytest.param(b"switches = { success_status = 202 }\n[[faults]]", "kind", id="fault"),
        pytest.param(b"switches = { success_status = 202 }\nfault = []", "fault", id="field"),
        pytest.param(b"switches =", "value", id="no TOML"),
        pytest.param(b"# \xff", "utf-8", id="no text"),
    ],
)
def test_of_a_wrong_scenario_nothing_is_taken(text: bytes, field: str) -> None:
    """400 that names what is wrong; faults and switches are as they were."""

    async def story(account: Account) -> Any:
        refused = await account.client.put(SCENARIO, content=text)
        assert field in refused.json()["error"]
        faults = (await account.client.get("/_control/faults")).json()["faults"]
        passed = await account.post(EVENTS, event())
        return refused.status_code, [each["kind"] for each in faults], passed.status_code

    expected = (400, ["latency"], 200)

    assert expected == tell(story, faults=(Fault(kind="latency", seconds=0),))


@pytest.mark.parametrize("vendor", SIMULATORS)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_as_a_date(vendor: str, status: int) -> None:
    """Every vendor can be made to say when in HTTP's own form; without a wait there is nothing."""
    said = {"kind": "status", "status": status, "retry_after_form": "date", "count": 1}

    async def story(account: Account) -> list[str | None]:
        faults = [{**said, "retry_after": 90}, said]
        await account.client.put("/_control/faults", json={"faults": faults})
        answers = [await account.post("/", {}) for _ in faults]
        assert [status, status] == [each.status_code for each in answers]
        return [each.headers.get("Retry-After") for each in answers]

    assert ["Thu, 01 Oct 2026 12:01:30 GMT", None] == _tell(vendor, story)


def test_throttled_by_its_file() -> None:
    """The three ways, in their minutes; half of the limit is somebody else's all the time."""

    async def story(account: Account) -> Any:
        await account.client.put(SCENARIO, content=THROTTLED.read_bytes())
        told: list[Any] = []
        for second in (0, 60, 120, 180, 240, 300):
            account.now = NOW + second
            answers = [await account.post(EVENTS, event()) for _ in range(30)]
            told.append([sorted({each.status_code for each in answers})])
            told[-1].append(answers[-1].headers.get("Retry-After"))
        return [*told, answers[-1].headers["x-ratelimit-remaining"]]

    date = "Thu, 01 Oct 2026 12:04:05 GMT"

    assert [
        [[200, 429], None],
        [[200], None],
        [[429], "5"],
        [[200], None],
        [[503], date],
        [[200], None],
        str(150 - 75 - 30),
    ] == tell(story, limits=1)


def _given(described: dict[str, object]) -> Fault:
    fields = {name: value for name, value in described.items() if name not in {"seen", "fired"}}
    return Fault(**fields)  # type: ignore[arg-type]


def _tell(vendor: str, story: Any) -> Any:
    return simulation.tell(vendor, {}, story, Options(limits=None))
