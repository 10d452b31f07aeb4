"""The simulated Ordergroove with a large shop: what it takes, read from end to end."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource
from streams.simulators import Options
from streams.simulators.ordergroove import ordergroove_simulator
from streams.simulators.vendor import Request

vendor = ordergroove_simulator(Options(limits=None, switches={"customers": 73_000})).vendor
headers = {"x-api-key": "any", "x-og-api-version": "2", "host": "api"}
query, found = {"page_size": "100"}, set()
while True:
    request = Request(0.0, "GET", "/subscriptions", query, headers, None, 0)
    page = vendor.answer(request, None).body
    found.update(each["public_id"] for each in page["results"])
    if page["next"] is None:
        break
    cursor = page["next"].partition("cursor=")[2].partition("&")[0].replace("%3D", "=")
    query = {"page_size": "100", "cursor": cursor}
print(len(found), vendor.state()["subscriptions"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.long
def test_a_hundred_thousand_subscriptions() -> None:
    """All are listed, and the process takes less than half a gigabyte."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, check=True
    )

    found, there, mebibytes = map(int, done.stdout.split())
    assert there == found
    assert there >= 100_000
    assert mebibytes < 500
