"""`sluice license dry-run` and `explain`: what a release of a file would come to, and why."""

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from services.chassis.refusals import not_found
from services.console import options, releases
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.explained_posts import ROOM_ALONE, Explained, OnProgress, Question, explained
from services.console.long_work import told
from services.console.names import word_of
from services.console.output import give_json, note, note_json, say, show, table
from services.console.yields import Wanted, yield_of
from sluice.licensing.v1.explanation_service_pb2 import AllowanceStanding
from sluice.licensing.v1.reason_pb2 import Reason
from sluice_gate.batching import DEFAULT_BATCH_POSTS
from sluice_gate.reading.forms import PostForm, detect
from sluice_gate.reading.plain_form import Names

LARGEST_VERSION = 2**31 - 2
"""That can be asked about, as the contract says."""

LicenseId = Annotated[str, typer.Argument(metavar="LICENSE", help="The license.", parser=options.name_id)]
Purpose = Annotated[str, typer.Option(help="What for, such as ai_training_generative.")]
Version = Annotated[
    int,
    typer.Option(
        help="Judge by this version, as if it were active. Else as the license stands.",
        min=0,
        max=LARGEST_VERSION,
    ),
]


@dataclass
class DryRun:
    """What a file would come to."""

    version: int = 0
    """Of the license, as it was applied; 0 where no post could be read."""
    asked: int = 0
    broken: int = 0
    releasable: int = 0
    """Posts that nothing stands in the way of but, perhaps, want of room."""
    denied: Counter[str] = field(default_factory=Counter)
    """By the reason that counts, want of room apart."""
    occurring: Counter[str] = field(default_factory=Counter)
    """How many posts each reason applies to at all, likewise."""
    standings: list[AllowanceStanding] = field(default_factory=list)
    """As they were told last; empty where metering was never asked."""
    told_at_us: int = 0
    batches: list[Wanted] = field(default_factory=list)
    """What each batch with posts would take."""

    @property
    def room_left(self) -> int | None:
        """Posts that every allowance has room for at this moment; None where nothing limits them."""
        return min((room_in(standing) for standing in self.standings), default=None)

    @property
    def released_now(self) -> int:
        """Posts that a release of the file would let go at this moment, before it had to wait for room."""
        return yield_of(self.batches, self.room_left)

    @property
    def never_fit(self) -> int:
        """Releasable posts of batches that are larger than an allowance will ever have room for."""
        return sum(batch.posts for batch in self.batches if batch.never_fits)

    def add(self, one: Explained) -> None:
        """Takes a batch into account."""
        self.broken += len(one.batch.broken)
        if not one.batch.records:
            return
        reasons = one.reasons
        self.asked += len(reasons)
        may_go = np.isin(reasons, ROOM_ALONE)
        wanted = int(np.count_nonzero(may_go))
        self.releasable += wanted
        self.batches.append(Wanted(one.batch.ordinal, wanted, one.answer.room_denial.never_fits))
        numbers, posts = np.unique(reasons[~may_go], return_counts=True)
        for number, count in zip(numbers.tolist(), posts.tolist(), strict=True):
            self.denied[word_of(Reason.DESCRIPTOR, number)] += count
        self._count_all(one.all_reasons[~may_go])
        told_at_us = one.answer.explained_at.ToMicroseconds()
        self.version = one.answer.license_version
        if one.answer.allowances and told_at_us >= self.told_at_us:
            self.standings, self.told_at_us = list(one.answer.allowances), told_at_us

    def _count_all(self, sets: Any) -> None:
        for value in Reason.DESCRIPTOR.values:
            if posts := int(np.count_nonzero(sets >> np.uint64(value.number) & np.uint64(1))):
                self.occurring[word_of(Reason.DESCRIPTOR, value.number)] += posts


