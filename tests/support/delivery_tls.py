"""A certificate for `localhost` that nobody trusts, and its key, both invented for tests."""

from __future__ import annotations

import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgabUS26Y3l3d1LenB
ybrk3GhohuCekIA2ieM/kqKSBMahRANCAAS1f3zwsizUmOaXgR4514ovsMKPKbQr
nS2DX7W1tvudEcVb5L7LWAuXcjrW7jlSR9HFoCyJ9nAkryruGox7BmbU
-----END PRIVATE KEY-----
"""

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIURBSAFRTRlZy79n5uUA4F1SkR+nowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA5NDUyMVoYDzIxMjYxMDI4
MDk0NTIxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAS1f3zwsizUmOaXgR4514ovsMKPKbQrnS2DX7W1tvudEcVb5L7LWAuX
cjrW7jlSR9HFoCyJ9nAkryruGox7BmbUo28wbTAdBgNVHQ4EFgQUhvw3g/Gk/tMO
E+9rPpzu6EyugsswHwYDVR0jBBgwFoAUhvw3g/Gk/tMOE+9rPpzu6EyugsswDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAP8kV7cmiXH9ZSrZvmR9CeGLvRu7bfcUWByWviU4JTjZAiEA
/2NMTanxQiqTqWPXPNKEc/FtT7IhnntPpZCNjcQ/f9I=
-----END CERTIFICATE-----
"""


def server_context() -> ssl.SSLContext:
    """For a server that shows the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as directory:
        chain = Path(directory) / "chain.pem"
        chain.write_text(KEY + CERTIFICATE)
        context.load_cert_chain(chain)
    return context


def trusting_context() -> ssl.SSLContext:
    """For a client that trusts it, and nothing else."""
    return ssl.create_default_context(cadata=CERTIFICATE)
