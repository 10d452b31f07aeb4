"""Faults of the console's index: it doubles, forgets too little, or finds the wrong one."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

INDEX = "tests/unit/test_console_index.py"

INDEXED = (
    Mutant(
        "index-without-positions",
        "A console that was killed shows every delivery twice.",
        "streams/console/index_writing.py",
        "            move_on(file, progress)\n",
        "",
        (f"{INDEX}::test_killed_at_any_step_nothing_is_missing_or_double",),
    ),
    Mutant(
        "erased-in-free-pages",
        "Whom the console's index has erased can still be read in its file.",
        "streams/console/index_file.py",
        '    file.execute("PRAGMA secure_delete=ON")\n    file.execute(f"PRAGMA cache_size',
        '    file.execute("PRAGMA secure_delete=OFF")\n    file.execute(f"PRAGMA cache_size',
        (f"{INDEX}::test_the_erased_are_gone_from_the_files_bytes",),
    ),
    Mutant(
        "erased-in-the-log",
        "Whom the console's index has erased can still be read in the file beside it.",
        "streams/console/index_writing.py",
        '        self._at("committed")\n        self._erased |= found.erased\n'
        "        self._settled = self._settled and not found.erased\n        self.settle()\n",
        '        self._at("committed")\n        self._erased |= found.erased\n',
        (f"{INDEX}::test_the_erased_are_gone_from_the_files_bytes",),
    ),
    Mutant(
        "index-of-another-topic",
        "After a topic was made anew, the console mixes its records with the former one's.",
        "streams/console/index_writing.py",
        "            self.empty()\n        with",
        "            pass\n        with",
        (f"{INDEX}::test_a_topic_made_anew_empties_it",),
    ),
    Mutant(
        "address-of-last-year",
        "Somebody is found by an address that is somebody else's by now.",
        "streams/console/index_writing.py",
        'WHERE customer = ? AND source = ?", (*row, source))\n',
        'WHERE customer = ? AND source = ? AND at < 0", (*row, source))\n',
        (f"{INDEX}::test_an_address_that_a_row_lost_finds_nobody",),
    ),
    Mutant(
        "number-of-somebody-gone",
        "Whoever comes back after their records were over stands on another customer's page.",
        "streams/console/index_tidying.py",
        "            self._writer.forget_numbers()\n",
        "            pass\n",
        (f"{INDEX}::test_who_was_known_once_is_nobody_else_when_they_come_back",),
    ),
)
