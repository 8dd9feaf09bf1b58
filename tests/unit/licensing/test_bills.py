"""Bills as documents: read back as they were written, or not at all (B3)."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.canonical import canonical_json
from services.licensing.domain.pricing.bills import (
    Bill,
    BillKind,
    BillLine,
    digest_of,
    read_bill,
)
from services.licensing.domain.pricing.periods import Period
from services.licensing.domain.pricing.rating import Line, LineKind, lines_of
from tests.support.clock import NOON_US
from tests.support.prices import prices

OCTOBER, NOVEMBER = Period("2025-10", NOON_US, NOON_US + 7), Period("2025-11", NOON_US + 7, NOON_US + 9)


def a_bill(*lines: Line, period: Period = OCTOBER) -> Bill:
    return Bill(
        kind=BillKind.INVOICE,
        licensee_id="licensee-1",
        licensee_name='Łódź "&" Ελλάς',
        license_id="license-1",
        license_version=2,
        terms_digest=bytes(32),
        period=OCTOBER,
        time_zone="Europe/Paris",
        from_local="2025-10-01T00:00:00+02:00",
        until_local="2025-11-01T00:00:00+01:00",
        cut_off_us=NOON_US + 10,
        posts=7,
        currency="USD",
        decimals=2,
        lines=tuple(BillLine(period, line) for line in lines),
    )


def a_line(minor: int = 33) -> Line:
    return Line("usage/x", LineKind.USAGE, "x", 1, None, 1, Fraction(minor, 300), minor)


@given(prices(), st.integers(0, 10**6))
def test_a_bill_is_read_as_it_was_written(price: object, posts: int) -> None:
    bill = a_bill(*lines_of(price, posts), a_line(), period=NOVEMBER)  # type: ignore[arg-type]
    document = bill.document()

    assert read_bill(document, digest_of(document)) == bill


@given(st.data())
def test_a_document_with_one_other_byte_is_not_read(data: st.DataObject) -> None:
    document = a_bill(a_line()).document()
    place = data.draw(st.integers(0, len(document) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != document[place]))
    damaged = document[:place] + bytes([other]) + document[place + 1 :]

    with pytest.raises(Refusal, match="DOCUMENT_DAMAGED"):
        read_bill(damaged, digest_of(document))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"[]",
        canonical_json({"kind": "invoice"}),
        a_bill(a_line()).document().replace(b'"total":33', b'"total":34'),
        a_bill(a_line()).document().replace(b'"posts":7', b'"posts": 7'),
        a_bill(a_line()).document().replace(b'"kind":"usage"', b'"kind":"present"'),
    ],
)
def test_a_document_that_says_something_else_is_not_read_whatever_its_digest(document: bytes) -> None:
    with pytest.raises(Refusal, match="DOCUMENT_DAMAGED"):
        read_bill(document, digest_of(document))


def test_amounts_are_by_period_and_add_up_to_the_total() -> None:
    bill = a_bill(a_line(10), a_line(-3))
    both = replace(bill, lines=(*bill.lines, BillLine(NOVEMBER, a_line(5))))

    assert both.amounts() == {OCTOBER: 7, NOVEMBER: 5}
    assert both.total == 12


@pytest.mark.parametrize("minors", [(10**15 + 1,), (-(10**15) - 1,), (10**15, 1), (2 * 10**15, -(10**15))])
def test_a_bill_of_more_than_a_thousand_million_million_coins_is_refused(minors: tuple[int, ...]) -> None:
    a_bill(a_line(10**15), a_line(-(10**15))).check()

    with pytest.raises(Refusal, match="AMOUNT_TOO_LARGE"):
        a_bill(*map(a_line, minors)).check()
