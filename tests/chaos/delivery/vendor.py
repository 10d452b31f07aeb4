"""A vendor of a round: its simulator as a process that can be ended and started at the same port.

What it receives is written to a file, which outlives it.
"""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import httpx2
import msgspec

from streams.demo.children import Child
from streams.demo.ledger import VENDORS
from tests.chaos.delivery.judge import Arrival
from tests.chaos.delivery.stock import identity_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY: Final = "pk_chaos"
NEW_KEY: Final = "pk_chaos_new"
_START_SECONDS: Final = 60.0
_LATENCIES: Final = {"ometria": 0.4}
_LATENCY: Final = 0.15
_TAKEN: Final = ("accepted", "duplicate", "silent")
"""How the fates of records begin that the vendor has."""


class Vendor:
    """One vendor.

    Attributes:
        name: of the vendor, and of the connection to it.
        port: the same across restarts.
        latency: seconds that each answer takes at least.
    """

    def __init__(self, name: str, port: int, directory: Path) -> None:
        """Start it."""
        self.name = name
        self.port = port
        self.latency = _LATENCIES.get(name, _LATENCY)
        self._directory = directory
        self._record = directory / f"{name}.jsonl"
        self._scenario = directory / f"{name}.toml"
        self._base: dict[str, Any] = {"kind": "latency", "seconds": self.latency, "jitter": 0.05}
        base = "\n".join(f"{key} = {json.dumps(value)}" for key, value in self._base.items())
        keys = "\n".join(
            f"{key} = {{ {KEY} = {{}} }}" if key in {"keys", "tokens"} else f"{key} = {value}"
            for key, value in self._switches().items()
        )
        self._scenario.write_text(f"[[faults]]\n{base}\n[switches]\n{keys}\n", encoding="utf-8")
        self._seen = 0
        self._client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        self._child = self._started()

    def wait(self) -> None:
        """Wait until it listens."""
        self._child.line("http", _START_SECONDS)

    def stop(self) -> None:
        """End it at once (SIGKILL): connections break, and nobody listens."""
        self._child.process.kill()
        self._child.process.wait()

    def start(self) -> None:
        """Start it again: it knows the port, the record and the scenario, and nothing else."""
        self._seen = 0
        self._child = self._started()
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                self._client.get("/_control/summary")
            except httpx2.TransportError:
                self._child.check()
                time.sleep(0.02)
            else:
                return

    def trouble(self, *faults: dict[str, Any]) -> None:
        """Let these faults be in force beside the usual latency; none: only that."""
        told = {"faults": [self._base, *faults]}
        self._client.put("/_control/faults", json=told).raise_for_status()

    def accept(self, key: str) -> None:
        """Accept this key and no other."""
        named = "tokens" if self.name == "attentive" else "keys"
        told: dict[str, Any] = {"switches": {named: {key: {}}}}
        self._client.put("/_control/switches", json=told).raise_for_status()

    def busy(self, worker: str | None = None) -> bool:
        """Whether requests are under way now, of one worker or of any."""
        now = time.time()
        page = self._client.get("/_control/requests", params={"since": self._seen}).json()
        several = page["requests"]
        if several:
            self._seen = several[-1]["sequence"]
        return any(
            now - datetime.fromisoformat(each["received_at"]).timestamp() < self.latency
            and worker in {None, host_of(each)}
            and any(self._told(each))
            for each in several
        )

    def arrivals(self) -> Iterator[Arrival]:
        """Every event's record that ever came, in the order in which the vendor took them."""
        with self._record.open("rb") as lines:
            for line in lines:
                request = msgspec.json.decode(line)
                at = datetime.fromisoformat(request["received_at"]).timestamp()
                for identity, fate in self._told(request):
                    taken, heard = fate.startswith(_TAKEN), request["status"] is not None
                    yield Arrival(identity, at, host_of(request), taken, heard)

    def _told(self, request: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Identity and fate of each event's record in a request."""
        if request["method"] != "POST" or request["body"] is None:
            return
        several = VENDORS[self.name].records(request["body"])
        fates = request["fates"] or [request["fate"]] * len(several)
        for record, fate in zip(several, fates, strict=False):
            identity = identity_of(self.name, record)
            if identity is not None:
                yield identity, fate

    def end(self) -> None:
        """End it for good."""
        self._client.close()
        self.stop()

    def _switches(self) -> dict[str, str]:
        named = "tokens" if self.name == "attentive" else "keys"
        return {named: ""} | ({"repeats": '"off"'} if self.name == "yespo" else {})

    def _started(self) -> Child:
        arguments = ["simulate", self.name, "--port", str(self.port), "--limits", "off"]
        arguments += ["--record", str(self._record), "--faults", str(self._scenario)]
        return Child(f"simulate-{self.name}", arguments, self._directory, {})


def host_of(request: dict[str, Any]) -> str:
    """By what name the sender called the vendor's host: each worker has one of its own."""
    return str(request["headers"]["host"]).partition(":")[0]
