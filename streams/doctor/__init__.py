"""Doctor: what would keep this set-up from working, each finding with its remedy.

Judging is pure and apart from asking: `topics` and `machine` judge what others read.
"""

from __future__ import annotations
