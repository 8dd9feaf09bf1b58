"""The chapters that reach back: what was released before somebody opted out, and whether the books agree."""

import asyncio

from services.chassis.identity import PrincipalKind
from services.console import moments, recall_calls, recall_files
from services.console.connections import Connections
from services.console.credentials import Local, own_tokens
from services.console.demo import papers
from services.console.demo.background import in_background
from services.console.demo.stage import Released
from services.console.demo.telling import Telling
from services.console.manifest_proofs import manifest_proof
from services.console.names import word_of
from services.console.output import counted
from services.console.reconcile import run_checks
from services.console.subject_releases import all_releases
from sluice.licensing.v1.recall_pb2 import Attestation, Recall, RecallResolution, RecallState
from sluice_gate.verifying.keys import load_keys
from sluice_gate.verifying.manifest_proofs import manifest_proof_of, verify_manifest_proof

SETTINGS = {"licensing": {"recall_interval_seconds": "1"}}
"""Recalls go out at once: nobody waits for a minute in a story."""
LONGEST_SECONDS = 60.0


async def what_was_released_before_is_recalled(telling: Telling, first: Released, author: int) -> None:
    """The licensee is told to delete what of the author is in the first release, and answers."""
    say, stage = telling.say, telling.stage
    say.chapter("What was released before is recalled")
    with say.long_step("waiting for the recall"):
        recall = await _issued(stage.operator)
    say.check(recall is not None, f"{papers.LICENSEE} is sent a recall")
    if recall is None:
        return
    named = await _named(stage.operator, recall)
    theirs = await in_background(lambda: first.with_anything_of(author))
    issued, due = moments.clock_face(recall.issued_at), moments.clock_face(recall.due_at)
    say.tell(
        f"At {issued} {recall.licensee_id} is sent recall {recall.number}: {counted(recall.posts, 'post')},"
        f" to be gone by {due}. It says neither whose they are nor why."
    )
    say.check(named == theirs and bool(theirs), "it names what was released of them, and nothing else")
    licensee = Local(PrincipalKind.LICENSEE, papers.LICENSEE)
    addresses = {"licensing": stage.licensing}
    async with Connections(addresses, own_tokens(stage.state, licensee)) as answering:
        await recall_calls.acknowledge(answering, recall.recall_id)
        resolved = await recall_calls.resolve(answering, recall.recall_id, _deleted())
    say.tell(f"The licensee attests: {word_of(RecallState.DESCRIPTOR, resolved.state)}.")
    await _what_the_author_is_told(telling, author, len(theirs))


async def _what_the_author_is_told(telling: Telling, author: int, posts: int) -> None:
    say, stage = telling.say, telling.stage
    releases = await all_releases(stage.operator, author)
    recalled = [each for each in releases if each.recalls]
    say.tell(
        f"Account {author} can ask who has their posts: {counted(len(releases), 'decision')} released some to"
        f" {papers.LICENSEE}, and each was recalled."
    )
    say.check(sum(each.posts for each in releases) == posts, "they are told of every post that went")
    say.check(len(recalled) == len(releases) > 0, "and that it was recalled")
    keys = load_keys(stage.state.existing_keys().receipt_jwks)
    [newest, *_] = releases
    answer = await manifest_proof(stage.operator, newest.decision_id, author)
    shown = verify_manifest_proof(manifest_proof_of(answer.proof), author, keys)
    held = counted(len(shown.posts), "post")
    say.tell(f"A proof of the newest one is verified with the public key alone: {held}.")
    say.check(len(shown.posts) == newest.posts, "the proof shows their posts, and nobody else's")


async def the_books_agree(telling: Telling) -> None:
    """Everything that happened is compared with everything that followed from it."""
    say, stage = telling.say, telling.stage
    say.chapter("The books")
    with say.long_step("comparing"):
        checks = await run_checks(stage.operator, 0, _Silent())
    compared = sum(check.compared for check in checks)
    differences = sum(check.difference_count for check in checks)
    say.tell(
        f"{len(checks)} checks compare decisions, receipts, the log, manifests, settlements, holds and sums:"
        f" {compared:,} comparisons, {counted(differences, 'difference')}."
    )
    say.check(differences == 0 < compared, "the books of all services agree")


class _Silent:
    """Tells nothing on the way."""

    def started(self, check: str) -> None:
        """Not told."""

    def goes_on(self, check: object) -> None:
        """Not told."""

    def done(self, check: object) -> None:
        """Not told."""


async def _issued(operator: Connections) -> Recall | None:
    """The first recall, as soon as it is issued; None when that has taken too long."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS), recall_calls.follow(operator, None, 0) as steps:
            async for step in steps:
                if step.HasField("recall"):
                    return step.recall
    except TimeoutError:
        pass
    return None


async def _named(operator: Connections, recall: Recall) -> set[int]:
    """The ids of all posts in a recall."""
    found: set[int] = set()
    async for page in recall_calls.entry_pages(operator, recall.recall_id):
        for release in (release for entry in page for release in entry.releases):
            found.update(recall_files.post_ids(release))
    return found


def _deleted() -> RecallResolution:
    statement = "All copies are deleted, those in backups too."
    attestation = Attestation(name=papers.LICENSEE, role="the licensee of this story", statement=statement)
    return RecallResolution(outcome="RECALL_STATE_DELETED", attestation=attestation)
