"""What is wrong in a form: the functions of the commands name their options, pages have fields."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def fields() -> Iterator[None]:
    """Let what is raised name the field in place of the option: `--new-ids` is New ids."""
    try:
        yield
    except ConfigurationError as error:
        name = error.setting.removeprefix("--").replace("-", " ")
        field = name.capitalize() if error.setting.startswith("--") else name
        raise ConfigurationError(field, error.problem, error.fix) from None
