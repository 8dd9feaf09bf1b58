"""What pages say of assessments, their steps and their readings (D2, D4)."""

import pytest
from google.type.money_pb2 import Money

from services.console.operations.assessments import after, is_own, seen, standing, would_be
from services.console.operations.dispute_steps import NO_AMOUNT, STEPS, WRONG_AMOUNT, is_stale, read_amount
from services.console.operations.readings import reading_tables
from services.console.web.forms import Opened
from services.console.web.sessions import Session
from sluice.metering.v1.damages_pb2 import AssessmentState
from sluice.metering.v1.dispute_pb2 import AssessmentStanding, DisputeStep, DisputeStepKind
from tests.support.assessments import GAVE_CONTENT, on_record, usd

DISPUTED, UPHELD, REDUCED, WITHDRAWN = 3, 4, 5, 6
ADA = Session("1", "token", "operator", "ada", ("legal",), 1)


@pytest.mark.parametrize(
    ("kind", "amount", "state", "claimed"),
    [
        (1, None, DISPUTED, usd(15_000)),
        (2, None, UPHELD, usd(15_000)),
        (3, usd(12_000, 500_000_000), REDUCED, usd(12_000, 500_000_000)),
        (4, None, WITHDRAWN, usd(0)),
    ],
)
def test_a_step_shows_what_it_would_make_of_an_assessment(
    kind: DisputeStepKind, amount: Money | None, state: AssessmentState, claimed: Money
) -> None:
    step = DisputeStep(kind=kind, amount=amount)

    assert after(step, standing(on_record())) == AssessmentStanding(state=state, amount_in_force=claimed)


def test_a_step_of_a_kind_that_is_not_known_promises_no_change() -> None:
    now = standing(on_record())

    assert would_be(99, None, now) == now


def test_only_who_proposed_a_step_is_told_that_it_is_theirs() -> None:
    assert is_own(DisputeStep(proposed_by="operator:ada"), ADA)
    assert not is_own(DisputeStep(proposed_by="operator:ada-2"), ADA)
    assert not is_own(DisputeStep(proposed_by="ada"), ADA)


def test_a_form_is_stale_once_the_assessment_stands_otherwise_unless_by_the_step_itself() -> None:
    opened = Opened("id", {**seen(on_record()), "amount": None})
    disputed = on_record(state=AssessmentState.ASSESSMENT_STATE_DISPUTED)
    reduced = on_record(state=AssessmentState.ASSESSMENT_STATE_REDUCED, amount_in_force=usd(1))

    assert not is_stale(on_record(), opened, STEPS["dispute"])
    assert not is_stale(disputed, opened, STEPS["dispute"])
    assert is_stale(disputed, opened, STEPS["withdraw"])
    assert is_stale(reduced, opened, STEPS["dispute"])


@pytest.mark.parametrize(
    ("text", "amount", "fault"),
    [
        (None, None, ""),
        (" 12000.50 ", usd(12_000, 500_000_000), ""),
        ("0", usd(0), ""),
        ("14999.999999999", usd(14_999, 999_999_999), ""),
        ("15000.00", None, WRONG_AMOUNT),
        ("", None, NO_AMOUNT),
        ("-1", None, NO_AMOUNT),
        ("12,000.00", None, NO_AMOUNT),
        ("12000.00 USD", None, NO_AMOUNT),
        ("1e3", None, NO_AMOUNT),
    ],
)
def test_an_amount_is_read_exactly_or_not_at_all(text: str | None, amount: Money | None, fault: str) -> None:
    assert read_amount(text, on_record()) == (amount, fault)


def test_every_reading_stands_in_one_table_and_the_policys_comes_first() -> None:
    assessment = on_record()

    tables = reading_tables(assessment)

    assert [table.is_policys for table in tables] == [True, False, False, False]
    assert tables[0].accesses == GAVE_CONTENT
    assert tables[0].cells[tables[0].policys].amount == assessment.amount
    shown = [cell for table in tables for cell in table.cells.values()]
    assert len(shown) == len(assessment.readings) == 64
    assert {(table.overlaps[0], table.overlaps[-1], len(table.roundings)) for table in tables} == {(1, 4, 4)}
