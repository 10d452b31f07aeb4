"""`streams erase`: who is meant by its options, and what is held of them; nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.cli.composition import destination_of, kafka_of, names_of, sources_of
from streams.cli.dead_letters.boxes import Boxes, boxes_of, readers_of
from streams.control.tables import table_of
from streams.engine.stretch import look_through, whole
from streams.errors import ConfigurationError
from streams.model.fact import CUSTOMER_ERASED
from streams.model.masking import masked_email, masked_phone
from streams.names import ORDERGROOVE
from streams.replay.erasing import Held, held_of, letters_of
from streams.replay.people import Finder, Person
from streams.replay.showing import masked_key
from streams.sources.ordergroove.quirks import phone_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from streams.engine.kafka import KafkaSettings
    from streams.replay.letters import Letter
    from streams.replay.reading import LetterTopic
    from streams.settings import Settings

CLIENT = "streams-erase"


class Who(NamedTuple):
    """Whom the options name: exactly one of these."""

    email: str | None = None
    phone: str | None = None
    customer: str | None = None

    @property
    def by(self) -> str:
        """Which of them: what may be said of it on the audit topic."""
        return next(name for name, value in self._asdict().items() if value is not None)


class Plan(NamedTuple):
    """What an erase would do.

    Attributes:
        people: who is erased.
        letters: dead-letter topics with the letters of these people.
        held: connection → what waits there of them.
    """

    people: Sequence[Person]
    letters: Sequence[tuple[LetterTopic, Sequence[Letter]]]
    held: Mapping[str, Held]


def checked(settings: Settings, who: Who, command: str = "erase") -> Who:
    """The options of a command as they are compared; raises `ConfigurationError`."""
    told = [name for name, value in who._asdict().items() if value is not None]
    if len(told) != 1:
        raise ConfigurationError(
            command, "not clear who is meant", "Give a customer, or --email, or --phone"
        )
    if who.customer is not None:
        merchant, colon, id_ = who.customer.partition(":")
        if not (merchant and colon and id_):
            raise ConfigurationError("--customer", "not a customer's key", "Write it MERCHANT:ID")
    if who.email is not None and "@" not in who.email:
        raise ConfigurationError("--email", "not an e-mail address", "Write it NAME@DOMAIN")
    if who.phone is not None:
        number = phone_number(who.phone, settings.ordergroove.phone_region)
        if number is None:
            raise ConfigurationError("--phone", "not a phone number", "Write it like +12125550148")
        return who._replace(phone=number)
    return who


def searched(settings: Settings, who: Who) -> Plan:
    """Look for somebody, and for what is held of them.

    Raises:
        ConfigurationError: a topic is missing, or a table has rows of another version.
        KafkaException: the broker does not answer.
    """
    kafka = kafka_of(settings, CLIENT)
    people = people_of(settings, kafka, who)
    keys = {each.key for each in people}
    boxes = Boxes(kafka, boxes_of(settings, (), ()), readers_of(settings))
    needles = {needle for each in people for needle in each.needles}
    names = names_of(settings)
    letters = []
    for topic in boxes.topics:
        found = letters_of(topic, boxes.readers, keys, needles, settings.rekey.topic)
        # what a vendor refused to forget waits to be asked for again
        letters.append((topic, [each for each in found if each.type != CUSTOMER_ERASED]))
    changelogs = {each: names.profiles_changelog(each) for each in settings.connections}
    return Plan(people, letters, {of: held_of(kafka, at, keys) for of, at in changelogs.items()})


def people_of(settings: Settings, kafka: KafkaSettings, who: Who) -> list[Person]:
    """Customers of Ordergroove first, then of each other source the same person, by e-mail.

    Raises:
        ConfigurationError: a table has rows of another version.
        KafkaException: the broker does not answer.
    """
    keys = {who.customer.encode()} if who.customer is not None else set()
    emails = {who.email} if who.email is not None else set()
    phones = {who.phone} if who.phone is not None else set()
    first = Finder(ORDERGROOVE, keys=keys, emails=emails, phones=phones)
    _look(settings, kafka, first)
    people = list(first.found.values())
    emails |= {email for each in people for email in each.emails}
    for source in sources_of(settings)[1:]:
        other = Finder(source, keys=keys, emails=emails, phones=phones)
        _look(settings, kafka, other)
        people += other.found.values()
    if not people:
        people = [Person(ORDERGROOVE, key) for key in keys]
    return people


def _look(settings: Settings, kafka: KafkaSettings, finder: Finder) -> None:
    changelog = table_of(kafka, names_of(settings), finder.source).changelog
    look_through(kafka, whole(kafka, changelog), finder.note)
    if finder.unreadable:
        raise ConfigurationError(
            f"topic {changelog}",
            f"{len(finder.unreadable)} rows that may be theirs are not of this version",
            "Use the writer's version",
        )


def plan_lines(settings: Settings, plan: Plan) -> Iterator[str]:
    """What would be done where."""
    for each in plan.people:
        told = [*map(masked_email, sorted(each.emails)), *map(masked_phone, sorted(each.phones))]
        known = ", ".join(told) or ("no address known" if each.known else "not in the table")
        yield f"{each.source:<12} {masked_key(each.key)}  {known}"
    for topic, letters in plan.letters:
        if letters:
            yield f"  {topic.box.of}: {len(letters):,} of the dead letters, settled"
    for name, held in plan.held.items():
        configured = settings.connections[name]
        deletion = destination_of(name, configured).deletion
        asked = "offers no deletion" if deletion is None else f"is asked for a {deletion.call}"
        waits = f"{held.parked:,} deliveries parked, {held.waiting:,} profiles waiting"
        yield f"  {name} ({configured.mode}): {waits}; the vendor {asked}"
