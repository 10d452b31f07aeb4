"""What Okendo's webhooks become: enrolments, tiers and points, each once and with its reason."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from streams.derive import LoyaltyOptions
from streams.derive.spells import KEPT
from streams.errors import BadRecord
from streams.model.ids import fact_id
from streams.model.loyalty import (
    ADJUSTMENT,
    EARNING,
    ENROLLED,
    POINTS_ADJUSTED,
    POINTS_AWARDED,
    POINTS_OF,
    POINTS_REDEEMED,
    REDEMPTION,
    TIER_CHANGED,
)
from streams.model.member import Member
from tests.support.okendo import (
    DAY,
    EMAIL,
    ENROLLED_AT,
    HOUR,
    MEMBER,
    START,
    STORE,
    TIERS,
    Driver,
    deletion,
    enriched,
    facts,
    iso,
    member,
    of_tier,
    transaction,
    webhook,
    whose,
)

if TYPE_CHECKING:
    from streams.model.fact import Fact
    from streams.pipeline import Processed
    from streams.sources.okendo import Webhook


def one(processed: Processed[Member]) -> Fact:
    """The one fact beside the profile."""
    [fact] = [each.fact for each in processed.told if each.fact.type != "profile.changed"]
    return fact


def options(**more: Any) -> LoyaltyOptions:
    """Options of a topic that holds everything since the first member."""
    return LoyaltyOptions(**({"history": "complete"} | more))


# ------------------------------------------------------------------------------- enrolment


def test_enrolment_is_told_when_a_member_opts_in() -> None:
    """Pending is no enrolment; the change to enrolled is, at its own time and with its reason."""
    driver = Driver()
    pending, enrolled = driver.feed_all([member("pending"), member("enrolled")])
    fact = one(enrolled)

    assert [] == facts(pending)
    assert (ENROLLED, ENROLLED_AT, False, None) == (
        fact.type,
        fact.occurred_at,
        fact.late,
        fact.withheld,
    )
    assert fact_id(ENROLLED, STORE, MEMBER, "at", ENROLLED_AT) == fact.event_id
    assert fact.because is not None
    assert "status pending → enrolled by loyalty_customer.update" == fact.because.text


def test_the_first_sight_of_an_enrolled_member_is_an_enrolment_where_all_is_known() -> None:
    """With a complete history nobody enrolled unseen."""
    assert [ENROLLED] == facts(Driver().feed(member("enrolled")))


def test_balances_and_other_statuses_enrol_nobody() -> None:
    """Updates of an enrolled member, blocking and unblocking are no second enrolment."""
    driver = Driver()
    told = driver.feed_all(
        [
            member("enrolled"),
            member("enrolled", points={"balance": 7}),
            member("blocked"),
            member("enrolled"),
        ]
    )

    assert [ENROLLED] == facts(told)


def test_a_member_who_left_and_comes_back_enrols_again() -> None:
    """Another date of enrolment is another enrolment."""
    driver = Driver()
    told = driver.feed_all(
        [member("enrolled"), member("pending"), member("enrolled", dateEnrolled=iso(START))]
    )

    assert [ENROLLED, ENROLLED] == facts(told)
    assert one(told[0]).event_id != one(told[2]).event_id


def test_a_date_that_moves_enrols_nobody() -> None:
    """Only leaving in between makes another enrolment of it, also when that is known later."""
    driver = Driver()
    moved = driver.feed_all([member("enrolled", 1), member("enrolled", 3, dateEnrolled=iso(START))])
    left = driver.feed(member("pending", 2))

    assert [ENROLLED] == facts(moved)
    assert (ENROLLED, START, False) == (one(left).type, one(left).occurred_at, one(left).late)


def test_without_dates_transitions_enrol() -> None:
    """Where the source tells no date, each change to enrolled counts, by its sequence number."""
    driver = Driver()
    told = driver.feed_all(
        [
            member("pending", 1),
            member("enrolled", 2, dateEnrolled=None),
            member("blocked", 3),
            member("enrolled", 4, dateEnrolled=None),
        ]
    )

    assert [ENROLLED, ENROLLED] == facts(told)
    assert fact_id(ENROLLED, STORE, MEMBER, "sequence", 2) == one(told[1]).event_id
    assert START + 1_000 == one(told[1]).occurred_at


def test_any_change_of_status_where_the_page_is_taken_at_its_word() -> None:
    """With the option the event goes out whenever the status changes, once a change."""
    driver = Driver(options(enrolled_on_any_status=True))
    told = driver.feed_all(
        [member("pending"), member("enrolled"), member("blocked"), member("enrolled")]
    )

    assert [ENROLLED] * 3 == facts(told)
    assert 3 == len({one(each).event_id for each in told[1:]})


@pytest.mark.parametrize(
    ("since", "withheld"),
    [
        pytest.param(iso(START - HOUR), None, id="an hour ago"),
        pytest.param(iso(START - 2 * DAY), "old_enrolment", id="two days ago"),
        pytest.param(None, "old_enrolment", id="nobody says when"),
    ],
)
def test_a_running_programme_welcomes_nobody(since: str | None, withheld: str | None) -> None:
    """Under `live` who is first seen enrolled is announced only if that is new."""
    processed = Driver(LoyaltyOptions()).feed(member("enrolled", dateEnrolled=since))

    assert withheld == one(processed).withheld
    assert "enrolled" == enriched_profile(processed).status


def enriched_profile(processed: Processed[Member]) -> Any:
    """The member in what goes out, whichever event it goes with."""
    return enriched(processed).member


def test_a_transition_that_was_seen_is_news_also_in_a_running_programme() -> None:
    """Under `live` who was seen pending, and enrols, is welcomed."""
    driver = Driver(LoyaltyOptions())
    _, enrolled = driver.feed_all([member("pending"), member("enrolled", dateEnrolled=None)])

    assert one(enrolled).withheld is None


def test_what_is_withheld_once_is_not_told_later() -> None:
    """The next update of a member who was enrolled long ago announces nothing."""
    driver = Driver(LoyaltyOptions())
    old: dict[str, Any] = {"dateEnrolled": iso(START - 90 * DAY)}
    told = driver.feed_all([member(**old), member(**old, points={"balance": 3})])

    assert [] == facts(told[1])


def test_seeding_starts_no_flow_and_makes_history_known() -> None:
    """State records fill rows; what follows them is judged by them."""
    driver = Driver(LoyaltyOptions())
    seeded = driver.feed(member("enrolled", vipTierName="Silver"), kind="state")
    later = driver.feed(member("enrolled", vipTierName="Gold"))

    assert "state" == one(seeded).withheld
    assert driver.row().complete
    assert (TIER_CHANGED, None) == (one(later).type, one(later).withheld)


def test_flows_begin_where_they_are_told_to() -> None:
    """What happened before is data only."""
    driver = Driver(options(flows_from=START))
    enrolled, points = driver.feed_all(
        [member("enrolled"), transaction(date=iso(START - HOUR))], START + HOUR
    )

    assert (True, True) == (one(enrolled).late, one(points).late)


# ------------------------------------------------------------------------------------ tiers


@pytest.mark.parametrize(
    ("old", "new", "tiers", "upgrade"),
    [
        pytest.param("Silver", "Gold", TIERS, True, id="up"),
        pytest.param("Gold", "Bronze", TIERS, False, id="down"),
        pytest.param("Silver", "Gold", (), None, id="nobody says which is higher"),
        pytest.param(None, "Gold", TIERS, False, id="the first tier is no upgrade"),
        pytest.param("Gold", None, TIERS, False, id="no tier any more"),
    ],
)
def test_a_change_of_tier(
    old: str | None, new: str | None, tiers: tuple[str, ...], upgrade: bool | None
) -> None:
    """Told between two known records of an enrolled member, with its direction if that is known."""
    driver = Driver(options(tiers=tiers))
    told = driver.feed_all(
        [
            of_tier(old, START - 30 * DAY),
            of_tier(new, START, dateTierExpires=iso(START + 300 * DAY)),
        ],
        START + HOUR,
    )
    tier = enriched(told[1], TIER_CHANGED).tier

    assert [ENROLLED, TIER_CHANGED] == facts(told)
    assert tier is not None
    assert (old, new, upgrade) == (tier.old, tier.new, tier.is_upgrade)
    assert START + 300 * DAY == tier.expires_at


def test_there_is_no_change_of_tier_at_enrolment() -> None:
    """Neither at first sight, nor where a pending member enrols into a tier."""
    pending = Driver().feed_all([member("pending"), of_tier("Silver", START)])

    assert [ENROLLED] == facts(Driver().feed(of_tier("Silver", START)))
    assert [ENROLLED] == facts(pending)


def test_another_year_in_the_same_tier_is_no_change() -> None:
    """A tier that is entered anew is the same tier."""
    told = Driver().feed_all([of_tier("Gold", START - 365 * DAY), of_tier("Gold", START)])

    assert [ENROLLED] == facts(told)


def test_the_word_none_is_no_tier() -> None:
    """The word neither is a tier, nor one that somebody could be upgraded from."""
    told = Driver().feed_all([of_tier("none", START - DAY), of_tier("Silver", START)])
    tier = enriched(told[1], TIER_CHANGED).tier

    assert tier is not None
    assert (None, "Silver", False) == (tier.old, tier.new, tier.is_upgrade)


def test_a_day_alone_is_not_taken_for_midnight() -> None:
    """A tier entered "today" changed when the webhook came, or journeys would find it too old."""
    midnight = START - START % DAY
    _, changed = Driver().feed_all([of_tier("Silver", midnight - DAY), of_tier("Gold", midnight)])
    _, long_ago = Driver().feed_all(
        [of_tier("Silver", midnight - 9 * DAY), of_tier("Gold", midnight - 2 * DAY)]
    )

    assert START + 1_000 == one(changed).occurred_at
    assert midnight - 2 * DAY == one(long_ago).occurred_at


def test_a_tier_that_is_not_in_the_order_is_a_dead_letter() -> None:
    """Nobody guesses where it stands; without an order every tier is taken."""
    with pytest.raises(BadRecord) as bad:
        Driver(options(tiers=TIERS)).feed(of_tier("Platinum", START))

    assert ("unknown_tier", "object.tier") == (bad.value.reason, bad.value.field)
    assert [ENROLLED] == facts(Driver().feed(of_tier("Platinum", START)))


# ----------------------------------------------------------------------------------- points


@pytest.mark.parametrize(
    ("kind", "told", "amount"),
    [
        (EARNING, 120, "120"),
        (EARNING, 0.5, "0.5"),
        (REDEMPTION, -500, "500"),
        (REDEMPTION, 500, "500"),
        (ADJUSTMENT, -40, "-40"),
        (ADJUSTMENT, 40, "40"),
    ],
)
def test_points(kind: str, told: float, amount: str) -> None:
    """Points spent are a positive number whatever their sign; adjustments keep theirs."""
    processed = Driver().feed(transaction(kind, amount=told))
    event = enriched(processed, POINTS_OF[kind])

    assert event.points is not None
    assert amount == event.points.amount
    assert START == event.occurred_at
    assert fact_id(POINTS_OF[kind], STORE, "t1") == event.event_id


def test_store_credit_without_a_coupon() -> None:
    """A redemption may give store credit: then there is no coupon to tell of."""
    processed = Driver().feed(transaction(REDEMPTION, coupon=None, storeCreditAmount=2.5))
    points = enriched(processed, POINTS_REDEEMED).points

    assert points is not None
    assert ("2.5", None, None, None) == (
        points.store_credit,
        points.coupon_code,
        points.coupon_description,
        points.coupon_expires_at,
    )


def test_a_text_for_the_customer_and_never_the_reason_for_the_staff() -> None:
    """An adjustment tells its notification text; the internal reason goes nowhere."""
    told: dict[str, Any] = {
        "internalReason": "suspected fraud",
        "notificationText": "Points corrected",
    }
    processed = Driver().feed(transaction(ADJUSTMENT, **told))
    points = enriched(processed, POINTS_ADJUSTED).points

    assert points is not None
    assert "Points corrected" == points.description
    assert b"suspected" not in processed.told[0].value


def test_a_pending_award_is_told_when_it_completes() -> None:
    """The first complete record counts, whatever topic brings it; later ones tell nothing."""
    driver = Driver()
    told = driver.feed_all(
        [
            transaction(status="pending"),
            transaction(topic="update"),
            transaction(topic="update", amount=60),
            deletion(),
        ]
    )

    assert [[], [POINTS_AWARDED], [], []] == [facts(each) for each in told]
    assert "transaction pending → complete" in str(one(told[1]).because)


def test_a_delete_works_without_a_customer() -> None:
    """It is the member's by its id, announces nothing, and forgets no address."""
    driver = Driver()
    driver.feed_all([transaction(), deletion(), member("enrolled", customer=None)])

    assert EMAIL == driver.row().email
    assert "delete" == driver.row().transactions["t1"].status


