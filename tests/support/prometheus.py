"""A real Prometheus beside a test, with the deployed rules: it scrapes workers and answers queries.

Debian's package `prometheus` has it, and `promtool`; no service of the machine is used.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx2
import pytest
from typing_extensions import override

from streams.demo.broker import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "prometheus"
PATIENCE = 30.0

_SCRAPE = "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n"
_RULES = "rule_files: [{rules}]\nscrape_configs:\n"
_JOB = "  - {{job_name: {job}, static_configs: [{{targets: [{address}]}}]}}\n"


def required(name: str) -> str:
    """The path of one of the package's programs; without it the test is skipped, by name."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install prometheus")
    return found


class Prometheus(AbstractContextManager["Prometheus"]):
    """Scrapes these jobs once a second; leaving it ends it.

    Attributes:
        url: where it listens.
    """

    def __init__(self, directory: Path, jobs: Mapping[str, str]) -> None:
        """Prepare. `jobs`: job → `host:port`, as `deploy/prometheus/prometheus.yml` names them."""
        self._directory = directory
        self._jobs = jobs
        self._program = required("prometheus")
        [port] = free_ports(1)
        self._address = f"127.0.0.1:{port}"
        self.url = f"http://{self._address}"
        self._client = httpx2.Client(base_url=self.url, timeout=PATIENCE)

    @override
    def __enter__(self) -> Self:
        settings = self._directory / "prometheus.yml"
        jobs = (
            _JOB.format(job=job, address=json.dumps(at)) for job, at in sorted(self._jobs.items())
        )
        rules = json.dumps(str(DEPLOY / "alerts.yml"))
        settings.write_text("".join([_SCRAPE.format(), _RULES.format(rules=rules), *jobs]))
        with (self._directory / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    self._program,
                    f"--config.file={settings}",
                    f"--storage.tsdb.path={self._directory / 'data'}",
                    f"--web.listen-address={self._address}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.until(self._ready, "Prometheus is ready")
        return self

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._client.close()

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until it holds."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, f"{what}: not within {PATIENCE:.0f} s"
            assert self._process.poll() is None, (self._directory / "prometheus.log").read_text()
            time.sleep(0.2)

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """What it comes to now: labels and value of each series; raises what Prometheus says."""
        found = self._get("/api/v1/query", {"query": expression})
        if found["resultType"] == "scalar":
            return [({}, float(found["result"][1]))]
        return [(each["metric"], float(each["value"][1])) for each in found["result"]]

    def sums(self, expression: str, label: str) -> dict[str, float]:
        """The values that are not 0, by one label."""
        return {labels[label]: value for labels, value in self.query(expression) if value}

    def rules(self) -> list[dict[str, Any]]:
        """Every rule as it was evaluated last."""
        groups = self._get("/api/v1/rules", {})["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def _ready(self) -> bool:
        try:
            return self._client.get("/-/ready").status_code == 200
        except httpx2.TransportError:
            return False

    def _get(self, path: str, params: Mapping[str, str]) -> Any:
        answer = self._client.get(path, params=params).json()
        if answer["status"] != "success":
            raise AssertionError(f"{params}: {answer['error']}")
        return answer["data"]
