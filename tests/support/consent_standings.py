"""What follows for a subject, held against what checks and explanations say of the same database."""

from services.consent.domain.explanations import explain
from services.consent.domain.subject_standings import standing_of_subject
from tests.support.consent import a_batch, a_question
from tests.support.consent_shelf import SqlShelf

ASKED = ("acme", "fourth")
UNMARKED = 1_000_000
"""A post of which nothing is on record."""
EVER_US = 2**60


async def check_standing(shelf: SqlShelf, subject_id: int) -> None:
    """For each licensee and purpose the index says the same, and so do the whole records, if any are left."""
    known, head = await shelf.custody.known_now(subject_id)
    standing = standing_of_subject(known, ASKED)
    await shelf.register.follow(shelf.index)
    view = shelf.index.view()
    assert head == view.revision
    explained = None
    if not (await shelf.custody.standing(subject_id))[0].erased:
        explained, _ = await shelf.custody.known(subject_id, 0, EVER_US)
        assert (explained.facts, explained.policy) == (known.facts, known.policy)
    batch = a_batch((subject_id,), post_ids=[UNMARKED])
    for licensee, by_purpose in {"anybody": standing.anyone, **standing.licensees}.items():
        for each in by_purpose:
            question = a_question(licensee, each.purpose)
            assert each.reason == view.reasons(question, batch)[0]
            if explained is not None:
                decisive = explain(explained, question)[-1]
                assert (each.reason, each.revision) == (decisive.reason, decisive.revision)
