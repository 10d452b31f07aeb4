"""The drift alarm: what destinations would lose by a new writer's schema, or a new mapping."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from streams.avro import compiled
from streams.cli import commands
from streams.cli.mapping import mapping_of
from streams.destinations import DESTINATIONS
from streams.drift import Effect, by_mapping, by_schema, losses, whole
from streams.drift.bodies import Rehearsal
from streams.drift.fields import Without, fields
from streams.drift.samples import OF_THE_DEAD, stories
from streams.errors import ConfigurationError
from streams.model.delivery import Part, Request
from streams.sources.ordergroove import OBJECT_OF
from tests.support.foreign import SCHEMA, SETTINGS, changed, settings_of
from tests.support.registry import OURS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[dict[str, Any]], object]

MAPPED = by_mapping(mapping_of(settings_of()))
PROPERTIES = "data.attributes.properties"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings file and no variables of ours."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("STREAMS_"):
            monkeypatch.delenv(name)


def records(document: Any, name: str) -> list[dict[str, Any]]:
    """The record of a name, wherever a schema declares it."""
    inside = document.values() if isinstance(document, dict) else document
    found = [] if isinstance(document, str) else [r for each in inside for r in _in(each, name)]
    return [document, *found] if isinstance(document, dict) and _is(document, name) else found


def _in(document: Any, name: str) -> list[dict[str, Any]]:
    return records(document, name) if isinstance(document, dict | list) else []


def _is(document: dict[str, Any], name: str) -> bool:
    return document.get("type") == "record" and document["name"] == name


def dropped(*names: str) -> dict[str, Any]:
    """Our schema as a writer's that has some fields no more: `Subscription.price`."""
    document: dict[str, Any] = json.loads(OURS.texts["sources/ordergroove"])
    for name in names:
        record, _, field = name.partition(".")
        [found] = records(document, record)
        found["fields"] = [each for each in found["fields"] if each["name"] != field]
    return document


def retyped(record: str, field: str, kind: Any) -> dict[str, Any]:
    """Our schema as a writer's that has another type for a field."""
    document: dict[str, Any] = json.loads(OURS.texts["sources/ordergroove"])
    [found] = records(document, record)
    next(each for each in found["fields"] if each["name"] == field)["type"] = kind
    return document


