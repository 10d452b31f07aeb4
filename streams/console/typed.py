"""The rule by which a number is confirmed: it is typed, or nothing happens. Pure.

A number that was read is a plan that was read: a click is made by the hand alone.
"""

from __future__ import annotations


def is_typed(number: int, typed: str) -> bool:
    """Whether somebody has typed the number; commas within it do no harm."""
    return typed.strip().replace(",", "") == str(number)
