"""The demo's story: what is released, what is not, and what shows it. Each claim is checked as it is told."""

import shutil
from pathlib import Path

from services.chassis.clock import SystemClock
from services.console import moments
from services.console.choices import record_choice
from services.console.decisions import get_decision, trace_of
from services.console.demo import opening, papers, reaching
from services.console.demo.background import in_background
from services.console.demo.measuring import the_services_alone
from services.console.demo.opening import BATCH, reasons, today
from services.console.demo.stage import Released
from services.console.demo.telling import Telling
from services.console.license_calls import activate_license, create_license, resume_license, suspend_license
from services.console.names import word_of
from services.console.output import table
from services.console.receipts import what_was_checked
from services.console.releases import figures
from services.console.waterfall import draw
from sluice.consent.v1.choice_pb2 import Choice
from sluice.licensing.v1.license_pb2 import LicenseState
from sluice_gate.errors import VerificationError
from sluice_gate.report import Ended
from sluice_gate.verifying.jobs import verify_job
from sluice_gate.verifying.keys import Keys, load_keys

SIDE_POSTS = 4_000
"""Posts that the trial asks for."""
TRIAL_LIMIT = 1_500
TRIAL_BATCH = 250
BEST_RATE = "verdicts a second at batch 1,000, durable: from file to file, better of two"


async def tell(telling: Telling, posts: Path | None, posts_count: int, accounts: int) -> None:
    """All chapters after the services have started. Raises Refusal and GateError."""
    if posts is None:
        await opening.a_platform(telling, posts_count, accounts)
    else:
        await opening.a_file(telling, posts)
    await opening.a_license(telling)
    await opening.a_policy(telling)
    await opening.people_choose(telling)
    first = await the_release(telling)
    await the_receipts(telling, first)
    second, author = await somebody_changes_their_mind(telling, first)
    await reaching.what_was_released_before_is_recalled(telling, first, author)
    await the_license_is_suspended(telling)
    await an_allowance_runs_out(telling, second)
    await one_decision(telling, first)
    await reaching.the_books_agree(telling)
    telling.say.chapter("The figures")
    await the_services_alone(telling)


async def the_release(telling: Telling) -> Released:
    """Everything is asked for; what is written is looked at."""
    say, stage = telling.say, telling.stage
    say.chapter("The release")
    with say.long_step("releasing") as step:
        released = await stage.release("released", papers.LICENSE, stage.posts, step)
    report = released.report
    say.show(table(("", ">posts"), figures(report)))
    written, broken_promises = await in_background(lambda: _look(released, stage.declined))
    say.tell(
        f"We looked into each of the {written:,} posts written, and into what they embed: of the"
        f" {len(stage.declined):,} accounts that opted out, {broken_promises:,} posts are there."
    )
    ended = f"{report.ended.value} {report.message}".rstrip()
    say.check(report.ended is Ended.FINISHED, f"the release finishes (it did this: {ended})")
    say.check(written == report.released > 0, "the file holds as many posts as were released")
    say.check(broken_promises == 0, "nobody who opted out is in the file")
    say.check(report.asked == report.released + report.denied.total(), "every post is released or denied")
    telling.figures[BEST_RATE] = report.posts_per_second
    telling.figures["decisions in the first, each with a receipt"] = report.receipts
    return released


async def the_receipts(telling: Telling, first: Released) -> None:
    """All of it is verified with no server, and a forgery is found."""
    say, stage = telling.say, telling.stage
    say.chapter("The receipts")
    keys = load_keys(stage.state.existing_keys().receipt_jwks)
    with say.long_step("verifying") as step:
        verified = await in_background(lambda: verify_job(first.out, keys, posts=stage.posts))
        seconds = step.seconds
    say.tell(f"Verified in {seconds:.1f} s with the public key alone:")
    for line in what_was_checked(verified, compared=True):
        say.tell(f"  {line}")
    say.check(verified.receipts == first.report.receipts, "every receipt is verified")
    say.check(verified.delivered == first.report.released, "every released post is verified")
    telling.figures["posts verified a second"] = verified.asked / seconds
    reason = await in_background(lambda: _why_rejected_with_a_post_missing(first, keys))
    say.tell(f"One post taken out of the file, and it no longer verifies: {reason}.")
    say.check(bool(reason), "an output with a post missing is rejected")


