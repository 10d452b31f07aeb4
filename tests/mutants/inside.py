"""Runs tests within a copy of the tree: `python -P -m tests.mutants.inside ANSWER MODULE TESTS…`.

What comes of them is written to ANSWER as JSON. The copy must be what is imported, and the mutant
must be a program: a fault that cannot be imported would turn every test red and prove nothing.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import pytest

import streams


class Witness:
    """Notes how each test ended.

    Attributes:
        module: that is changed.
        passed: node ids of tests that ran and passed.
        failed: of those whose own assertions failed.
        broken: of those that failed before or after, in a fixture, or were skipped.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self.passed: list[str] = []
        self.failed: list[str] = []
        self.broken: list[str] = []

    def pytest_sessionstart(self) -> None:
        """Have properties end at their first failure, which only people want simplified.

        And import what is changed: if that raises, pytest ends with an error of its own.
        """
        from hypothesis import Phase, settings  # noqa: PLC0415 - pytest must load it first

        settings.register_profile("trial", phases=(Phase.explicit, Phase.generate))
        settings.load_profile("trial")
        import_module(self.module)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one phase of one test."""
        if report.when == "call":
            by_outcome = {"passed": self.passed, "failed": self.failed}
            by_outcome.get(report.outcome, self.broken).append(report.nodeid)
        elif report.outcome != "passed":
            self.broken.append(report.nodeid)


def main(answer: str, module: str, *tests: str) -> None:
    """Run the tests and write the answer."""
    here = Path.cwd().resolve()
    assert Path(streams.__file__).resolve().is_relative_to(here), "not the copy is imported"
    witness = Witness(module)
    options = ["-q", "-p", "no:cacheprovider", "--tb=short"]
    code = int(pytest.main([*options, *tests], plugins=[witness]))
    told = {"code": code, "passed": witness.passed, "failed": witness.failed}
    told["broken"] = witness.broken
    Path(answer).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
