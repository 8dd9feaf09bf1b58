"""The first chapters of the demo: a platform, a licensee, a policy, and what people choose."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from services.chassis.clock import SystemClock
from services.chassis.refusals import unavailable
from services.console import moments
from services.console.connections import Connections
from services.console.demo import papers, world
from services.console.demo.stage import contributors
from services.console.demo.telling import Telling
from services.console.license_calls import activate_license, create_license
from services.console.licensees import create_licensee
from services.console.policies import all_policies, publish_policy
from sluice.consent.v1.policy_pb2 import Policy
from sluice_gate.reading.forms import PostForm, detect

BATCH = 1_000
NOTICE_US = 2_000_000
"""A policy is announced so long before it takes effect."""
PATIENCE_SECONDS = 20.0
"""How long to wait for it to take effect."""
LIMIT_PER_POST = 3
"""The file is released twice, and some of it is asked for once more, all on one day."""
SHARE_OPTING_OUT = 0.15
SHARE_OPTING_IN = 0.40


async def a_platform(telling: Telling, posts_count: int, accounts: int) -> None:
    """Makes up accounts and posts, and tells consent who is who."""
    say, stage = telling.say, telling.stage
    say.chapter("A platform")
    stage.accounts = world.make_accounts(accounts, stage.seed)
    posts = stage.folder / "posts.jsonl"
    with say.long_step("writing posts") as step:
        now_us = SystemClock().now_us()
        for done in world.write_posts(posts, stage.accounts, posts_count, stage.seed, now_us):
            step.advance(done, posts_count)
            await asyncio.sleep(0)
    stage.use_posts(posts, posts_count)
    size = posts.stat().st_size / 1e6
    say.tell(
        f"{accounts:,} accounts have written {posts_count:,} posts, {size:.1f} MB. All of it is made up."
    )
    await _introduce_subjects(telling)


async def a_file(telling: Telling, posts: Path) -> None:
    """Takes somebody's posts; everyone found in them becomes a subject who was served the notice."""
    say, stage = telling.say, telling.stage
    say.chapter("A file of posts")
    count, people = 0, set[int]()
    for _, contributed in contributors(posts, PostForm(detect(posts))):
        count += 1
        people |= contributed
    stage.use_posts(posts, count)
    stage.accounts = [world.Account(id, "US", "", noticed=True) for id in sorted(people - {0})]
    say.tell(f"{posts.name} holds {count:,} posts by {len(stage.accounts):,} people, embedded ones counted.")
    await _introduce_subjects(telling)


async def a_license(telling: Telling) -> None:
    """A licensee and a license for everything that the demo licenses."""
    say, stage = telling.say, telling.stage
    say.chapter("A license")
    await create_licensee(stage.operator, papers.LICENSEE, papers.LICENSEE_NAME)
    limit = daily_limit(stage.posts_count)
    terms = papers.a_license(papers.LICENSE, limit, *_covered(telling), day=today())
    draft = await create_license(stage.operator, terms)
    active = await activate_license(stage.operator, draft, "the demo")
    allowance, places = active.terms.allowances[0], ", ".join(active.terms.author_jurisdictions)
    say.tell(
        f"{papers.LICENSEE_NAME} may have posts to train generative models: at most {allowance.limit:,} in"
        f" any 24 hours, by people in {places.replace('*', 'any place')}."
        " What the license does not list is not licensed."
    )


async def a_policy(telling: Telling) -> None:
    """A policy that takes effect after a while, and before that releases nothing."""
    say, stage = telling.say, telling.stage
    say.chapter("A policy")
    announced = papers.a_policy(moments.from_us(SystemClock().now_us() + NOTICE_US))
    answer = await publish_policy(stage.operator, announced)
    due = moments.clock_face(answer.policy.effective_at)
    say.tell(f"Version {answer.policy.version} is announced for {due}.")
    early = await stage.release("early", papers.LICENSE, stage.some_posts(BATCH))
    asked, released = early.report.asked, early.report.released
    say.tell(f"{asked:,} posts are asked for before that: {released:,} go ({reasons(early.report.denied)}).")
    say.check(early.report.released == 0, "nothing goes before the first policy is in effect")
    say.check(early.report.denied["NO_POLICY"] > 0, "posts are denied for want of a policy")
    policy = await _in_effect(stage.operator, answer.policy.version)
    late_ms = (policy.activated_at.ToMicroseconds() - policy.effective_at.ToMicroseconds()) / 1_000
    say.tell(f"It took effect {late_ms:.0f} ms after its time, as revision {policy.activation_revision:,}.")
    say.check(late_ms >= 0, "a policy never takes effect before its time")


async def people_choose(telling: Telling) -> None:
    """Some opt out everywhere; some of those who must opt in do."""
    say, stage = telling.say, telling.stage
    say.chapter("People choose")
    dice = np.random.default_rng([stage.seed, 3])
    rolls = dice.random(len(stage.accounts)).tolist()
    out = [a.id for a, roll in zip(stage.accounts, rolls, strict=True) if roll < SHARE_OPTING_OUT]
    asked_first = [
        a.id
        for a, roll in zip(stage.accounts, rolls, strict=True)
        if a.jurisdiction in papers.OPT_IN and roll > 1 - SHARE_OPTING_IN
    ]
    declined = await stage.import_choices("deny", out)
    say.tell(f"{declined.accepted:,} of {len(stage.accounts):,} accounts opt out, of everything.")
    say.check(declined.accepted == len(out) and not declined.bad, "every opt-out is recorded")
    stage.declined = set(out)
    if asked_first:
        allowed = await stage.import_choices("allow", asked_first)
        places = " and ".join(papers.OPT_IN)
        say.tell(f"In {places} silence is a no; {allowed.accepted:,} accounts there say yes.")
        say.check(allowed.accepted == len(asked_first) and not allowed.bad, "every opt-in is recorded")


def daily_limit(posts_count: int) -> int:
    """Posts that the license of the demo allows a day: enough for all that is done with so many."""
    return LIMIT_PER_POST * max(posts_count, BATCH)


def today() -> str:
    """The day it is, UTC."""
    return datetime.now(UTC).date().isoformat()


def reasons(denied: Counter[str]) -> str:
    """Posts by reason in one line."""
    return ", ".join(f"{reason.lower()} {count:,}" for reason, count in denied.most_common())


async def _introduce_subjects(telling: Telling) -> None:
    say, stage = telling.say, telling.stage
    with say.long_step("importing subjects") as step:
        totals = await stage.import_subjects(step)
        rate = totals.accepted / step.seconds
    say.tell(f"Consent now knows {totals.accepted:,} subjects, taken over at {rate:,.0f} a second.")
    say.check(totals.accepted == len(stage.accounts) and not totals.bad, "every account becomes a subject")
    telling.figures["subjects imported a second"] = rate


async def _in_effect(connections: Connections, version: int) -> Policy:
    """The policy once it is in effect; raises Refusal (unavailable, POLICY_LATE) after a while."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for policy in await all_policies(connections):
                    if policy.version == version and policy.HasField("activated_at"):
                        return policy
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise unavailable("POLICY_LATE", f"policy {version} did not take effect in time") from None


def _covered(telling: Telling) -> tuple[Sequence[str], Sequence[str]]:
    """Languages and jurisdictions of the license; somebody's own file is licensed whatever it holds."""
    if telling.made_up:
        return papers.LICENSED_LANGUAGES, papers.LICENSED_JURISDICTIONS
    return ('"*"',), ('"*"',)
