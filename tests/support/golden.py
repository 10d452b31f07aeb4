"""Goldens: expected values kept as JSON in `tests/golden`, to be read by people.

`UPDATE_GOLDEN=1 ./run test tests/unit/…` writes the files anew, whole; what changed shows in the
diff, which is then held beside the vendor's page.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "golden"
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


def golden(name: str, actual: Any) -> Any:
    """The golden of a name; where goldens are to be updated, `actual` becomes it first."""
    file = FOLDER / f"{name}.json"
    if UPDATE:
        text = json.dumps(actual, indent=2, ensure_ascii=False)
        file.write_text(text + "\n", encoding="utf-8")
    return json.loads(file.read_text(encoding="utf-8"))