def test_what_was_deleted_before_it_was_seen_is_data_only() -> None:
    """The delete overtook the award: it is told, so that nothing is lost, and starts no flow."""
    driver = Driver()
    _, award = driver.feed_all([deletion(sequence=9_002), transaction(sequence=9_001)])

    assert (POINTS_AWARDED, True) == (one(award).type, one(award).late)


def test_an_old_transaction_that_is_only_changed_is_withheld_in_a_running_programme() -> None:
    """Under `live` an update may be of last month's award; what is created now is news."""
    last_month = iso(START - 30 * DAY)
    driver = Driver(LoyaltyOptions())
    changed = driver.feed(transaction(id_="old", topic="update", date=last_month))
    created = driver.feed(transaction(id_="new"))

    assert "old_transaction" == one(changed).withheld
    assert one(created).withheld is None


def test_transactions_are_forgotten_after_ninety_days() -> None:
    """Of stream time, after the transaction's last record; what comes then is no news either."""
    driver = Driver()
    driver.feed(transaction(id_="t1"), START)
    driver.feed(transaction(id_="t2", date=iso(START + 60 * DAY)), START + 60 * DAY)
    driver.feed(transaction(id_="t3", date=iso(START + 91 * DAY)), START + 91 * DAY)
    again = driver.feed(transaction(id_="t1", topic="update"), START + 91 * DAY)

    assert {"t1", "t2", "t3"} == driver.row().transactions.keys()
    assert one(again).late


