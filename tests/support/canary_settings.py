"""The canary day's settings file, and what its vendors accept and do wrong."""

from __future__ import annotations

from typing import Any

from tests.support.canary_people import SECRETS

SETTINGS = """\
prefix = "{prefix}"
[kafka]
bootstrap = "{bootstrap}"
[topics]
partitions = 3
replication = 1
[derive]
history = "complete"
flows_from = "beginning"
[breaker]
at_least = 100000
[okendo]
tiers = ["Silver", "Gold"]
[registry]
url = "{registry}"
username = "{user}"
patience = "1s"
"""
CONNECTION = """
[connections.{name}]
destination = "{destination}"
mode = "live"
start = "beginning"
url = "{url}"
limits = "off"
{more}
"""
MORE = {
    "ometria": 'sync_profiles_every = "0s"',
    "yespo": 'contact_fields = { status = "51001" }',
}
KEYS: dict[str, dict[str, Any]] = {
    "klaviyo": {"keys": {SECRETS["klaviyo's key"]: {}}},
    "attentive": {"tokens": {SECRETS["attentive's key"]: {}}},
    "ometria": {"keys": {SECRETS["ometria's key"]: {}}},
    "yespo": {"keys": {SECRETS["yespo's key"]: {}}, "repeats": "off"},
}
FAULTS: dict[str, list[dict[str, Any]]] = {
    "klaviyo": [
        {"kind": "status", "status": 500, "count": 4},
        {"kind": "reset", "after": 10, "count": 3},
        {"kind": "accept_then_reset", "after": 20, "count": 3},
        {"kind": "timeout", "seconds": 0.2, "after": 30, "count": 3},
        {"kind": "status", "status": 400, "after": 40, "count": 3},
    ],
    "attentive": [
        {"kind": "status", "status": 400, "after": 10, "count": 3},
        {"kind": "status", "status": 429, "retry_after": 1, "after": 20, "count": 2},
    ],
    "ometria": [
        {"kind": "status", "status": 400, "count": 2},
        {"kind": "status", "status": 503, "after": 5, "count": 2},
    ],
    "yespo": [
        {"kind": "status", "status": 500, "count": 2},
        {"kind": "fail_rows", "after": 3, "count": 3},
        {"kind": "status", "status": 400, "after": 10, "count": 1},
    ],
}
