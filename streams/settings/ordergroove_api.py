"""`[ordergroove.api.MERCHANT]`: how a merchant's Ordergroove account is asked (REST)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path  # noqa: TC003 - pydantic reads these at run time
from typing import Annotated

from pydantic import Field, SecretStr

from .mapping import Group
from .values import Duration  # noqa: TC001 - as above

Merchant = Annotated[str, Field(pattern=r"^[^:/\s]+$")]
"""A merchant's public id."""


class Api(Group):
    """Ordergroove's REST API, for one merchant."""

    url: str = Field("https://restapi.ordergroove.com", description="Where the API is.")
    key: SecretStr | None = Field(
        None,
        description="The API key, with Bulk Operations: from the environment or a secret file, not"
        " this file.",
    )
    key_file: Path | None = Field(
        None, description="A file that holds the key; read again when it changes."
    )
    requests_per_minute: int = Field(
        6_000,
        ge=1,
        description="Requests a minute at most, of this process and for all merchants at one"
        " address together: Ordergroove counts them by IP address.",
    )
    timeout: Annotated[Duration, Field(gt=timedelta(0))] = Field(
        timedelta(seconds=3),
        description="How long an answer may take; after each one that took longer twice that, up"
        " to ten times.",
    )
