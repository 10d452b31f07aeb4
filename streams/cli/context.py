"""What every command gets: the settings, read when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from streams.settings import Settings


class Context:
    """The settings file that was named, and its settings."""

    def __init__(self, settings_file: Path | None) -> None:
        self._file = settings_file

    @cached_property
    def settings(self) -> Settings:
        """The settings; raises `ConfigurationError`."""
        from streams.settings import load_settings  # noqa: PLC0415 - slow; --help and Tab need none

        return load_settings(self._file)


pass_context = click.make_pass_decorator(Context)
