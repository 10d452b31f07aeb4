"""The role hydrate: what a record's event lacks is filled in before derive reads it (DESIGN §6).

entities      what is looked at of a record, and kept of its entities
row           the table's row: what a customer's records and the API have shown; its bounds
absorbing     row and record → row
wants         event type → what it should come with; what of that a row knows
filling       record and row → the entities that the record's snapshot lacks
answers       what the API has answered: for a batch, products for longer
asking        the questions of a batch, asked at once; whether an API can be reached at all
preparation   before a batch is computed: its questions (`streams.engine.preparation`)
job           a record: absorbed, filled, passed on
counts        what the role did, and its metrics

All but the last five is pure.
"""

from __future__ import annotations
