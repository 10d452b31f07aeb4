"""Faults of delivery: at least once, in order, and nothing given up in silence (DESIGN §4)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

HANDLER = "tests/unit/test_delivery_handler.py"
SENDING = "tests/unit/test_delivery_sending.py"
OUTCOMES = "tests/unit/test_delivery_outcomes.py"
PROFILES = "tests/unit/test_delivery_profiles.py"
BREAKER = "tests/unit/test_breaker.py"
WAITING = "tests/unit/test_registry_waiting.py"

DELIVERY = (
    Mutant(
        "outcome-not-awaited",
        "A crash forgets an outcome that the broker never had, and the message goes out again.",
        "streams/delivery/pending.py",
        "        return self.rendered and not self.steps and self.unacknowledged == 0\n",
        "        return self.rendered and not self.steps\n",
        (f"{HANDLER}::test_the_offset_waits_for_the_acknowledgement",),
    ),
    Mutant(
        "offset-passes-the-unfinished",
        "A restart skips a delivery that was waiting for its next attempt.",
        "streams/delivery/ledger.py",
        "        while self._entries and self._entries[0].finished:\n",
        "        while self._entries and (self._entries[0].finished or delivery.finished):\n",
        ("tests/unit/test_delivery_ledger.py::test_the_offset_stops_before_the_first_unfinished",),
    ),
    Mutant(
        "concluded-parts-sent-again",
        "After a restart, customers get again what was delivered before it.",
        "streams/delivery/rendering.py",
        "        left = [(name, part) for name, part in parts if name not in recalled]\n",
        "        left = parts\n",
        (f"{HANDLER}::test_what_an_earlier_run_concluded_is_not_sent",),
    ),
    Mutant(
        "customers-not-in-order",
        "A cancel overtakes the create that is being tried again.",
        "streams/delivery/order.py",
        "        else:\n            queue.append(delivery)\n",
        "        else:\n            queue.append(delivery)\n            self.free.push(delivery)\n",
        (
            "tests/unit/test_delivery_order.py",
            f"{SENDING}::test_one_customer_in_order_the_others_at_once",
        ),
    ),
    Mutant(
        "bad-request-retried",
        "A request that the vendor will never take holds its customer back for a day.",
        "streams/destinations/answers.py",
        "    if status in PASSING or status >= 500:\n",
        "    if status in PASSING or status >= 400:\n",
        ("tests/unit/test_klaviyo_answers.py::test_a_status_decides",),
    ),
    Mutant(
        "throttling-is-a-failure",
        "A vendor's 429 uses up the tries of a message, and in the end it is given up.",
        "streams/delivery/verdicts.py",
        "    if throttled:\n        return Throttled(after)\n",
        "",
        ("tests/unit/test_delivery_verdicts.py",),
    ),
    Mutant(
        "retry-after-ignored",
        "A vendor that asks for a minute is asked again within a second, until it blocks us.",
        "streams/delivery/retry.py",
        "        if after is None or after <= 0:\n",
        "        if after is None or after >= 0:\n",
        ("tests/unit/test_delivery_retry.py::test_retry_after_is_honoured",),
    ),
    Mutant(
        "pause-shortened",
        "A second 429 without a Retry-After ends the minute that the first one asked for.",
        "streams/delivery/limits.py",
        "max(self._clock() + seconds, found.paused_until)",
        "self._clock() + seconds",
        ("tests/unit/test_delivery_limits.py::test_a_pause_is_never_shortened",),
    ),
    Mutant(
        "retries-for-ever",
        "A message that fails for days is still tried, when nobody wants it any more.",
        "streams/delivery/retry.py",
        "        return seconds >= self.budget\n",
        "        return seconds < 0\n",
        ("tests/unit/test_delivery_verdicts.py",),
    ),
    Mutant(
        "refused-credentials-are-dead-letters",
        "A revoked key empties the topic into the dead letters.",
        "streams/delivery/verdicts.py",
        "            return Halt(reason)\n",
        "            return Conclusion(Outcome.REJECTED, reason)\n",
        (f"{HANDLER}::test_refused_credentials_pause_the_connection",),
    ),
    Mutant(
        "given-up-without-a-dead-letter",
        "What the vendor refused is gone without a trace.",
        "streams/delivery/dead_letters.py",
        "GIVEN_UP = frozenset({Outcome.REJECTED, Outcome.EXPIRED})\n",
        "GIVEN_UP = frozenset({Outcome.EXPIRED})\n",
        (f"{OUTCOMES}::test_what_is_given_up_has_a_dead_letter",),
    ),
    Mutant(
        "dead-letter-without-its-bytes",
        "A delivery that was given up cannot be redriven.",
        "streams/delivery/dead_letters.py",
        '        "value": delivery.value,\n',
        '        "value": b"",\n',
        (f"{OUTCOMES}::test_a_dead_letter_can_be_redriven",),
    ),
    Mutant(
        "shadow-sends",
        "A connection that only rehearses writes to real people.",
        "streams/delivery/rendering.py",
        "        if kept is not None:\n",
        '        if kept == "nobody":\n',
        (f"{SENDING}::test_shadow_sends_nothing",),
    ),
)

VERSIONS = (
    Mutant(
        "superseded-profile-sent",
        "A replay makes customers active again who left since.",
        "streams/delivery/rendering.py",
        'if part.name == "profile" and age < newest_enough(_mode(delivery)):',
        'if part.name == "profile" and age == 0:',
        (f"{PROFILES}::test_a_profile_part_goes_only_if_it_is_new",),
    ),
    Mutant(
        "superseded-profile-in-the-event",
        "An older event that is delivered after all takes the older name and status along.",
        "streams/delivery/rendering.py",
        "self._rendered(delivery, event, superseded=age < 0)",
        "self._rendered(delivery, event, superseded=False)",
        (f"{PROFILES}::test_an_event_that_carries_a_profile_carries_no_older_one",),
    ),
    Mutant(
        "klaviyo-ignores-superseded",
        "The same, by Klaviyo's one call for event and profile.",
        "streams/destinations/klaviyo.py",
        "identifiers_of(event.profile) if superseded else _profile(event)",
        "_profile(event)",
        ("tests/unit/test_klaviyo_events.py::test_a_superseded_event_says_only_who_it_is",),
    ),
    Mutant(
        "generation-ignored",
        "After a rebuild, versions begin anew, and every profile is taken for an older one.",
        "streams/delivery/profiles.py",
        "    return packed(profile.generation, profile.version)\n",
        "    return profile.version\n",
        (f"{PROFILES}::test_a_profile_part_goes_only_if_it_is_new",),
    ),
    Mutant(
        "version-not-awaited",
        "A crash forgets which profile the vendor has, and a replay may bring back an older one.",
        "streams/delivery/profiles.py",
        "encode(version), [], delivery.partition)\n"
        "        self._publisher.publish(record, delivery.awaiting(self._progressed))\n",
        "encode(version), [], delivery.partition)\n"
        "        self._publisher.publish(record, lambda _: None)\n",
        (f"{PROFILES}::test_the_offset_waits_for_the_changelog",),
    ),
)
"""No replay may bring an older profile back."""

DRAINING = (
    Mutant(
        "breaker-never-opens",
        "A wrong schema drains a topic into the dead letters over night.",
        "streams/breaker.py",
        "        return Cause(kind, failed, records) if failed > limit else None\n",
        "        return None\n",
        (f"{BREAKER}::test_the_share_and_the_number_decide",),
    ),
    Mutant(
        "breaker-counts-strangers-together",
        "Many small troubles that have nothing in common stop the flow.",
        "streams/breaker.py",
        "        kind, failed = max(failures.items(), key=lambda each: each[1])\n",
        "        kind, failed = next(iter(failures)), sum(failures.values())\n",
        (f"{BREAKER}::test_only_failures_that_are_alike_count_together",),
    ),
    Mutant(
        "stopped-batch-published",
        "A partition that is stopped has given its batch up all the same.",
        "streams/engine/breakers.py",
        "        return [work for work, admitted in judged if admitted], [\n",
        "        return [work for work, _ in judged], [\n",
        ("tests/unit/test_engine_breakers.py::test_partitions_are_judged_alone",),
    ),
    Mutant(
        "delivery-without-a-breaker",
        "A vendor that refuses everything gets everything, and all of it becomes dead letters.",
        "streams/delivery/guard.py",
        "            return self._count(kind) or kind is None\n        if delivery",
        "            return self._count(None)\n        if delivery",
        (
            "tests/unit/test_delivery_breaker.py::test_a_vendor_that_refuses_everything_stops_the_connection",
        ),
    ),
    Mutant(
        "writers-schema-ignored",
        "Records of a producer with a newer or older schema are garbage to us.",
        "streams/avro.py",
        "                record = schemaless_reader(source, writer, reader)\n",
        "                record = schemaless_reader(source, reader, reader)\n",
        ("tests/unit/test_registry_resolution.py::test_a_record_of_another_writer_is_read",),
    ),
    Mutant(
        "registry-away-uses-up-patience",
        "While the schema registry is away, good records become dead letters.",
        "streams/registry/waiting.py",
        '                return _Obstacle("away", f"the schema registry is away: {away}")\n',
        """\
                self._unknown_until[number] = self._clock() + self._patience
                return _Obstacle("away", f"the schema registry is away: {away}")
""",
        (f"{WAITING}::test_a_registry_that_is_away_is_waited_for",),
    ),
    Mutant(
        "unknown-schema-given-up-at-once",
        "A record that is faster than its schema's registration is given up.",
        "streams/registry/waiting.py",
        "self._since.setdefault(number, self._clock()) >= self._patience:",
        "self._since.setdefault(number, self._clock()) >= 0:",
        (f"{WAITING}::test_an_id_that_is_registered_meanwhile_is_waited_for",),
    ),
)
"""What is not the record's fault must not cost the record."""
