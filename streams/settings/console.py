"""The table `console`: the web pages, and who is let in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path  # noqa: TC003 - pydantic reads these at run time
from typing import Annotated

from pydantic import Field, SecretStr

from .tables import Group
from .values import Duration

Kept = Annotated[Duration, Field(ge=timedelta(days=1))]

Header = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]


class Console(Group):
    """The web pages: `streams console`."""

    host: str = Field(
        "127.0.0.1",
        description="Address that the console listens on; any but this machine's own needs tokens"
        " or a proxy.",
    )
    port: int = Field(6080, ge=0, le=65535, description="Its HTTP port; 0: any free.")
    view_token: SecretStr | None = Field(
        None, description="Whoever has it may look: from the environment or a secret file."
    )
    view_token_file: Path | None = Field(None, description="A file that holds it.")
    operate_token: SecretStr | None = Field(
        None, description="Whoever has it may decide, too: from the environment or a secret file."
    )
    operate_token_file: Path | None = Field(None, description="A file that holds it.")
    proxy_user_header: Header | None = Field(
        None,
        description="Header by which a reverse proxy says who it let in, where nobody else can"
        " reach the console.",
    )
    proxy_role_header: Header | None = Field(
        None, description="Header by which it says `operate`. Without: everybody may only look."
    )
    index: Path | None = Field(
        None,
        description="File of the index. Default: PREFIX-console.sqlite in `derive.state_directory`."
        " It may be deleted at any time, and is filled anew.",
    )
    retention: Kept = Field(
        timedelta(days=30),
        description="How long the index keeps deliveries, outcomes and counts.",
    )
    history: Kept = Field(
        timedelta(days=400),
        description="How long it keeps the sources' records, of which a customer's story is"
        " computed: what is missing of a past is told otherwise.",
    )
