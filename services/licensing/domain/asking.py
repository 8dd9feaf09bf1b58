"""What a licensee asks for: posts by their ids alone, and what the platform's directory makes of them.

What was sent is the ids, and its one byte form is S of docs/receipt-format.md; what is decided on is a batch
like any other. An unknown post stands in it with its id and nothing else.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.chassis.refusals import invalid
from services.licensing.domain.posts import Batch, Ids, Mask, check_size
from services.licensing.domain.reasons import COARSE, Objection, Reason, Reasons, Verdict, Verdicts

ONE_OF_EACH = frozenset(
    {Reason.FAULT_ID, Reason.DUPLICATE, Reason.LICENSE_NOT_ACTIVE, Reason.PURPOSE_NOT_LICENSED}
)
"""What can be objected to a post of which nothing but the id is known."""
PROBE_PARTIES = "probes."
"""What the parties begin with under which metering counts denials; no licensee has an id like that."""
COUNTED = (Verdict.NOT_COVERED, Verdict.NOT_AVAILABLE)
"""Verdicts that tell a licensee something about a post without its being released."""


@dataclass(frozen=True, eq=False)
class PostIds:
    """N posts that a licensee names, for one license and one purpose. Made by `of`, which checks them."""

    license_id: str
    purpose: int
    """A number that may lie outside the closed table; that denies, it does not fail."""
    ids: Ids
    """N; 0 is a fault, one that comes again a duplicate."""

    @classmethod
    def of(cls, license_id: str, purpose: int, ids: Sequence[int]) -> "PostIds":
        """Raises Refusal (invalid): PURPOSE_UNSPECIFIED, EMPTY_BATCH, TOO_MANY_POSTS."""
        if purpose == 0:
            raise invalid("PURPOSE_UNSPECIFIED", "a purpose must be given", field="purpose")
        check_size(len(ids))
        return cls(license_id, purpose, np.asarray(ids, "<u8"))

    @cached_property
    def distinct(self) -> Ids:
        """The ids to look up: each once, without 0, in the order in which they are first named."""
        _, first = np.unique(self.ids, return_index=True)
        ids: Ids = self.ids[np.sort(first)]
        return np.compress(ids != 0, ids)

    @property
    def posts(self) -> int:
        """How many verdicts can count as a denied probe: each post once, and each 0.

        A duplicate repeats what stands before; but 0 is a fault wherever it stands, and a fault comes first.
        """
        return len(self.distinct) + int(np.count_nonzero(self.ids == 0))

    def canonical(self) -> bytes:
        """S of docs/receipt-format.md."""
        blocks = (
            self.license_id.encode(),
            (self.purpose & 0xFFFF_FFFF).to_bytes(4, "little"),
            self.ids.tobytes(),
        )
        return b"".join(part for block in blocks for part in (len(block).to_bytes(8, "little"), block))

    def fingerprint(self) -> bytes:
        """H(S), 32 bytes: another one under the same request id is other content."""
        return hashlib.sha256(self.canonical()).digest()


@dataclass(frozen=True, eq=False)
class ByIds:
    """That a request was made by ids, and what came of it before it was decided."""

    asked: PostIds
    unknown: Mask
    """N booleans: nothing is known of the post, or needed, for it stands before."""
    probe_id: str | None
    """The reservation that holds room for what may be denied.

    None where the license denies every post, whatever it is: nothing was looked up, and nothing is counted.
    """


def resolve(asked: PostIds, found: Batch | None) -> tuple[Batch, Mask]:
    """The batch of N posts to decide on, and N booleans: of which of them nothing is known, or needed.

    `found` are those of `asked.distinct` that the directory knows, in this order; None where it knows none.
    What is asked for again is not filled in again: a request could hold more embeds than its posts have.
    """
    unknown = np.ones(len(asked.ids), np.bool_)
    # One row more than the directory gave stands for all of which nothing is known.
    rows = np.full(len(asked.ids), 0 if found is None else len(found))
    if found is not None:
        _, first = np.unique(asked.ids, return_index=True)
        order = np.argsort(found.ids)
        at = np.minimum(np.searchsorted(found.ids[order], asked.ids[first]), len(found) - 1)
        known = found.ids[order[at]] == asked.ids[first]
        rows[first[known]] = order[at][known]
        unknown[first[known]] = False
    return _taken(asked, found, rows), unknown


def _taken(asked: PostIds, found: Batch | None, rows: NDArray[np.intp]) -> Batch:
    blank = rows == (0 if found is None else len(found))
    counts = np.append(found.embed_counts if found else np.empty(0, np.uint32), np.uint32(0))
    starts = np.append(found.embed_offsets[:-1] if found else np.empty(0, np.uint32), np.uint32(0))
    offsets = np.zeros(len(rows) + 1, np.uint32)
    np.cumsum(counts[rows], out=offsets[1:])
    embeds = np.arange(offsets[-1], dtype=np.int64) + np.repeat(
        starts[rows].astype(np.int64) - offsets[:-1], counts[rows]
    )
    languages = (*found.languages, "") if found else ("",)

    def column(name: str, blank: int = 0) -> NDArray[Any]:
        known = np.empty(0, np.uint8) if found is None else getattr(found, name)
        return np.append(known, known.dtype.type(blank))[rows]

    return Batch.of(
        license_id=asked.license_id,
        purpose=asked.purpose,
        languages=languages,
        ids=asked.ids,
        author_ids=column("author_ids"),
        kinds=column("kinds"),
        media_flags=column("media_flags"),
        posted_at_us=column("posted_at_us"),
        language_indexes=np.where(blank, len(languages) - 1, column("language_indexes")),
        embed_offsets=offsets,
        embed_ids=found.embed_ids[embeds] if found else np.empty(0, "<u8"),
        embed_author_ids=found.embed_author_ids[embeds] if found else np.empty(0, "<u8"),
    )


def applicable(objections: Sequence[Objection], unknown: Mask) -> tuple[Objection, ...]:
    """The objections, without those to unknown posts that would rest on facts about them."""
    return tuple(
        (reason, applies if reason in ONE_OF_EACH else applies & ~unknown) for reason, applies in objections
    )


def without_unknown(objections: Reasons, reasons: Reasons, unknown: Mask) -> Reasons:
    """N reasons, once consent has answered: what is not known is denied, whatever consent said of it."""
    denied = reasons.copy()
    denied[(objections == 0) & unknown] = Reason.POST_UNKNOWN
    return denied


def covered_in(reasons: Reasons) -> Mask:
    """N booleans: what license and faults let pass, whether consent then denied it, or nobody knew it."""
    verdicts = COARSE[reasons]
    return np.equal(verdicts, Verdict.RELEASED) | np.equal(verdicts, Verdict.NOT_AVAILABLE)


def without_room(reasons: Reasons) -> Reasons:
    """N reasons, where there is no room for what would go: then all that is covered reads alike.

    Want of room is not counted as a probe, so it must not tell who has opted out.
    """
    limited = reasons.copy()
    limited[covered_in(reasons)] = Reason.NO_ROOM
    return limited


def probes_in(verdicts: Verdicts) -> int:
    """Posts whose denial told a licensee something; duplicates, and posts without room, do not count."""
    return int(np.count_nonzero(np.isin(verdicts, COUNTED)))