# ------------------------------------------------------------------------- order and repetition


def told_ids(arrival: tuple[Webhook, ...]) -> set[tuple[str, str]]:
    """Type and id of everything that an arrival tells."""
    processed = Driver().feed_all(arrival)
    return {
        (each.fact.type, each.fact.event_id)
        for one_ in processed
        for each in one_.told
        if each.fact.type != "profile.changed"
    }


def test_an_older_record_changes_nothing_of_what_holds_now() -> None:
    """Numbers are compared, not texts: 10 is newer than 9."""
    driver = Driver()
    driver.feed(of_tier("Gold", START, sequence=10, points={"balance": 9}))
    before = driver.row()
    driver.feed(member("pending", 9, points={"balance": 1}))
    after = driver.row()

    assert (before.loyalty, before.version) == (after.loyalty, after.version)


def test_an_equal_number_changes_nothing() -> None:
    """Two webhooks of one sequence number are one record, whatever they say."""
    driver = Driver()
    driver.feed(member("pending", 10, topic="create"))
    again = driver.feed(member("enrolled", 10))

    assert [] == facts(again)
    assert "pending" == driver.row().loyalty.status


def test_a_resend_is_a_repetition() -> None:
    """By its message id, and without one by type and sequence number."""
    driver = Driver()
    told = member("enrolled")
    first, again = driver.feed(told), driver.feed(told, START + HOUR)

    assert (False, True) == (first.duplicate, again.duplicate)
    assert () == again.told


