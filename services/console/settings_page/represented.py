"""How the choices of those stand whom an agent acts for: some at a time, and few questions side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.chassis.refusals import Refusal, invalid
from services.console.web.asking import Missing, asked
from sluice.consent.v1.consent_service_pb2 import GetChoicesResponse

PAGE = 25
"""Subjects."""
SIDE_BY_SIDE = 8

Ask = Callable[[int], Awaitable[GetChoicesResponse]]


@dataclass(frozen=True)
class Part:
    """Those on one page of the list."""

    subjects: tuple[int, ...]
    next: str
    """The token of the next page; empty on the last."""


@dataclass(frozen=True)
class Represented:
    """One of them."""

    subject_id: int
    found: GetChoicesResponse | Missing | None
    """Their choices that still matter; None where nothing is on record."""


def part_of(subjects: Sequence[int], token: str) -> Part:
    """The page that a token names, which is a place in the list; "" names the first.

    Raises Refusal (invalid, PAGE_TOKEN_INVALID).
    """
    if not (token == "" or (token.isascii() and token.isdecimal() and len(token) < 10)):
        raise invalid("PAGE_TOKEN_INVALID", "no page gave this page token")
    at = int(token or 0)
    end = at + PAGE
    return Part(tuple(subjects[at:end]), str(end) if end < len(subjects) else "")


async def how_they_stand(subjects: Sequence[int], ask: Ask) -> list[Represented]:
    """Each as asked; raises Refusal where that is about more than one of them."""
    room = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(subject_id: int) -> Represented:
        async with room:
            return Represented(subject_id, await _found(subject_id, ask))

    return list(await asyncio.gather(*(one(subject_id) for subject_id in subjects)))


async def _found(subject_id: int, ask: Ask) -> GetChoicesResponse | Missing | None:
    try:
        return await asked(ask(subject_id))
    except Refusal as refusal:
        if refusal.reason != "SUBJECT_UNKNOWN":
            raise
        return None
