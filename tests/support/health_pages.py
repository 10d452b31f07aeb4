"""A worker's pages, as a probe asks for them."""

from __future__ import annotations

import urllib.error
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING

from streams.demo.observation import Metrics
from tests.support.engine_world import until

if TYPE_CHECKING:
    from streams.demo.children import Child


def page(address: str, seconds: float = 2.0) -> tuple[int, str]:
    """Return a page's status and text; (0, "") when nobody answers in so many seconds."""
    try:
        with urllib.request.urlopen(address, timeout=seconds) as answer:  # noqa: S310 - our own worker
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def until_ready(child: Child, port: int) -> None:
    """Wait until a worker is a member with its state restored; raises when it ended."""
    with closing(Metrics(f"http://127.0.0.1:{port}")) as metrics:

        def is_ready() -> bool:
            child.check()
            return metrics.ready()

        until(is_ready, f"{child.name} is ready")
