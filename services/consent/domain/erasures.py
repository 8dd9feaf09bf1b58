"""Erasing a subject: a deny of everything stays, and the fact that they were erased (C11)."""

from services.consent.domain.choices import Choice, Scope, Stance
from services.consent.domain.subjects import Subject


def erased_subject(at_us: int, revision: int) -> Subject:
    """What is left of a subject."""
    deny = Choice(Stance.DENY, Scope(), at_us, revision)
    return Subject(choices=(deny,), last_stated_us=at_us, erased=True)