def of(effects: tuple[Effect, ...], destination: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Kind, event type and fields of a destination's effects."""
    return [each[:1] + each[2:] for each in effects if each.destination == destination]


def test_samples_bring_every_event_to_every_destination() -> None:
    """Whatever is taken of this source is sent by some story, also what is concluded."""
    rehearsal = Rehearsal()
    told = {leaf[:2] for story in stories().values() for leaf in rehearsal.bodies(story)}
    wanted = {
        (name, each)
        for name, destination in DESTINATIONS.items()
        for each in destination.takes & OBJECT_OF.keys()
    }

    assert wanted <= told


def test_samples_fill_every_field() -> None:
    """Of the record, its object and the entities beside it; some of the dead alone have."""
    filled: dict[str, Any] = {}
    for each in (record for story in stories().values() for record in story):
        name, subject = each["object"]
        kind = name.rpartition(".")[2].lower()
        inside = subject["entitlements"][0] if kind == "entitlements" else subject
        filled |= {f"{kind}.{k}": v for k, v in inside.items() if v is not None}
        filled |= {k: v for k, v in each.items() if v is not None}
        for place, beside in each["snapshot"].items():
            one = beside[0] if isinstance(beside, list) else beside
            filled |= {f"snapshot.{place}.{k}": v for k, v in one.items() if v is not None}
    flat = {place for place, field in fields().items() if field.leaf and place.count(".") < 3}
    nested = {p for p in flat if ".prepaid." in p or ".components." in p}

    assert {f"snapshot.subscriptions.{each}" for each in OF_THE_DEAD} >= flat - nested - set(filled)


def test_a_field_is_taken_out_everywhere() -> None:
    """Of the object if it is of the kind, of each entity beside it; or there is no record."""
    [*_, record] = stories()["subscription.cancel"]
    place = frozenset({"subscription.price", "snapshot.items.price", "order.total"})
    bare = Without(place, mapped=False)(record)

    assert bare is not None
    assert (None, [None]) == (
        bare["object"][1]["price"],
        [each["price"] for each in bare["snapshot"]["items"]],
    )
    assert record["object"][1]["price"] == "24.00"
    assert Without(frozenset({"subscription.live"}), mapped=False)(record) is None
    mapped = Without(frozenset({"subscription.live"}), mapped=True)(record)
    assert mapped is not None
    assert mapped["object"][1]["live"] is False


def test_without_a_change_nothing_is_lost() -> None:
    """The same schema, and one with more in it."""
    more = json.loads(OURS.texts["sources/ordergroove"])
    more["fields"].append({"name": "shelf", "type": "string"})

    assert [] == losses(whole(), by_schema(more))
    assert [] == losses(MAPPED, MAPPED)


def test_a_dropped_field_is_traced_to_what_it_fills() -> None:
    """Destination, event and path in the body; also where a value only becomes another one."""
    [loss] = losses(whole(), by_schema(dropped("Subscription.cancel_reason")))

    assert ("subscription.cancel_reason", "snapshot.subscriptions.cancel_reason") == loss.places
    assert "is not written" == loss.why
    assert [
        (
            "empties",
            "subscription.cancel",
            (f"{PROPERTIES}.cancel_reason", f"{PROPERTIES}.cancel_reason_message"),
        )
    ] == of(loss.effects, "klaviyo")


def test_a_type_that_cannot_be_read_is_a_field_lost() -> None:
    """As Avro resolves: a number where text was."""
    [loss] = losses(whole(), by_schema(retyped("Order", "rejected_message", ["null", "long"])))
    rejected = [each for each in loss.effects if each.event_type == "order.reject"]

    assert "could be long, is null or string" == loss.why
    assert ("order.rejected_message", "snapshot.orders.rejected_message") == loss.places
    assert {"attentive", "klaviyo"} <= {each.destination for each in rejected}
    assert [] == losses(whole(), by_schema(retyped("Order", "tries", "int")))


def test_what_a_record_cannot_do_without_stops_events() -> None:
    """Without its id there is no subscription, so none of its events."""
    [*found] = losses(whole(), by_schema(dropped("Item.public_id")))
    stopped = {(each.destination, each.event_type) for loss in found for each in loss.effects}

    assert {"stops"} <= {each.kind for loss in found for each in loss.effects}
    assert {("attentive", "item.out_of_stock"), ("klaviyo", "item.out_of_stock")} <= stopped


def test_what_makes_up_for_another_is_lost_only_together() -> None:
    """An order's currency is its own, or else its subscriptions'."""
    own, theirs = "Order.currency_code", "Subscription.currency_code"
    field = f"{PROPERTIES}.currency_code"
    alone = losses(whole(), by_schema(dropped(own)))
    found = losses(whole(), by_schema(dropped(own, theirs)))
    together = found[-1]

    assert [] == alone
    assert () == together.places
    assert ("empties", "order.reminder", (field,)) in of(together.effects, "klaviyo")
    assert all(loss.places != ("order.currency_code",) for loss in found)


def test_a_mapping_that_tells_less() -> None:
    """Only what was told before can be lost: this one never told how orders are paid."""
    text = changed('name = "@.about.ware.title"\n', "")
    [loss] = losses(MAPPED, by_mapping(mapping_of(settings_of(text))))

    assert ("snapshot.products.name",) == loss.places
    assert {"klaviyo", "attentive"} <= {each.destination for each in loss.effects}
    assert any(
        "properties.product_name" in each.paths
        for each in loss.effects
        if each.destination == "attentive"
    )


def test_a_table_that_is_gone() -> None:
    """Every event of its kind stops."""
    head, _, rest = SETTINGS.partition("[ordergroove.mapping.order]")
    text = head + rest[rest.index("[ordergroove.mapping.snapshot.customer]") :]
    [loss] = losses(MAPPED, by_mapping(mapping_of(settings_of(text))))

    assert ("order",) == loss.places
    assert {"stops"} == {each.kind for each in loss.effects}
    assert ("stops", "order.reminder", ()) in of(loss.effects, "klaviyo")


def test_an_event_type_that_is_not_mapped_any_more() -> None:
    """Out of the mapping, or out of the writer's enum: its events stop."""
    stopped = 'STOPPED = "subscription.cancel"\n'
    document = json.loads(json.dumps(SCHEMA).replace('"STOPPED"', '"HALTED"'))
    found = {
        "the mapping": by_mapping(mapping_of(settings_of(changed(stopped, "")))),
        "the writer": by_mapping(mapping_of(settings_of()), compiled(document)),
    }
    for after in found.values():
        [loss] = losses(MAPPED, after)

        assert ("type subscription.cancel",) == loss.places
        assert ("stops", "subscription.cancel", ()) in of(loss.effects, "klaviyo")
        assert ("stops", "subscriber.cancel", ()) in of(loss.effects, "klaviyo")


def test_a_mapped_path_that_the_new_writer_lacks() -> None:
    """The entry that finds nothing any more, and why."""
    document = json.loads(json.dumps(SCHEMA).replace('"grounds"', '"motive"'))
    [loss] = losses(MAPPED, by_mapping(mapping_of(settings_of()), compiled(document)))

    assert ("subscription.cancel_reason",) == loss.places
    assert "unmapped path @.about.ended.grounds: the writer's schema has no grounds there" == (
        loss.why
    )


class Postbox:
    """A destination that somebody adds: it wants one field."""

    name = "postbox"
    takes = frozenset({"subscription.sku_swap"})

    def render(self, event: Any, *_: Any) -> list[Part]:
        """The product's code; of a profile alone, nothing."""
        if event.subscription is None:
            return []
        body = {"sku": event.subscription.product.sku}
        return [Part("event", Request("POST", "/", {}, body, "events"))]


def test_a_new_destination_is_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as it is one of the destinations."""
    monkeypatch.setitem(DESTINATIONS, "postbox", Postbox())
    [loss] = losses(whole(), by_schema(dropped("Product.sku")))

    assert [("empties", "subscription.sku_swap", ("sku",))] == of(loss.effects, "postbox")


def run(*arguments: str) -> Result:
    """The command; a wrong setting is raised."""
    result = CliRunner().invoke(commands, ["schemas", "drift", *arguments])
    if isinstance(result.exception, ConfigurationError):
        raise result.exception
    return result


def test_the_command_lists_and_fails(tmp_path: Path) -> None:
    """A line a field with the counts, then the events with their fields; exit 1."""
    file = tmp_path / "next.avsc"
    file.write_text(json.dumps(dropped("Subscription.cancel_reason")))
    result = run("--writer", str(file))
    headline = result.stdout.splitlines()[0]

    assert 1 == result.exit_code
    assert headline.startswith(
        "dropping subscription.cancel_reason and snapshot.subscriptions.cancel_reason empties "
    )
    assert "1 Klaviyo" in headline
    assert any(
        ["klaviyo", "subscription.cancel", "empties"] == line.split()[:3]
        and f"{PROPERTIES}.cancel_reason" in line
        for line in result.stdout.splitlines()
    )
    assert "1 field of the source would be missed by destinations" in result.stderr


def test_the_command_is_content(tmp_path: Path) -> None:
    """Exit 0 where nothing is lost."""
    file = tmp_path / "same.avsc"
    file.write_text(OURS.texts["sources/ordergroove"])
    result = run("--writer", str(file))

    assert (0, "no field of any destination loses its source\n") == (
        result.exit_code,
        result.stdout,
    )


def test_the_command_compares_with_what_is_configured(tmp_path: Path) -> None:
    """A new mapping with the mapping there is; a new writer by the mapping there is."""
    (tmp_path / "streams.toml").write_text(SETTINGS)
    (tmp_path / "next.toml").write_text(changed('email = "who.reach[way=MAIL].to"\n', ""))
    (tmp_path / "next.avsc").write_text(json.dumps(SCHEMA).replace('"family"', '"surname"'))
    less = run("--mapping", "next.toml")
    other = run("--writer", "next.avsc")

    assert (1, 1) == (less.exit_code, other.exit_code)
    assert less.stdout.startswith("dropping snapshot.customer.email ")
    assert other.stdout.startswith("dropping snapshot.customer.last_name ")
    assert "unmapped path who.called.family" in other.stdout.splitlines()[0]


MISTAKES: dict[str, tuple[tuple[str, ...], str, str]] = {
    "nothing": ((), "", "nothing to compare with"),
    "no such file": (("--writer", "none.avsc"), "", "not readable (No such file or directory)"),
    "no schema": (("--writer", "it"), "{}", "not an Avro schema"),
    "no record": (("--writer", "it"), '"string"', "not the schema of a record"),
    "no settings": (("--mapping", "it"), "a = ", "not TOML"),
    "no mapping": (("--mapping", "it"), "a = 1", "there is no table [ordergroove.mapping]"),
    "a wrong entry": (
        ("--mapping", "it"),
        changed('event_id = "uid"', "event_id = {}"),
        "ordergroove.mapping.event_id: an entry has one of path, const and key",
    ),
    "an unknown field": (
        ("--mapping", "it"),
        changed("cancel_reason =", "cancel_resaon ="),
        "subscription.cancel_resaon: no such name of ours. Did you mean cancel_reason?",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_what_the_command_cannot_use(case: str, tmp_path: Path) -> None:
    """The option, what is wrong and the way to mend it."""
    arguments, text, said = MISTAKES[case]
    (tmp_path / "it").write_text(text)
    with pytest.raises(ConfigurationError) as error:
        run(*arguments)

    assert said in str(error.value)
