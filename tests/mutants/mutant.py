"""A mutant: the program with one deliberate fault. A test that stays green under it proves nothing.

Each is a replacement of text that must fit its file exactly once, so that a mutant whose code was
rewritten is noticed and written anew, never silently skipped.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Unfit(Exception):
    """The mutant's text is not, or not only once, in its file: the code has changed."""


class Mutant(NamedTuple):
    """One fault.

    Attributes:
        name: of one or a few words, lower case with dashes.
        breaks: what the fault would do to somebody, in plain words.
        file: where, from the root.
        old: the text that is replaced; once in the file.
        new: what stands there instead.
        tests: pytest's node ids or files that must notice, as few as do.
    """

    name: str
    breaks: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def module(self) -> str:
        """The module that is changed."""
        return self.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    @property
    def needs_broker(self) -> bool:
        """Whether one of its tests runs on a real broker."""
        return any(test.startswith("tests/kafka/") for test in self.tests)

    def applied(self, root: Path = ROOT) -> str:
        """The file's text with the fault; raises `Unfit`."""
        text = (root / self.file).read_text(encoding="utf-8")
        found = text.count(self.old)
        if found != 1 or self.old == self.new:
            raise Unfit(f"{self.name} no longer fits: its text is {found} times in {self.file}")
        return text.replace(self.old, self.new)