def dry_run(
    license_id: LicenseId,
    posts: releases.Posts,
    *,
    purpose: Purpose,
    all_reasons: Annotated[
        bool, typer.Option("--all-reasons", help="Also count each reason of a post, not only the first.")
    ] = False,
    version: Version = 0,
    format: releases.Form = None,
    map: releases.Map = "",
    zone: releases.Zone = None,
    batch_size: releases.BatchSize = DEFAULT_BATCH_POSTS,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Tell what a release of a file would come to now; nothing is reserved, recorded or delivered.

    A release goes batch by batch, and a batch goes whole or not at all for want of room: what would be
    released now is of batches of this size. It passes a batch by that can never fit, and otherwise stops at
    the first one without room.
    """
    question = Question(
        posts,
        _form(posts, format, map, zone),
        license_id,
        options.purpose_number(purpose),
        version,
        batch_size,
    )
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    with told(as_json=as_json) as tell:
        on_progress = _progress(posts, tell)
        found = connections.run(lambda connections: run_dry(connections, question, on_progress))
    if as_json:
        give_json(as_values(found, license_id, all_reasons=all_reasons))
    else:
        _tell(found, license_id, all_reasons=all_reasons)


def explain(
    license_id: LicenseId,
    posts: releases.Posts,
    *,
    purpose: Purpose,
    post: Annotated[
        list[int] | None,
        typer.Option(
            "--post", metavar="ID", help="Only this post; may be repeated.", parser=options.post_number
        ),
    ] = None,
    version: Version = 0,
    format: releases.Form = None,
    map: releases.Map = "",
    zone: releases.Zone = None,
    batch_size: releases.BatchSize = DEFAULT_BATCH_POSTS,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the posts of a file with the reason that counts for each, and all others that apply.

    Consent gives one reason a post, the first by its own order: ask `choices explain` for its records.
    """
    question = Question(
        posts,
        _form(posts, format, map, zone),
        license_id,
        options.purpose_number(purpose),
        version,
        batch_size,
        frozenset(post or ()),
    )
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    with told(as_json=as_json) as tell:
        on_progress = _progress(posts, tell)
        found = connections.run(lambda connections: rows_of(connections, question, on_progress))
    tell_missing(found, question, as_json=as_json)
    if as_json:
        give_json([row.as_values() for row in found])
        return
    shown = [(row.line, row.post_id, row.counts, ", ".join(row.others)) for row in found]
    show(table((">line", ">post", "reason", "also"), [(line, str(id), *rest) for line, id, *rest in shown]))


@dataclass(frozen=True, order=True)
class ExplainedRow:
    """One post."""

    line: int
    post_id: int
    counts: str
    """The word of the reason that counts."""
    others: tuple[str, ...]
    """Those of all others that apply, by number."""

    def as_values(self) -> dict[str, Any]:
        """As JSON values; an id is text, for it may be over 2^53."""
        return {"line": self.line, "post_id": str(self.post_id), "reason": self.counts, "also": self.others}


async def run_dry(connections: Connections, question: Question, on_progress: OnProgress) -> DryRun:
    """Asks for every batch of the file; raises Refusal and FormError."""
    found = DryRun()
    async with contextlib.aclosing(explained(connections, question, on_progress)) as answers:
        async for one in answers:
            found.add(one)
    return found


async def rows_of(
    connections: Connections, question: Question, on_progress: OnProgress
) -> list[ExplainedRow]:
    """The posts in question, in the order of the file; raises Refusal and FormError."""
    rows: list[ExplainedRow] = []
    async with contextlib.aclosing(explained(connections, question, on_progress)) as answers:
        async for one in answers:
            posts = enumerate(one.batch.posts)
            rows += [_row(one, place) for place, post in posts if question.is_about(post)]
    return sorted(rows)


def tell_missing(rows: Sequence[ExplainedRow], question: Question, *, as_json: bool) -> None:
    """Notes which posts that were asked for are not in the file; raises Refusal POST_UNKNOWN if none is."""
    missing = sorted(question.only - {row.post_id for row in rows})
    if not missing:
        return
    said = f"not in {question.posts.name}, or not readable there: post {', '.join(map(str, missing))}"
    if not rows:
        raise not_found("POST_UNKNOWN", said)
    if as_json:
        note_json({"missing": list(map(str, missing))})
    else:
        note(said[0].upper() + said[1:] + ".")


def _row(one: Explained, place: int) -> ExplainedRow:
    record, counts, bits = one.batch.records[place], int(one.reasons[place]), int(one.all_reasons[place])
    numbers = [number for number in range(64) if bits >> number & 1 and number != counts]
    others = tuple(word_of(Reason.DESCRIPTOR, number) for number in numbers)
    return ExplainedRow(record.line, record.post.id, word_of(Reason.DESCRIPTOR, counts), others)


def room_in(standing: AllowanceStanding) -> int:
    """Posts that still fit; never less than 0, though a limit may have been lowered."""
    return max(0, standing.limit - standing.used)


def as_values(found: DryRun, license_id: str, *, all_reasons: bool) -> dict[str, Any]:
    """A dry run as JSON values."""
    return {
        "license_id": license_id,
        "license_version": found.version,
        "asked": found.asked,
        "releasable": found.releasable,
        "released_now": found.released_now,
        "never_fit": found.never_fit,
        "room_left": found.room_left,
        "denied": dict(found.denied),
        **({"all_reasons": dict(found.occurring)} if all_reasons else {}),
        "allowances": [
            {
                "allowance": standing.allowance,
                "limit": standing.limit,
                "used": standing.used,
                "room": room_in(standing),
            }
            for standing in found.standings
        ],
        "broken": found.broken,
    }


def _tell(found: DryRun, license_id: str, *, all_reasons: bool) -> None:
    figures = [
        ("asked", found.asked),
        ("would be released, as far as there is room", found.releasable),
        ("  now, in batches of this size", found.released_now),
        ("  in batches that can never fit", found.never_fit),
        *((f"  denied, {reason}", posts) for reason, posts in found.denied.most_common()),
        ("broken lines", found.broken),
    ]
    show(table(("", ">posts"), figures))
    if all_reasons:
        show(table(("reason, alone or with others", ">posts"), found.occurring.most_common()))
    if found.standings:
        rows = [(each.allowance, each.limit, each.used, room_in(each)) for each in found.standings]
        show(table(("allowance", ">limit", ">used", ">room"), rows))
    elif not found.releasable:
        note("Nothing may go, so nobody asked whether there is room.")
    version = f", version {found.version}" if found.version else ""
    say(f"Nothing was reserved, recorded or delivered under license {license_id}{version}.")


def _form(posts: Path, format: releases.Form, map: str, zone: str | None) -> PostForm:
    return PostForm(format or detect(posts), Names.parse(map), zone)


def _progress(posts: Path, tell: Any) -> OnProgress:
    return lambda done, size: tell(f"asking about {posts.name}", done, size)
