"""docker-compose.yml without Docker: its services' commands, with their environment, as processes.

Each service has a loopback address of its own instead of a container, so that all of them listen on
the ports that they have there. Names of services become those addresses, the places of settings and
secrets become files of the test; nothing else is changed.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import yaml
from typing_extensions import override

from streams.demo.children import Child, stop
from tests.support.health_pages import page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final = ROOT / "docker-compose.yml"
DOCKERFILE: Final = ROOT / "deploy" / "Dockerfile"
SETTINGS: Final = ROOT / "deploy" / "compose" / "streams.toml"
IMAGE: Final = "ordergroove-streams"
ONCE: Final = ("topics", "schemas")
"""Services that are over before the others begin."""
BY_HAND: Final = ("tools",)
PATIENCE: Final = 180.0
_WRONG_SETTING: Final = 2
_ENDS: Final = 5


class Image(NamedTuple):
    """What the Dockerfile says that every container has."""

    environment: dict[str, str]
    healthcheck: list[str]


def compose() -> dict[str, Any]:
    """docker-compose.yml."""
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return found


def our_services() -> dict[str, dict[str, Any]]:
    """Name → service, of those that run the program."""
    return {name: each for name, each in compose()["services"].items() if each["image"] == IMAGE}


def image() -> Image:
    """The last stage of the Dockerfile."""
    text = DOCKERFILE.read_text().replace("\\\n", " ").rpartition("\nFROM ")[2]
    pairs = [
        word.partition("=")
        for line in re.findall(r"^ENV (.*)$", text, re.MULTILINE)
        for word in shlex.split(line)
    ]
    [check] = re.findall(r"^HEALTHCHECK .*?CMD (\[.*\])$", text, re.MULTILINE)
    return Image({name: value for name, _, value in pairs if name != "PATH"}, json.loads(check))


class Composed(AbstractContextManager["Composed"]):
    """All services of ours, up; leaving it ends them.

    Attributes:
        at: service → its address.
    """

    def __init__(
        self,
        directory: Path,
        texts: Mapping[str, str],
        more: Mapping[str, str],
        leave: Iterable[str] = (),
    ) -> None:
        """Prepare.

        Args:
            directory: for settings and logs.
            texts: what else stands for what, in commands, variables and settings.
            more: variables beside those of the services.
            leave: services that do not run.
        """
        self._directory = directory
        self._texts = texts
        self._more = more
        left = {*leave, *BY_HAND}
        self._services = {n: each for n, each in our_services().items() if n not in left}
        chance = SystemRandom()
        net = f"127.{chance.randrange(64, 250)}.{chance.randrange(250)}"
        names = compose()["services"]
        self.at = {name: f"{net}.{number}" for number, name in enumerate(names, 2)}
        self._image = image()
        self._children: dict[str, Child] = {}
        self._ended: Counter[str] = Counter()

    @override
    def __enter__(self) -> Self:
        try:
            for name in ONCE:
                self._once(name)
            for name in self._services:
                if name not in ONCE:
                    self._children[name] = self._start(name)
            for name in self._children:
                self._until_healthy(name)
        except BaseException:
            stop(list(self._children.values()))
            raise
        return self

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stop(list(self._children.values()))

    @property
    def names(self) -> list[str]:
        """The services that run."""
        return list(self._children)

    def check(self) -> None:
        """Start services again that ended, as `restart` says; raises `ChildFailed` in the end."""
        for name, child in [*self._children.items()]:
            if child.process.poll() is not None:
                self._again(child)
                self._children[name] = self._start(name)

    def environment(self, name: str) -> dict[str, str]:
        """A service's variables, the image's among them."""
        told = self._image.environment | (self._services[name].get("environment") or {})
        return {key: self._here(name, str(value)) for key, value in told.items()}

    def healthy(self, name: str) -> int:
        """The exit status of the image's own health check in the service's place."""
        command = [sys.executable, *self._image.healthcheck[1:]]
        told = os.environ | self.environment(name)
        return subprocess.run(command, env=told, check=False, capture_output=True).returncode

    def _once(self, name: str) -> None:
        """Run a service to its good end."""
        child = self._start(name)
        while child.process.wait(PATIENCE):
            self._again(child)
            child = self._start(name)

    def _again(self, child: Child) -> None:
        """Count an end; raises `ChildFailed` for a wrong setting, or once there were too many."""
        assert self._services[child.name]["restart"] != "no"
        self._ended[child.name] += 1
        if child.process.returncode == _WRONG_SETTING or self._ended[child.name] > _ENDS:
            child.check()

    def _start(self, name: str) -> Child:
        place = self._directory / name
        place.mkdir(exist_ok=True)
        (place / "streams.toml").write_text(self._here(name, SETTINGS.read_text()))
        command = [self._here(name, str(word)) for word in self._services[name]["command"]]
        return Child(name, command, place, self.environment(name) | dict(self._more))

    def _until_healthy(self, name: str) -> None:
        url = self.environment(name)["HEALTH_URL"]
        deadline, said = time.monotonic() + PATIENCE, (0, "")
        while (said := page(url))[0] != 200:
            self.check()
            assert time.monotonic() < deadline, f"{name}: {said}\n{self._children[name].tail()}"
            time.sleep(0.1)

    def _here(self, name: str, text: str) -> str:
        """A text of the file, as it is to be said on this machine."""
        text = text.replace("127.0.0.1", self.at[name]).replace("0.0.0.0", self.at[name])  # noqa: S104 - what containers listen on
        for old, new in self._texts.items():
            text = text.replace(old, new)
        text = re.sub(r"//([a-z-]+):", lambda m: f"//{self.at.get(m[1], m[1])}:", text)
        text = text.replace("/etc/streams/", f"{self._directory / name}/")
        return re.sub(r"/run/secrets/([\w-]+)", lambda m: self._secret(name, m[1]), text)

    def _secret(self, name: str, secret: str) -> str:
        """The file of a secret, if the service has been given it."""
        if secret not in self._services[name].get("secrets", ()):
            return str(self._directory / "not-given" / secret)
        return str(COMPOSE.parent / compose()["secrets"][secret]["file"])
