"""Settings: `streams.toml`, the environment (`STREAMS_…`, `__` between levels) and secret files.

The environment wins over secret files, those over the file. Made once where a process starts and
handed down; nothing else reads the environment. What is wrong raises `ConfigurationError` with the
setting's name and the way to mend it.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from streams.errors import ConfigurationError

from .connection import Connection
from .console import Console
from .ingest import Ingest
from .okendo import Okendo
from .tables import (
    Breaker,
    Derive,
    Hydrate,
    Kafka,
    Logs,
    Ordergroove,
    Registry,
    Rekey,
    Topics,
    Web,
    Worker,
)
from .values import Name

__all__ = [
    "Connection",
    "Console",
    "Derive",
    "Logs",
    "Okendo",
    "Registry",
    "Settings",
    "load_settings",
]

ENVIRONMENT = "STREAMS_"
NOT_SETTINGS = frozenset({"SETTINGS", "SECRETS_DIR", "REHEARSE", "REQUIRE_ALL"})
"""Variables with our prefix that are no settings; so is everything that begins with TEST_."""


_PRIVATE = (
    (("connections",), "credentials", "a private key"),
    (("ordergroove", "api"), "key", "an API key"),
)
"""Tables by name, what must not stand in them, and what that is."""

_TOKENS = ("view_token", "operate_token")
"""What must not stand in the table `console`."""


class Settings(BaseSettings):
    """Everything that an operator may choose."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    prefix: Name = Field("og", description="First part of every topic's and group's name.")
    kafka: Kafka = Field(default_factory=Kafka)
    topics: Topics = Field(default_factory=Topics)
    ordergroove: Ordergroove = Field(default_factory=Ordergroove)
    okendo: Okendo | None = Field(None, description="Okendo Loyalty, where it is a source too.")
    derive: Derive = Field(default_factory=Derive)
    rekey: Rekey = Field(default_factory=Rekey)
    hydrate: Hydrate = Field(default_factory=Hydrate)
    connections: dict[Name, Connection] = Field(default_factory=dict)
    ingest: Ingest = Field(default_factory=Ingest)
    registry: Registry = Field(default_factory=Registry)
    breaker: Breaker = Field(default_factory=Breaker)
    logs: Logs = Field(default_factory=Logs)
    web: Web = Field(default_factory=Web)
    console: Console = Field(default_factory=Console)
    worker: Worker = Field(default_factory=Worker)
    hash_key: SecretStr = Field(
        SecretStr("streams"),
        description="Key of the hashes that outcomes keep of what was sent: make it your own.",
    )

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment, then secret files, then the settings file."""
        del init_settings, dotenv_settings
        file = TomlConfigSettingsSource(settings_cls, toml_file=_file())
        _no_keys_in(file.toml_data)
        directory = os.environ.get(f"{ENVIRONMENT}SECRETS_DIR")
        if not directory:
            return env_settings, file
        secrets = NestedSecretsSettingsSource(
            file_secret_settings,
            secrets_dir=directory,
            secrets_dir_missing="error",
            env_prefix=ENVIRONMENT,
            secrets_nested_delimiter="__",
        )
        return env_settings, secrets, file


_chosen: list[Path] = []


def _file() -> Path:
    return _chosen[-1]


def load_settings(file: Path | None = None) -> Settings:
    """The settings of this process; raises `ConfigurationError`."""
    named = file or (Path(given) if (given := os.environ.get(f"{ENVIRONMENT}SETTINGS")) else None)
    if named is not None and not named.is_file():
        raise ConfigurationError("settings file", "there is no such file", f"Create {named.name}")
    _no_unknown_variables()
    _chosen.append(named or Path("streams.toml"))
    try:
        return Settings()
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError("settings file", "not TOML", f"Mend it: {error}") from None
    except (UnicodeDecodeError, OSError) as error:
        problem = f"not readable ({type(error).__name__})"
        raise ConfigurationError("settings file", problem, "Make it a UTF-8 text") from None
    except SettingsError as error:
        raise ConfigurationError("environment", "not readable", f"Mend it: {error}") from None
    except ValidationError as error:
        raise _explained(error) from None
    finally:
        _chosen.pop()


def _no_keys_in(told: Any) -> None:
    """A settings file is copied, mailed and committed; a vendor's private key must not be in it."""
    console = told.get("console") if isinstance(told, dict) else None
    for key in _TOKENS:
        if isinstance(console, dict) and key in console:
            raise _private("console", key, "a token")
    for path, key, what in _PRIVATE:
        tables = told
        for part in path:
            tables = tables.get(part) if isinstance(tables, dict) else None
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if isinstance(table, dict) and key in table:
                raise _private(".".join((*path, str(name))), key, what)


def _private(table: str, key: str, what: str) -> ConfigurationError:
    setting = f"{table}.{key}"
    variable = ENVIRONMENT + setting.replace(".", "__").upper()
    return ConfigurationError(
        setting,
        f"{what} does not belong into a settings file",
        f"Set {variable}, or {setting}_file to a file that holds it",
    )


def _no_unknown_variables() -> None:
    """A variable that sets nothing is a typing error that nobody would notice."""
    known = {name.upper() for name in Settings.model_fields} | NOT_SETTINGS
    for variable in sorted(os.environ):
        if not variable.startswith(ENVIRONMENT) or variable.startswith(f"{ENVIRONMENT}TEST_"):
            continue
        first = variable.removeprefix(ENVIRONMENT).split("__")[0]
        if first not in known:
            near = difflib.get_close_matches(first, known, 1)
            hint = f"Did you mean {ENVIRONMENT}{near[0]}?" if near else "Unset it"
            raise ConfigurationError(variable, "no such setting", hint)


def _explained(error: ValidationError) -> ConfigurationError:
    """The first thing that is wrong, with its name and the way to mend it; never its value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    path = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        known = list(_walk(path[:-1])[0].model_fields)
        near = difflib.get_close_matches(path[-1], known, 1)
        hint = f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(sorted(known))}"
        return ConfigurationError(".".join(path), "no such setting", hint)
    problem = first["msg"].removeprefix("Value error, ")
    if path[-1] == "[key]":
        return ConfigurationError(".".join(path[:-1]), problem, "Give it another name")
    path = path[: _walk(path)[1]]  # which of several types did not fit is pydantic's business
    variable = ENVIRONMENT + "__".join(path).upper()
    return ConfigurationError(".".join(path), problem, f"Set it in {_file().name} or as {variable}")


def _walk(path: list[str]) -> tuple[type[BaseModel], int]:
    """The innermost table of settings on a path, and how many parts of it name a setting."""
    table: type[BaseModel] = Settings
    parts = iter(enumerate(path, 1))
    for depth, part in parts:
        annotation = table.model_fields[part].annotation if part in table.model_fields else None
        inner = [each for each in (annotation, *get_args(annotation)) if _is_table(each)]
        if not inner:
            return table, depth
        table = inner[0]
        if get_origin(annotation) is dict:
            next(parts, None)  # the name that somebody gave it
    return table, len(path)


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
