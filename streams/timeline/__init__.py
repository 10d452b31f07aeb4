"""A customer's timeline: what came, what was concluded and why, and what became of each delivery.

What came and what became of it is read from the topics; what was concluded is computed anew from
what came, by derive's own pipeline, so that what was withheld is told, too. `story` is pure.
"""

from __future__ import annotations
