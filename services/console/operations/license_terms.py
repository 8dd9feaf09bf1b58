"""The terms of a license in the reader's words (L2), a line for each; allowances are shown with their use."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from google.protobuf.timestamp_pb2 import Timestamp

from services.console.operations.amounts import amount, exact
from services.console.operations.words_licenses import CONTENT_KINDS, PERIODS, TEMPLATES
from services.console.web.reading import Reader, instant, msgid
from services.console.web.words import PURPOSES, word
from sluice.licensing.v1.license_pb2 import LicenseTerms, Obligations
from sluice.licensing.v1.price_pb2 import Charge, Price, Tiers

ALL = "*"


@dataclass(frozen=True)
class Line:
    """One thing that the terms say."""

    name: str
    said: Sequence[str]
    """In the reader's language; several where it is a list."""


def lines(reader: Reader, terms: LicenseTerms) -> list[Line]:
    """All but whose license it is and its allowances, in the order of the contract."""
    return [
        Line(reader.say("Template"), [word(reader, TEMPLATES, terms.template)]),
        Line(reader.say("Purposes"), _words(reader, PURPOSES, terms.purposes)),
        Line(reader.say("Kinds of content"), _words(reader, CONTENT_KINDS, terms.kinds)),
        Line(reader.say("Languages of posts"), _languages(reader, terms.languages)),
        Line(reader.say("Contributors live in"), _countries(reader, terms.author_jurisdictions)),
        Line(reader.say("Posts may be used in"), _countries(reader, terms.territory)),
        Line(reader.say("Posts from"), [_time(reader, terms, "posted_from", msgid("However old"))]),
        Line(reader.say("Posts before"), [_time(reader, terms, "posted_before", msgid("Up to now"))]),
        Line(reader.say("Term from"), [_moment(reader, terms.term_from)]),
        Line(reader.say("Term until"), [_moment(reader, terms.term_until)]),
        *_obligations(reader, terms.obligations),
        Line(reader.say("Price"), list(_price(reader, terms))),
        Line(reader.say("Digest of the contract (SHA-256)"), [terms.contract_digest.hex()]),
    ]


def _words(reader: Reader, table: Mapping[int, str], numbers: Sequence[int]) -> list[str]:
    return [word(reader, table, number) for number in numbers]


def _languages(reader: Reader, tags: Sequence[str]) -> list[str]:
    if list(tags) == [ALL]:
        return [reader.say("All, unknown ones too")]
    names = reader.locale.languages
    return [f"{names[tag]} ({tag})" if tag in names else tag for tag in tags]


def _countries(reader: Reader, codes: Sequence[str]) -> list[str]:
    return [reader.say("Everywhere")] if list(codes) == [ALL] else [reader.country(code) for code in codes]


def _moment(reader: Reader, stamp: Timestamp) -> str:
    return reader.moment(instant(stamp))


def _time(reader: Reader, terms: LicenseTerms, field: str, otherwise: str) -> str:
    return _moment(reader, getattr(terms, field)) if terms.HasField(field) else reader.say(otherwise)


def _obligations(reader: Reader, owed: Obligations) -> Iterator[Line]:
    yield Line(reader.say("Copies are gone after a recall"), [_deadline(reader, owed)])
    zone = owed.recall_time_zone or "UTC"
    yield Line(reader.say("Days begin by the time of"), [zone])
    yield Line(
        reader.say("An overdue recall suspends the license"), [_yes(reader, owed.suspend_when_overdue)]
    )
    yield Line(reader.say("Finding out who wrote is forbidden"), [_yes(reader, owed.no_reidentification)])


def _deadline(reader: Reader, owed: Obligations) -> str:
    days, ngettext = owed.recall_deadline_days, reader.translations.ngettext
    if not days:
        return reader.say("When the platform asks it of everybody")
    if owed.recall_business_days:
        said = ngettext(
            "Within %(days)s business day of %(where)s", "Within %(days)s business days of %(where)s", days
        )
    else:
        said = ngettext("Within %(days)s day", "Within %(days)s days", days)
    return said % {"days": reader.number(days), "where": reader.country(owed.recall_calendar)}


def _yes(reader: Reader, is_so: bool) -> str:
    return reader.say("Yes") if is_so else reader.say("No")


def _price(reader: Reader, terms: LicenseTerms) -> Iterator[str]:
    if not terms.HasField("price"):
        yield reader.say("None: nothing is billed here")
        return
    price = terms.price
    period = word(reader, PERIODS, price.period)
    yield reader.say("%(period)s, by the time of %(zone)s", period=period, zone=price.time_zone)
    for charge in price.charges:
        yield from _charge(reader, price, charge)
    if price.HasField("minimum"):
        yield reader.say("At least %(amount)s a period", amount=amount(reader, price.minimum))
    if price.HasField("maximum"):
        yield reader.say("At most %(amount)s a period", amount=amount(reader, price.maximum))


def _charge(reader: Reader, price: Price, charge: Charge) -> Iterator[str]:
    match charge.WhichOneof("model"):
        case "flat":
            said = reader.say("%(amount)s a period", amount=amount(reader, charge.flat))
        case "per_unit":
            cost, per = _unit(reader, price, charge.per_unit.unit_price), charge.per_unit.per or 1
            form = reader.translations.ngettext(
                "%(price)s a post", "%(price)s for every %(number)s posts", per
            )
            said = form % {"price": cost, "number": reader.number(per)}
        case "package":
            cost, size = amount(reader, charge.package.price), charge.package.size
            form = reader.translations.ngettext(
                "%(price)s for each started package of %(number)s post",
                "%(price)s for each started package of %(number)s posts",
                size,
            )
            said = form % {"price": cost, "number": reader.number(size)}
        case "graduated":
            said = reader.say("each post at the price of its tier")
        case "volume":
            said = reader.say("all posts at the price of the tier that their number lies in")
        case _:
            said = reader.say("this page has no word for how it is charged")
    yield f"{charge.name}: {said}"
    if charge.included:
        form = reader.translations.ngettext(
            "%(name)s: the first post of a period is included",
            "%(name)s: the first %(number)s posts of a period are included",
            charge.included,
        )
        yield form % {"name": charge.name, "number": reader.number(charge.included)}
    yield from _tiers(reader, price, charge)


def _tiers(reader: Reader, price: Price, charge: Charge) -> Iterator[str]:
    tiers = (
        charge.graduated
        if charge.HasField("graduated")
        else charge.volume
        if charge.HasField("volume")
        else Tiers()
    )
    for tier in tiers.tiers:
        cost = _unit(reader, price, tier.unit_price)
        if tier.HasField("flat"):
            cost = reader.say("%(price)s, and %(flat)s once", price=cost, flat=amount(reader, tier.flat))
        if tier.HasField("up_to"):
            end = reader.number(tier.up_to)
            yield reader.say("%(name)s, up to post %(end)s: %(price)s", name=charge.name, end=end, price=cost)
        else:
            yield reader.say("%(name)s, beyond: %(price)s", name=charge.name, price=cost)


def _unit(reader: Reader, price: Price, unit_price: str) -> str:
    return f"{exact(reader, Decimal(unit_price))} {price.currency}"
