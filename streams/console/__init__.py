"""The web pages: what flows, who got what and why, and what operators decide.

Pages know nothing of settings, Kafka or files: what they show and do they ask of `desks`, which
`streams.cli` implements by the functions of the commands.
"""

from __future__ import annotations
