"""A shop that was synced and derived, and is then changed at Ordergroove without any webhook."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from streams.control.standing import beyond, lag_of
from streams.demo.children import Child, stop
from streams.engine.kafka import KafkaSettings
from tests.support.sync_world import KEY, MERCHANT, PATIENCE, SyncWorld

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Field = tuple[str, str]
"""A customer's key, and a field that differs."""

Truth = dict[str, dict[str, Any]]
"""Customer → how they stand, by the fields that are compared."""

PERSON = ("email", "first_name", "last_name")


class SourceWorld(SyncWorld):
    """Beside the simulator: a derive worker, and the command that compares."""

    def __init__(self, directory: Path, bootstrap: str, prefix: str, customers: int) -> None:
        super().__init__(directory, bootstrap, prefix, customers=customers)
        self._kafka = KafkaSettings(bootstrap=bootstrap)
        self._worker: Child | None = None
        self._runs = 0

    def derive(self) -> None:
        """Start a derive worker."""
        arguments = ("worker", "derive", "--port", "0")
        self._worker = Child("derive", arguments, self.directory, {})

    def until_derived(self) -> None:
        """Wait until every record of the source topic is in the rows."""
        group, ends = self.names.derive_group, time.monotonic() + 4 * PATIENCE
        while time.monotonic() < ends:
            stretch = beyond(self._kafka, group, self.topic)
            if stretch is not None and lag_of(self._kafka, stretch).records == 0:
                return
            time.sleep(0.2)
        raise TimeoutError("derive does not keep up")

    def reconcile(self, *options: str) -> tuple[int, list[Mapping[str, Any]], str]:
        """Compare everything: exit status, each field that differs, and what was said."""
        self._runs += 1
        report = self.directory / f"drift-{self._runs}.jsonl"
        arguments = ("reconcile", "--against", "ordergroove", "--all", "--unmasked")
        key = {f"STREAMS_ORDERGROOVE__API__{MERCHANT.upper()}__KEY": KEY}
        name = f"reconcile-{self._runs}"
        child = Child(name, (*arguments, "--report", str(report), *options), self.directory, key)
        code = child.process.wait(4 * PATIENCE)
        lines = report.read_text().splitlines() if report.exists() else []
        return code, [json.loads(line) for line in lines], child.tail(200)

    def standing(self) -> Truth:
        """How every customer stands at Ordergroove, counted by itself."""
        held: defaultdict[str, list[bool]] = defaultdict(list)
        for each in self.entities("subscriptions"):
            held[each["customer"]].append(each["live"])
        found: Truth = {}
        for each in self.entities("customers"):
            id_ = each["merchant_user_id"]
            lives = held[id_]
            found[id_] = {name: each[name] for name in PERSON} | {
                "status": None if not lives else "active" if any(lives) else "inactive",
                "active_subscriptions": sum(lives),
                "total_subscriptions": len(lives),
            }
        return found

    def change(self, count: int) -> list[str]:
        """Change so many customers in turn in every way; those who are gone now."""
        held: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for each in self.entities("subscriptions"):
            held[each["customer"]].append(each)
        people = [each for each in self.entities("customers") if held[each["merchant_user_id"]]]
        gone = []
        for number, person in enumerate(people[:count]):
            id_ = person["merchant_user_id"]
            way = number % 5
            if way == 0:
                told = held[id_][0]
                self.put(
                    "subscriptions", {"public_id": told["public_id"], "live": not told["live"]}
                )
            elif way == 1:
                self.put("customers", {"merchant_user_id": id_, "email": f"n{number}@shop-demo.io"})
            elif way == 2:
                new = {**held[id_][0], "public_id": f"{number:032x}", "live": True}
                self.put("subscriptions", _without_times(new))
            elif way == 3:
                self.put("customers", {"merchant_user_id": id_, "first_name": "Somebody"})
            else:
                self._remove("customers", id_)
                for each in held[id_]:
                    self._remove("subscriptions", each["public_id"])
                gone.append(id_)
        return gone

    def _remove(self, kind: str, id_: str) -> None:
        self.control.delete(f"/_control/entities/{kind}/{id_}").raise_for_status()

    @override
    def close(self) -> None:
        """End worker and simulator."""
        if self._worker is not None:
            stop([self._worker])
        super().close()


def key(customer: str) -> str:
    """A customer's key."""
    return f"{MERCHANT}:{customer}"


def expected(before: Truth, after: Truth) -> list[Field]:
    """What should be found: each field whose truth is another one now."""
    found = []
    for customer, was in before.items():
        now = after.get(customer)
        fields = ["person"] if now is None else [name for name in was if was[name] != now[name]]
        found += [(key(customer), name) for name in fields]
    return sorted(found)


def fields_of(found: Iterable[Mapping[str, Any]]) -> list[Field]:
    """What a report says differs."""
    return sorted((each["customer"], each["field"]) for each in found)


def _without_times(entity: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entity.items() if name not in {"created", "updated"}}
