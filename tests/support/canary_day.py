"""A small day of the whole program with canaries in it, and with all that can go wrong on the way.

The real command line, as processes, on a real broker with a registry that wants a password: derive,
deliver and its six connections, the four vendors' simulators with faults, and a vendor that quotes
whatever it is sent. Two of the processes have bugs that raise what they were given.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx2
from confluent_kafka import Producer
from typing_extensions import override

from streams.demo.broker import free_ports
from streams.demo.children import Child, stop
from streams.demo.observation import Topics
from streams.engine.kafka import KafkaSettings
from streams.names import SOURCES, Names
from tests.support.canary_people import PERSONAL, SECRETS, key_of, loyalty_webhooks, webhooks
from tests.support.canary_settings import CONNECTION, FAULTS, KEYS, MORE, SETTINGS
from tests.support.quoting_vendor import QuotingVendor
from tests.support.registry_server import RegistryServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from streams.names import Derived

BUGS = Path(__file__).with_name("canary_bugs")
VENDORS = ("klaviyo", "attentive", "ometria", "yespo")
_LEFT = re.compile(r'streams_(lag|waiting)\{(?:lane|connection)="(.*?)".*\} (\S+)')
LIVE = (*VENDORS, "quoting")
"""The connections that come to an end; the other one's key is revoked."""
PATIENCE = 120.0
USER = "registry-user"


