"""Kinds of values: durations with their unit, times with their zone, names."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: Any) -> Any:
    if isinstance(value, str) and (
        found := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", value)
    ):
        return timedelta(seconds=float(found[1]) * UNITS[found[2]])
    if isinstance(value, timedelta):
        return value
    raise ValueError('a duration is a number with its unit: "250ms", "30s", "15m", "1h", "7d"')


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("not an IANA time zone such as America/Chicago") from None
    return value


def _moment(value: Any) -> Any:
    told = value
    if isinstance(value, str):
        try:
            told = datetime.fromisoformat(value)
        except ValueError:
            told = None
    if isinstance(told, datetime) and told.tzinfo is not None:
        return told
    raise ValueError("a time is written with its zone: 2026-10-01T12:00:00Z")


def _customer(value: str) -> str:
    merchant, colon, customer = value.partition(":")
    if not (merchant and colon and customer) or value != value.strip():
        raise ValueError("a customer is written as its key: MERCHANT:CUSTOMER")
    return value


def _flows_from(value: Any) -> Any:
    if value in ("start", "beginning"):
        return value
    try:
        return _moment(value)
    except ValueError as error:
        raise ValueError(f'"start", "beginning" or a time; {error}') from None


def _begin(value: Any) -> Any:
    if value in ("beginning", "end"):
        return value
    try:
        return _moment(value)
    except ValueError as error:
        raise ValueError(f'"beginning", "end" or a time; {error}') from None


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
FlowsFrom = Annotated[Literal["start", "beginning"] | datetime, BeforeValidator(_flows_from)]
Begin = Annotated[Literal["beginning", "end"] | datetime, BeforeValidator(_begin)]
Zone = Annotated[str, AfterValidator(_zone)]
Customer = Annotated[str, AfterValidator(_customer)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Mode = Literal["off", "shadow", "allowlist", "live"]
Start = Literal["end", "beginning"]