async def somebody_changes_their_mind(telling: Telling, first: Released) -> tuple[Released, int]:
    """The author with most posts in the release opts out, and the next release has none of them.

    Gives that release, and who it was.
    """
    say, stage = telling.say, telling.stage
    say.chapter("Somebody changes their mind")
    [(author, before)] = first.posts_by().most_common(1)
    choice = Choice(subject_id=author, stance="STANCE_DENY", everyone=True, all_purposes=True)
    with say.long_step("recording") as step:
        answer = await record_choice(stage.operator, choice)
        seconds = step.seconds
    stage.changed_their_mind = author
    say.tell(f"Account {author} has {before:,} posts in that file. Now they opt out.")
    say.tell(
        f"It is durable and acknowledged in {seconds * 1e3:.1f} ms, as revision {answer.revision.number:,}."
        f" The last permit given before it ends by {moments.clock_face(answer.in_force_after)}."
    )
    with say.long_step("releasing again") as step:
        second = await stage.release("released-again", papers.LICENSE, stage.posts, step)
    _, theirs_before = await in_background(lambda: _look(first, {author}))
    _, theirs_after = await in_background(lambda: _look(second, {author}))
    missing = first.report.released - second.report.released
    say.tell(
        f"The next release begins at once. It holds {theirs_after:,} posts by them or with anything of theirs"
        f" in it, where there were {theirs_before:,}; {missing:,} fewer in all."
    )
    say.check(before > 0 and theirs_after == 0, "an opt-out holds from its acknowledgement")
    say.check(missing == theirs_before, "what they said no to is missing, and nothing else")
    telling.figures["opt-out acknowledged, ms"] = seconds * 1e3
    best = max(first.report.posts_per_second, second.report.posts_per_second)
    telling.figures[BEST_RATE] = best
    return second, author


async def the_license_is_suspended(telling: Telling) -> None:
    """While the license is suspended nothing goes under it."""
    say, stage = telling.say, telling.stage
    say.chapter("The license is suspended")
    license = await suspend_license(stage.operator, papers.LICENSE, "a question of payment")
    asked = await stage.release("suspended", papers.LICENSE, stage.some_posts(BATCH))
    state = word_of(LicenseState.DESCRIPTOR, license.state)
    say.tell(
        f"License {license.license_id} is {state}: {license.state_reason}. {asked.report.asked:,} posts are"
        f" asked for, {asked.report.released:,} go ({reasons(asked.report.denied)})."
    )
    say.check(asked.report.released == 0, "nothing goes under a suspended license")
    only = set(asked.report.denied) == {"LICENSE_NOT_ACTIVE"}
    say.check(only and asked.report.asked > 0, "every post is denied for the license")
    resumed = await resume_license(stage.operator, papers.LICENSE, "it was answered")
    say.tell(f"Then it is {word_of(LicenseState.DESCRIPTOR, resumed.state)} again.")


async def an_allowance_runs_out(telling: Telling, before: Released) -> None:
    """A small allowance is used up, and the denial says when to come back."""
    say, stage = telling.say, telling.stage
    say.chapter("An allowance runs out")
    limit = max(2, min(TRIAL_LIMIT, before.report.released // 3))
    # A batch that could never fit is denied and passed by; one that merely comes too late stops the job.
    batch = min(TRIAL_BATCH, limit // 2)
    terms = papers.a_license(papers.TRIAL, limit, ('"*"',), ('"*"',), day=today())
    draft = await create_license(stage.operator, terms)
    await activate_license(stage.operator, draft, "a trial")
    posts = stage.some_posts(SIDE_POSTS)
    with say.long_step("releasing under the trial") as step:
        trial = await stage.release("trial", papers.TRIAL, posts, step, batch_size=batch)
    report = trial.report
    say.tell(
        f"A trial license allows {limit:,} posts in any 24 hours. {report.released:,} went;"
        f" the next {batch:,} asked for found no room, and the job stopped."
    )
    say.check(report.ended is Ended.NO_ROOM, f"the job ends for want of room (it {report.ended.value})")
    say.check(0 < report.released <= limit, "no more goes than the allowance allows")
    if report.retry_at_us is not None:
        hours = (report.retry_at_us - SystemClock().now_us()) / 3.6e9
        at = moments.clock_face(moments.from_us(report.retry_at_us))
        say.tell(f"There is room again by {at}, in {hours:.1f} hours. The run can be resumed then.")
    say.check(report.retry_at_us is not None, "the denial says when to try again")


async def one_decision(telling: Telling, first: Released) -> None:
    """A decision of the first release, as every service saw it."""
    say, stage = telling.say, telling.stage
    say.chapter("One decision, seen from inside")
    decision = await get_decision(stage.operator, first.decision_ids()[-1])
    spans = await trace_of(decision, stage.state.traces)
    services = {span.service for span in spans}
    say.tell(f"Decision {decision.decision_id} is on {len(decision.verdicts):,} posts.")
    say.show(draw(spans))
    say.check(services == {"consent", "metering", "licensing"}, "one trace goes through all three services")


def _look(released: Released, people: set[int]) -> tuple[int, int]:
    """Posts in the output, and those of them to which any of `people` contributed."""
    posts = theirs = 0
    for _, contributed in released.contributors():
        posts += 1
        theirs += not contributed.isdisjoint(people)
    return posts, theirs


def _why_rejected_with_a_post_missing(first: Released, keys: Keys) -> str:
    """Takes the last post out of a copy of the output and verifies that; "" if nobody noticed."""
    forged = first.out.with_name(f"forged{first.out.suffix}")
    for path in first.out.parent.glob(f"{first.out.name}*"):
        shutil.copyfile(path, path.with_name(path.name.replace(first.out.name, forged.name, 1)))
    lines = forged.read_bytes().splitlines(keepends=True)
    forged.write_bytes(b"".join(lines[:-1]))
    try:
        verify_job(forged, keys)
    except VerificationError as error:
        return f"{error.reason}, {error.message}"
    return ""
