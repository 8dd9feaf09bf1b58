"""An assessment as people read it: what is claimed, of whom and why, and what else it might be (D1 to D4)."""

from collections.abc import Iterator
from typing import Any

from services.console import damages_readings, money
from services.console.damages_policies import clause
from services.console.moments import clock_face, exact_face
from services.console.names import complete, word_of
from services.console.output import counted, say, shout, show, table
from services.console.usage_options import of_words
from sluice.metering.v1.damages_pb2 import (
    ASSESSMENT_STATE_PREVIEW,
    Assessment,
    AssessmentState,
    DamagesPeriod,
    PartyStretch,
)

LEFT_OUT_OF_LISTS = ("periods", "readings", "members", "exempt", "liable")


def tell(assessment: Assessment, *, all_readings: bool) -> None:
    """All of it, what is claimed first."""
    scope = assessment.scope
    stretch = f"from {clock_face(scope.since)} until just before {clock_face(scope.until)}"
    say(f"Liquidated damages of {of_words(scope.of)}, {stretch}:")
    _tell_periods(assessment)
    say(f"Policy version {assessment.policy.version}. {clause(assessment.policy)}")
    for warning in warnings(assessment):
        shout(warning)
    if not assessment.imports_running:
        say(
            "No source reported in the minute before. That proves nothing: a silent one may have more to say."
        )
    _tell_liable(assessment)
    _tell_stretches("Belonged to it:", assessment.members if scope.of.HasField("group_id") else ())
    _tell_stretches("Not assessed, for vetted research is exempt:", assessment.exempt)
    _tell_readings(assessment, is_all=all_readings)
    say("")
    for sentence in standing(assessment):
        say(sentence)


def warnings(assessment: Assessment) -> Iterator[str]:
    """What nobody should pass over before a claim is made."""
    where = assessment.scope.jurisdiction
    if not assessment.enforceable:
        barred = {where, where.partition("-")[0]}
        reasons = [
            f"{each.jurisdiction}: {each.reason}"
            for each in assessment.policy.not_enforceable
            if each.jurisdiction in barred
        ]
        yield f"WARNING: not enforceable in {where} ({'; '.join(reasons)})."
    for running in assessment.imports_running:
        yield (
            f"WARNING: source {running.source} reported at {clock_face(running.last_page_at)}, within the"
            " minute before: its import may go on, and the amount may change."
        )


def standing(assessment: Assessment) -> Iterator[str]:
    """Whether and how it is on record."""
    if assessment.state == ASSESSMENT_STATE_PREVIEW:
        yield f"A preview, as of revision {assessment.as_of.number}: nothing is on record without --record."
        return
    recorded = f"{clock_face(assessment.recorded_at)} by {assessment.recorded_by}"
    state = word_of(AssessmentState.DESCRIPTOR, assessment.state)
    in_force = money.face(assessment.amount_in_force, assessment.policy.decimals)
    yield f"Assessment {assessment.assessment_id} is {state}; claimed now: {in_force}."
    yield f"Recorded at {recorded}, as of revision {assessment.as_of.number}."
    yield f"Evidence: {counted(assessment.evidence.rows, 'row')}. Digest of it all: {assessment.digest.hex()}"


def in_short(assessment: Assessment) -> dict[str, Any]:
    """For programs, without what lists do not hold."""
    return {name: value for name, value in complete(assessment).items() if name not in LEFT_OUT_OF_LISTS}


def short_row(assessment: Assessment) -> tuple[Any, ...]:
    """One row of a list."""
    scope, decimals = assessment.scope, assessment.policy.decimals
    return (
        assessment.assessment_id,
        of_words(scope.of),
        clock_face(scope.since),
        clock_face(scope.until),
        money.face(assessment.amount_in_force, decimals),
        word_of(AssessmentState.DESCRIPTOR, assessment.state),
    )


def _tell_periods(assessment: Assessment) -> None:
    amount = money.face(assessment.amount, assessment.policy.decimals)
    all_posts = f"{counted(assessment.posts, 'post counts', 'posts count')} in all that time"
    if not assessment.periods:
        say(f"No period exceeds the threshold, so nothing is claimed ({amount}); {all_posts}.")
        return
    is_shared = any(len(period.members) > 1 for period in assessment.periods)
    rows = [_period_row(period, assessment.policy.decimals) for period in assessment.periods]
    columns = ("since", "until just before", ">posts", ">amount", "of")
    width = len(columns) if is_shared else -1
    show(table(columns[:width], [row[:width] for row in rows]))
    say(f"Amount: {amount}, for {counted(len(assessment.periods), 'period')}; {all_posts}.")


def _period_row(period: DamagesPeriod, decimals: int) -> tuple[Any, ...]:
    members = "; ".join(
        f"{each.party_id} {each.posts:,} ({money.face(each.share, decimals)})" for each in period.members
    )
    amount = money.face(period.amount, decimals)
    return exact_face(period.since), exact_face(period.until), period.posts, amount, members


def _tell_liable(assessment: Assessment) -> None:
    decimals = assessment.policy.decimals
    if assessment.liable:
        say("")
        say("Liable jointly and severally: each for the whole of its periods, however they split it:")
        rows = [
            (
                each.party_id,
                each.posts,
                money.face(each.share, decimals),
                money.face(each.liable_for, decimals),
            )
            for each in assessment.liable
        ]
        show(table(("party", ">posts", ">suggested share", ">liable for"), rows))
    for each in assessment.scope.assisted:
        say(f"{each.party_id} assisted ({each.how}): liable with them, and not counted.")


def _tell_stretches(title: str, stretches: Any) -> None:
    if not stretches:
        return
    say("")
    say(title)
    show(table(("party", "since", "until just before"), [_stretch_row(each) for each in stretches]))


def _stretch_row(stretch: PartyStretch) -> tuple[str, str, str]:
    return stretch.party_id, clock_face(stretch.since), clock_face(stretch.until)


def _tell_readings(assessment: Assessment, *, is_all: bool) -> None:
    say("")
    if is_all:
        say("Every reading of the clause:")
        show(table(damages_readings.ALL_COLUMNS, damages_readings.all_rows(assessment)))
    else:
        say("Other readings, that differ in one thing from the policy's (--all-readings shows all):")
        show(table(damages_readings.COLUMNS, damages_readings.rows(assessment)))