def test_every_order_tells_the_same_facts() -> None:
    """A member's changes in all 120 orders: the same enrolments and tiers, under the same ids."""
    records = [
        member("pending", 1),
        of_tier("Silver", START - 3 * DAY, 2),
        of_tier("Gold", START - 2 * DAY, 3),
        member("blocked", 4),
        of_tier("Bronze", START - DAY, 5),
    ]
    expected = told_ids(tuple(records))

    assert 3 == len(expected)
    assert [expected] * 120 == [told_ids(order) for order in permutations(records)]


def test_what_a_late_record_reveals_is_data_only_unless_it_holds_now() -> None:
    """Gold overtook Silver: when Silver comes, Gold is known to be a change, and no old news."""
    driver = Driver()
    first, second = driver.feed_all(
        [of_tier("Gold", START - HOUR // 2, 3), of_tier("Silver", START - DAY, 2)]
    )
    history = driver.feed(of_tier("Bronze", START - 9 * DAY, 1))

    assert [ENROLLED] == facts(first)
    assert (TIER_CHANGED, False) == (one(second).type, one(second).late)
    assert (TIER_CHANGED, True) == (one(history).type, one(history).late)


def test_only_so_much_history_is_kept() -> None:
    """A row stays small, and what is older than it remembers announces nothing."""
    driver = Driver()
    flips = [of_tier(TIERS[n % 2], START - (99 - n) * DAY, 10 + n) for n in range(KEPT + 5)]
    told = driver.feed_all(flips)
    old = driver.feed(of_tier("Gold", START - 100 * DAY, 1))

    assert [ENROLLED, *[TIER_CHANGED] * (KEPT + 4)] == facts(told)
    assert KEPT == len(driver.row().spells)
    assert [] == facts(old)


# ------------------------------------------------------------------------------------ profile


def test_the_version_rises_with_what_is_told() -> None:
    """A balance is told, an entry date is not."""
    driver = Driver()
    driver.feed(member("enrolled", points={"balance": 1}))
    driver.feed(member("enrolled", points={"balance": 2}))
    driver.feed(member("enrolled", points={"balance": 2}, customer={"email": EMAIL}))

    assert 2 == driver.row().version


def test_who_leaves_has_a_tier_no_longer() -> None:
    """Tier, its end and the enrolment date go, and are said to have gone; a balance stays."""
    driver = Driver()
    gone: dict[str, Any] = {"dateTierExpires": iso(START + DAY), "points": {"balance": 5}}
    driver.feed(of_tier("Gold", START, **gone))
    left = driver.feed(member("pending", vipTierName="Gold", **gone))
    view = enriched(left, "profile.changed").member

    assert view is not None
    assert (None, None, None, "5") == (
        view.tier,
        view.tier_expires_at,
        view.enrolled_at,
        view.balance,
    )
    assert "tier enrolled_at tier_expires_at" == view.cleared


def test_a_deleted_member_has_nothing_any_more() -> None:
    """All that was told is said to have gone; the address stays, to say so."""
    driver = Driver()
    driver.feed(member("enrolled", points={"balance": 5}))
    deleted = driver.feed(webhook("loyalty_customer", "delete", None, whose(customer=None)))
    event = enriched(deleted, "profile.changed")

    assert event.member is not None
    assert "status enrolled_at balance" == event.member.cleared
    assert EMAIL == event.profile.email


def test_the_address_is_the_members_own_where_it_tells_one() -> None:
    """Else that of the newest transaction, in whatever order they come."""
    other: dict[str, Any] = {"customer": {"email": "noor@shop-demo.io"}}
    later: dict[str, Any] = {"customer": {"email": "n.hale@shop-demo.io"}}
    heard = [
        transaction(id_="t1", **other),
        transaction(id_="t2", date=iso(START + HOUR), **later),
    ]
    for arrival in permutations(heard):
        driver = Driver()
        driver.feed_all([*arrival, member("pending", customer=None)])

        assert "n.hale@shop-demo.io" == driver.row().email

        driver.feed(member("pending"))

        assert EMAIL == driver.row().email


def test_the_birthday_is_told_anew_when_it_has_passed() -> None:
    """Any record of the member brings the next one, though nothing else has changed."""
    driver = Driver()
    driver.feed(member("enrolled", birthday={"day": 5, "month": 10}))
    version = driver.row().version
    later = driver.feed(transaction(date=iso(START + 30 * DAY)), START + 30 * DAY)

    assert version + 1 == driver.row().version
    assert "2027-10-05" == enriched_profile(later).next_birthday


def test_who_is_erased_is_forgotten() -> None:
    """An erase leaves a mark: when it was, and how far the webhooks were (`test_derive_erase`)."""
    driver = Driver()
    driver.feed(member("enrolled", sequence=7))
    driver.feed(member("enrolled"), kind="erase")
    row = driver.row()

    assert Member(erased_at=row.erased_at, erased_sequence=7) == row