class CanaryDay(AbstractContextManager["CanaryDay"]):
    """One day; leaving it ends every process.

    Attributes:
        directory: with the settings file, and all logs.
        names: of the topics.
        urls: of the simulators, by vendor.
        ports: of the workers' pages.
        vendor: the one that quotes.
        command_lines: of every process, as anybody on the machine could read them.
    """

    def __init__(self, bootstrap: str, prefix: str, directory: Path) -> None:
        """Describe it; nothing runs yet."""
        self.directory = directory
        self.names = Names(prefix)
        self.topics = Topics(bootstrap)
        self.ports = dict(zip(("derive", "deliver"), free_ports(2), strict=True))
        self.urls: dict[str, str] = {}
        self.command_lines: dict[str, bytes] = {}
        self.vendor = QuotingVendor()
        self._kafka = KafkaSettings(bootstrap=bootstrap)
        self._prefix = prefix
        self._registry = RegistryServer(login=(USER, SECRETS["registry's password"]))
        self._children: list[Child] = []
        self._stack = ExitStack()

    @override
    def __enter__(self) -> Self:
        self._stack.enter_context(self._registry)
        self._stack.enter_context(self.vendor)
        started = {name: self.start(name, "simulate", name, "--port", "0") for name in VENDORS}
        self.urls = {name: each.line("http", PATIENCE) for name, each in started.items()}
        for name, url in self.urls.items():
            self._control(url, "switches", KEYS[name])
            self._control(url, "faults", FAULTS[name])
        (self.directory / "streams.toml").write_text(self._settings(), encoding="utf-8")
        self.run("topics", "create")
        self.run("schemas", "register", STREAMS_REGISTRY__PASSWORD="not this one")
        self.run("schemas", "register")
        return self

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stop(self._children)
        self._stack.close()

    def work(self) -> None:
        """Let the day happen: workers wait for the registry, webhooks come, everything ends."""
        self._registry.switch_off()
        derive, deliver = (str(port) for port in self.ports.values())
        self.start("derive", "worker", "derive", "--port", derive, STREAMS_TEST_BUGS="derive")
        bugs = {"STREAMS_TEST_BUGS": "renderer,answer"}
        self.start("deliver", "worker", "deliver", "--all", "--port", deliver, **bugs)
        self._locked_out()
        self._registry.switch_on()
        self._poison()
        for source, lines in (("ordergroove", webhooks()), ("okendo", loyalty_webhooks())):
            child = self.start(f"produce-{source}", "produce", source, "-")
            with child.stdin as pipe:
                pipe.write(b"\n".join(lines))
            child.wait(PATIENCE)

    def until_at_work(self) -> None:
        """Wait until the deliver worker has begun."""
        self._until(lambda: "deliver /metrics" in self.pages(), "the workers answer")

    def until_over(self) -> None:
        """Wait until everything is derived, and delivered by those that may."""
        for derived in map(self.names.derived, SOURCES):
            self._until(lambda d=derived: self._derived(d), f"{derived.lane} is done")  # type: ignore[misc]
        self._until(self._delivered, "everything is delivered")

    def end(self) -> None:
        """End every process in order, so that each log is whole."""
        for child in self._children:
            with suppress(OSError):
                place = Path(f"/proc/{child.process.pid}/cmdline")
                self.command_lines[child.name] = place.read_bytes()
            if child.process.stdin is not None:
                child.process.stdin.close()
        stop(self._children)

    def start(self, name: str, *arguments: str, **more: str) -> Child:
        """Start a process of the command line; one whose last argument is `-` reads what it gets.

        `more`: variables of its environment.
        """
        stdin = subprocess.PIPE if arguments[-1] == "-" else subprocess.DEVNULL
        child = Child(name, arguments, self.directory, self._environment(more), stdin)
        self._children.append(child)
        return child

    def run(self, *arguments: str, **more: str) -> str:
        """What a command says, on both of its outputs, however it ends."""
        done = subprocess.run(
            [sys.executable, "-m", "streams", *arguments],
            cwd=self.directory,
            env=self._environment(more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=PATIENCE,
        )
        return done.stdout.decode(errors="replace")

    def pages(self) -> dict[str, str]:
        """What the workers' pages say, with the headers of the answers; also of none that exists.

        Those of a worker that does not answer are missing.
        """
        said = {}
        for role, port in self.ports.items():
            for path in ("/metrics", "/livez", "/readyz", "/", "/none"):
                with suppress(httpx2.TransportError):
                    answer = httpx2.get(f"http://127.0.0.1:{port}{path}", timeout=10)
                    said[f"{role} {path}"] = f"{answer.headers!r}\n{answer.text}"
        return said

    def asked(self) -> dict[str, str]:
        """What the vendors saw of each request but its body and its credentials."""
        said = {"quoting": "\n".join(self.vendor.asked)}
        for name, url in self.urls.items():
            answer = httpx2.get(f"{url}/_control/requests", timeout=60).json()
            seen = ("method", "path", "query", "headers")
            told = [json.dumps([each[field] for field in seen]) for each in answer["requests"]]
            said[name] = "\n".join(told)
        return said

    def _until(self, fact: Callable[[], bool], what: str) -> None:
        """Wait until something becomes true, while both workers live."""
        deadline = time.monotonic() + PATIENCE
        while not fact():
            for child in self._children:
                if child.name in self.ports:
                    child.check()
            if time.monotonic() > deadline:
                logs = "\n".join(child.tail(10) for child in self._children)
                raise TimeoutError(f"in vain until {what}:\n{logs}")
            time.sleep(0.1)

    def _derived(self, derived: Derived) -> bool:
        return self.topics.behind(derived.group, derived.topic) == 0

    def _delivered(self) -> bool:
        left: defaultdict[str, float] = defaultdict(float)
        for _, of, value in _LEFT.findall(self.pages().get("deliver /metrics", "")):
            left[of] += float(value)
        return left.keys() >= set(LIVE) and not any(left[name] for name in LIVE)

    def _locked_out(self) -> None:
        """A worker whom the broker does not let in: for as long as the others take to start."""
        properties = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"}
        properties |= {"sasl.username": "worker"}
        told = {"STREAMS_KAFKA__PROPERTIES": json.dumps(properties)}
        self.start("locked-out", "worker", "deliver", "klaviyo", "--port", "0", **told)

    def _poison(self) -> None:
        """Records of which nobody can make anything, full of people."""
        producer = Producer(self._kafka.producer())
        person = json.dumps(list(PERSONAL.values()), ensure_ascii=False).encode()
        for topic in (self.names.events("ordergroove"), *map(self.names.deliveries, VENDORS)):
            for value in (person, b"\x00\x00\x00\x00\x01" + person, b"\x00\x00\x00\x27\x0f"):
                producer.produce(topic, value, key_of(1).encode(), headers={"said": person})
        if producer.flush(PATIENCE):
            raise TimeoutError("the broker did not take the poison")

    def _settings(self) -> str:
        text = SETTINGS.format(
            prefix=self._prefix,
            bootstrap=self._kafka.bootstrap,
            registry=self._registry.url,
            user=USER,
        )
        urls = self.urls | {"revoked": self.urls["klaviyo"], "quoting": self.vendor.url}
        for name, url in urls.items():
            text += CONNECTION.format(
                name=name,
                destination=name if name in VENDORS else "klaviyo",
                url=url + ("/api" if name == "yespo" else ""),
                more=MORE.get(name, ""),
            )
        return text

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        ours = {
            "STREAMS_CONNECTIONS__KLAVIYO__CREDENTIALS": SECRETS["klaviyo's key"],
            "STREAMS_CONNECTIONS__ATTENTIVE__CREDENTIALS": SECRETS["attentive's key"],
            "STREAMS_CONNECTIONS__OMETRIA__CREDENTIALS": SECRETS["ometria's key"],
            "STREAMS_CONNECTIONS__YESPO__CREDENTIALS": SECRETS["yespo's key"],
            "STREAMS_CONNECTIONS__REVOKED__CREDENTIALS": SECRETS["a revoked key"],
            "STREAMS_CONNECTIONS__QUOTING__CREDENTIALS": SECRETS["a key that is quoted back"],
            "STREAMS_HASH_KEY": SECRETS["hash key"],
            "STREAMS_KAFKA__PASSWORD": SECRETS["kafka's password"],
            "STREAMS_KAFKA__PROPERTIES": json.dumps(
                {"ssl.key.password": SECRETS["kafka's property"]}
            ),
            "STREAMS_REGISTRY__PASSWORD": SECRETS["registry's password"],
            "PYTHONPATH": os.pathsep.join([str(BUGS), *filter(None, sys.path)]),
        }
        return {**os.environ, **ours, **more}

    @staticmethod
    def _control(url: str, what: str, value: object) -> None:
        answer = httpx2.put(f"{url}/_control/{what}", json={what: value}, timeout=10)
        answer.raise_for_status()
