"""Which file a secret came from, so that whoever uses it long can look whether it has changed."""

from __future__ import annotations

import os
from pathlib import Path

PREFIX = "STREAMS_"


def secret_file(*setting: str) -> Path | None:
    """The file of `$STREAMS_SECRETS_DIR` that gives a setting; None where there is none.

    Args:
        setting: its path, `("connections", "klaviyo", "credentials")`.
    """
    directory = os.environ.get(f"{PREFIX}SECRETS_DIR")
    if not directory:
        return None
    wanted = _variable(setting).lower()
    files = (each for each in Path(directory).iterdir() if each.name.lower() == wanted)
    return next(files, None)


def set_by_variable(*setting: str) -> bool:
    """Whether the environment gives a setting: it wins, and stays what it is."""
    wanted = _variable(setting)
    return any(name.upper() == wanted for name in os.environ)


def _variable(setting: tuple[str, ...]) -> str:
    return PREFIX + "__".join(setting).upper()
