"""What every command gets: the settings, read when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import click

from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path


class Context:
    """The settings file that was named, and its settings."""

    def __init__(self, settings_file: Path | None) -> None:
        self._file = settings_file

    @cached_property
    def settings(self) -> Settings:
        """The settings; raises `ConfigurationError`."""
        return load_settings(self._file)


pass_context = click.make_pass_decorator(Context)
