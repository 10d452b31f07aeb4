"""Fixtures and rules for all tests: a real broker, topic names of one's own, no silent skips.

`STREAMS_TEST_BOOTSTRAP=host:port` points the tests at a broker that runs already;
`STREAMS_TEST_CONTAINERS=1` asks for one in Docker; otherwise a local one is started.
`STREAMS_TEST_AGAIN=3`, of `./run test`, runs up to three failed tests once more and names them;
`STREAMS_TEST_AT_ONCE=3` says how many files run side by side, each process with its own broker.
`STREAMS_REQUIRE_ALL=1` turns every skip into a failure: for machines that have all it takes.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from streams.demo.broker import Broker
from streams.demo.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from playwright.sync_api import Browser

HERE = Path(__file__).parent
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
REQUIRE_ALL = os.environ.get("STREAMS_REQUIRE_ALL") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the folder they are in."""
    for item in items:
        folders = item.path.relative_to(HERE).parts[:-1]
        for marker in {"kafka", "chaos"}.intersection(folders):
            item.add_marker(marker)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one where everything is required."""
    return _required((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped module into a failed one where everything is required."""
    return _required((yield))


def _required(report: Report) -> Report:
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: STREAMS_REQUIRE_ALL=1 forbids this skip: {reason}"
    return report


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """Yield `host:port` of a broker that all tests of the run share; it creates no topics."""
    given = os.environ.get("STREAMS_TEST_BOOTSTRAP")
    if given:
        yield given
    elif os.environ.get("STREAMS_TEST_CONTAINERS") == "1":
        from tests.support.containers import kafka_in_docker

        with kafka_in_docker() as bootstrap:
            yield bootstrap
    else:
        with (
            tempfile.TemporaryDirectory(prefix="streams-kafka-") as directory,
            Broker(Path(directory)) as local,
        ):
            yield local.bootstrap


@pytest.fixture(scope="session")
def _three_nodes() -> Iterator[Cluster]:
    with (
        tempfile.TemporaryDirectory(prefix="streams-cluster-") as directory,
        Cluster(Path(directory)) as local,
    ):
        yield local


@pytest.fixture
def cluster(_three_nodes: Cluster) -> Iterator[Cluster]:
    """Yield a cluster of three nodes, all there and in sync; tests may end any of them."""
    yield _three_nodes
    for node in _three_nodes.brokers:
        if node.pid is None:
            node.start()
    _three_nodes.await_replicated()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a real Chromium that the tests of a module share."""
    from tests.support.console_browser import chromium

    with chromium() as made:
        yield made


@pytest.fixture
def prefix() -> str:
    """Return a prefix for topics, groups and transactions that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"
