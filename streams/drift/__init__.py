"""What vendors would lose if a source's records told less: found by experiment, not by a list.

Full sample records go through the real pipeline and every destination's renderer, once as they are
and once without the fields in question; what the rendered bodies lack then is the loss. So whatever
an event, a field or a destination comes to be, it is covered as soon as it exists.

fields    the source's fields by their places, and records without some of them
samples   stories that bring every event type, with every field filled
bodies    stories → what the vendors would be sent
losses    the experiment
supply    which fields a writer's schema or a mapping still tells
"""

from __future__ import annotations

from .losses import Effect, Loss, losses
from .supply import Supply, by_mapping, by_schema, whole

__all__ = ["Effect", "Loss", "Supply", "by_mapping", "by_schema", "losses", "whole"]
