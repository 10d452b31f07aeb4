"""From a connection's settings to what delivers: each vendor's own, and what is wrong by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.cli.composition import connection_of, routes_of
from streams.errors import ConfigurationError
from streams.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from streams.delivery.connection import Connection


def connection(tmp_path: Path, name: str, text: str = "") -> Connection:
    """The connection of a settings file."""
    file = tmp_path / "streams.toml"
    file.write_text(f"[connections.{name}]\n{text}")
    return connection_of(name, load_settings(file).connections[name])


@pytest.mark.parametrize(
    ("name", "text", "seconds"),
    [
        ("ometria", "", 3_600),
        ("ometria", 'sync_profiles_every = "0s"', 0),
        ("ometria", 'sync_profiles_every = "5m"', 300),
        ("klaviyo", "", 0),
        ("klaviyo", 'sync_profiles_every = "1h"', 3_600),
    ],
)
def test_profiles_go_as_the_page_promises(
    tmp_path: Path, name: str, text: str, seconds: float
) -> None:
    """Ometria's every hour, the others' with their events, unless the connection says otherwise."""
    assert seconds == connection(tmp_path, name, text).sync_profiles_every


def test_a_vendors_own_options(tmp_path: Path) -> None:
    """They reach the renderer."""
    options = connection(
        tmp_path,
        "ometria",
        'collection = "og"\ntotal_value_unit = "minor"\ncontact_fields = { status = "s" }\n'
        'order_statuses = { "order.success" = "DELIVERED" }',
    ).options

    assert ("og", "minor", {"status": "s"}, {"order.success": "DELIVERED"}) == (
        options.collection, options.money_unit, options.contact_fields, options.order_statuses
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "setting"),
    [
        (
            "yespo",
            'contact_fields = { status = "status" }',
            "connections.yespo.contact_fields.status",
        ),
        ("yespo", 'contact_fields = { tier = "5" }', "connections.yespo.contact_fields"),
        (
            "yespo",
            'order_statuses = { "order.success" = "PAID" }',
            "connections.yespo.order_statuses",
        ),
        ("ometria", 'total_value_unit = "cents"', "connections.ometria.total_value_unit"),
        ("ometria", 'sync_profiles_every = "-1s"', "connections.ometria.sync_profiles_every"),
        ("omettria", "", "connections.omettria.destination"),
    ],
)
def test_what_is_wrong_names_the_setting(
    tmp_path: Path, name: str, text: str, setting: str
) -> None:
    """Before anything starts."""
    with pytest.raises(ConfigurationError) as wrong:
        connection(tmp_path, name, text)

    assert str(wrong.value).startswith(setting)


def test_every_destination_has_a_route(tmp_path: Path) -> None:
    """By its name alone; what it takes is its own."""
    file = tmp_path / "streams.toml"
    file.write_text("[connections.ometria]\n[connections.yespo]\n")
    routes = {each.connection: each.takes for each in routes_of(load_settings(file))}

    assert {"order.reminder", "subscription.create", "subscription.cancel"} == routes["ometria"]
    assert "order.success" in routes["yespo"]
