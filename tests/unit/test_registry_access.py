"""How a registry lets us in, over real HTTP: passwords, certificates, what is wrong with them."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from streams.errors import ConfigurationError
from streams.registry import Address, RegistryAway, RegistryClient
from tests.support.delivery_tls import CERTIFICATE, KEY
from tests.support.registry import OURS, client_of
from tests.support.registry_server import RegistryServer

if TYPE_CHECKING:
    from pathlib import Path

SUBJECT = "og.outcomes-value"
TEXT = OURS.texts["outcome"]
PASSWORD = "pw_81c2f0aa"


@pytest.fixture
def pems(tmp_path: Path) -> dict[str, Path]:
    """The certificate that is trusted, the same as a client's own, and its key."""
    files = {"ca_file": CERTIFICATE, "certificate_file": CERTIFICATE, "key_file": KEY}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return {name: tmp_path / name for name in files}


def over_tls(pems: dict[str, Path], *, mutual: bool = False) -> RegistryServer:
    """A registry that shows the certificate; `mutual`: it wants to see it too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pems["certificate_file"], pems["key_file"])
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(pems["ca_file"])
    return RegistryServer(tls=context)


@pytest.mark.parametrize(
    ("login", "password", "refusal"),
    [
        pytest.param("derive", PASSWORD, None, id="good"),
        pytest.param("derive", "another", "HTTP 401", id="a wrong password"),
        pytest.param(None, "", "HTTP 401", id="none"),
        pytest.param("derive", "with:colon%and ü", None, id="signs"),
    ],
)
def test_a_password_lets_in(login: str | None, password: str, refusal: str | None) -> None:
    """Basic authentication; who is refused waits, and nothing is taken for unknown."""
    wanted = password if refusal is None else PASSWORD
    with RegistryServer(login=("derive", wanted)) as server:
        number = server.register(SUBJECT, TEXT)
        client = RegistryClient(Address(url=server.url, username=login, password=password))
        if refusal is None:
            assert client.schema(number) is not None
        else:
            with pytest.raises(RegistryAway, match=refusal):
                client.schema(number)


def test_tls_by_a_named_authority(pems: dict[str, Path]) -> None:
    """A certificate is trusted by the file that is named, and by no other."""
    with over_tls(pems) as server:
        number = server.register(SUBJECT, TEXT)
        trusting = RegistryClient(Address(url=server.url, ca_file=pems["ca_file"]))
        found = trusting.schema(number)
        with pytest.raises(RegistryAway, match="TLS: self-signed certificate"):
            client_of(server).schema(number)

    assert found is not None


def test_tls_with_a_certificate_of_our_own(pems: dict[str, Path]) -> None:
    """A registry that asks for our certificate gets it."""
    with over_tls(pems, mutual=True) as server:
        number = server.register(SUBJECT, TEXT)
        known = RegistryClient(
            Address(
                url=server.url,
                ca_file=pems["ca_file"],
                certificate_file=pems["certificate_file"],
                key_file=pems["key_file"],
            )
        )
        found = known.schema(number)
        with pytest.raises(RegistryAway):
            RegistryClient(Address(url=server.url, ca_file=pems["ca_file"])).schema(number)

    assert found is not None


def test_a_file_that_is_no_certificate_is_a_wrong_setting(tmp_path: Path) -> None:
    """It is said before anything starts, and the address is not quoted."""
    wrong = tmp_path / "ca.pem"
    wrong.write_text("nothing of the kind")
    address = Address(url=f"https://derive:{PASSWORD}@localhost", ca_file=wrong)

    with pytest.raises(ConfigurationError, match=r"registry.ca_file") as given:
        RegistryClient(address)
    assert PASSWORD not in str(given.value)


def test_an_address_that_is_none_is_a_wrong_setting() -> None:
    """The client's own words would quote the password in it."""
    with pytest.raises(ConfigurationError, match=r"registry.url") as given:
        RegistryClient(Address(url=f"ftp://derive:{PASSWORD}@localhost"))
    assert PASSWORD not in str(given.value)


def test_an_address_shows_no_secret() -> None:
    """Neither the password nor an address that may hold one."""
    address = Address(url=f"http://u:{PASSWORD}@localhost", username="u", password=PASSWORD)

    assert PASSWORD not in repr(address)
