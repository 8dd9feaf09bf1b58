"""Small valid bundles of evidence, to be altered: figures by metering's domain, folders by the console.

The root is computed here in the most obvious way, by nothing that the verifier uses.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from services.console.damages_bundles import write_bundle
from services.console.damages_rows import Rows
from services.metering.domain.damages.amounts import Rate
from services.metering.domain.damages.liability import split
from services.metering.domain.damages.periods import Period
from services.metering.domain.damages.readings import Claims, Clause, Overlap, Reading
from services.metering.domain.damages.tariffs import Rounding
from tests.support.damages import Listed

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
SINCE_US = 20_000 * DAY_US
UNTIL_US = SINCE_US + 30 * DAY_US
EVERY_ACCESS = ["ACCESS", "REQUEST", "VIEW"]
NUMBERS = {"REQUEST": 1, "VIEW": 2, "ACCESS": 3}

Json = dict[str, Any]


class Row(NamedTuple):
    """A row of evidence."""

    at_us: int
    number: int
    party: str
    origin: int
    access: int
    kind: int
    media: int
    posts: int
    source: str
    id: str


WIDTHS = {"at_us": 8, "number": 8, "origin": 1, "access": 1, "kind": 1, "media": 1, "posts": 8}


def seen(after_us: int, posts: int, party: str = "bot", number: int = 1, **others: Any) -> Row:
    """An access seen elsewhere, so long after the beginning of what is assessed."""
    key = {"source": "edge", "id": f"id:line-{number}"}
    values = {"origin": 2, "access": 3, "kind": 1, "media": 0} | key | others
    return Row(at_us=SINCE_US + after_us, number=number, party=party, posts=posts, **values)


def released(after_us: int, posts: int, party: str = "bot", number: int = 1, **others: Any) -> Row:
    """Licensed volume."""
    return seen(after_us, posts, party, number, **({"origin": 1, "source": "", "id": ""} | others))


def root_of(rows: Sequence[Row], chunk_rows: int) -> str:
    """Hex, as docs/evidence-format.md says it."""
    digests = b""
    chunks = [rows[first : first + chunk_rows] for first in range(0, len(rows), chunk_rows)]
    for chunk in chunks:
        data = b"sluice/evidence/v1" + len(chunk).to_bytes(8, "little")
        for name in Row._fields:
            values = [getattr(row, name) for row in chunk]
            if name in WIDTHS:
                data += b"".join(value.to_bytes(WIDTHS[name], "little", signed=value < 0) for value in values)
            else:
                texts = [value.encode() for value in values]
                data += b"".join(len(text).to_bytes(4, "little") for text in texts) + b"".join(texts)
        digests += hashlib.sha256(data).digest()
    return hashlib.sha256(
        b"sluice/evidence-root/v1" + len(chunks).to_bytes(8, "little") + digests
    ).hexdigest()


def a_policy(**others: Any) -> Json:
    """More than 100 posts within 24 hours cost 15.00 USD for each 50."""
    return {
        "version": 3,
        "title": "Terms of service, 12.4",
        "terms_digest": "ab" * 32,
        "threshold": 100,
        "window_us": DAY_US,
        "unit": 50,
        "currency": "USD",
        "rate_nanos": 15 * 10**9,
        "decimals": 2,
        "rounding": "WHOLE_UNITS",
        "overlap": "DISJOINT",
        "accesses": ["ACCESS", "VIEW"],
        "licensed_volume_counts": False,
        "not_enforceable": [{"jurisdiction": "FR", "reason": "a penalty"}],
    } | others


def a_document(rows: Sequence[Row], policy: Json | None = None, **others: Any) -> Json:
    """An assessment of these rows, whose figures are metering's."""
    policy = policy or a_policy()
    chunk_rows = others.pop("chunk_rows", 4)
    parties = sorted({row.party for row in rows})
    document: Json = {
        "format": "sluice-assessment-1",
        "assessment_id": "0190163d-8694-739b-aea5-966c26f8ad90",
        "recorded_at_us": UNTIL_US + HOUR_US,
        "recorded_by": "operator:ann",
        "as_of": {"epoch": 1, "number": 1_000},
        "of": {"group": "bots"},
        "since_us": SINCE_US,
        "until_us": UNTIL_US,
        "policy": policy,
        "jurisdiction": "US",
        "members": [{"party": party, "since_us": SINCE_US, "until_us": UNTIL_US} for party in parties],
        "exempt": [],
        "assisted": [{"party": "broker", "how": "rented out addresses"}],
        "evidence": {"rows": len(rows), "chunk_rows": chunk_rows, "root": root_of(rows, chunk_rows)},
        "imports_running": [{"source": "edge", "last_page_us": UNTIL_US + HOUR_US - SECOND_US}],
    } | others
    return document | derived(document, rows)


def derived(document: Json, rows: Sequence[Row]) -> Json:
    """What follows from the other fields and the rows, by metering's domain."""
    policy = document["policy"]
    barred = {each["jurisdiction"] for each in policy["not_enforceable"]}
    place = document["jurisdiction"]
    of_policy = _counting(rows, policy["accesses"], licensed=policy["licensed_volume_counts"])
    reading = Reading(Overlap[policy["overlap"]], Rounding[policy["rounding"]])
    periods = [_period(document, of_policy, reading, each) for each in _claims(document, of_policy, reading)]
    return {
        "enforceable": place not in barred and place.split("-")[0] not in barred,
        "periods": periods,
        "posts": sum(row.posts for row in of_policy),
        "amount": sum(period["amount"] for period in periods),
        "liable": _liable(periods),
        "readings": list(_readings(document, rows)),
    }


def _counting(rows: Sequence[Row], accesses: Iterable[str], *, licensed: bool) -> list[Row]:
    numbers = {NUMBERS[word] for word in accesses}
    return [row for row in rows if row.access in numbers and (licensed or row.origin == 2)]


def _clause(document: Json) -> Clause:
    policy = document["policy"]
    return Clause(policy["threshold"], policy["unit"], policy["window_us"])


def _rate(document: Json) -> Rate:
    policy = document["policy"]
    return Rate(policy["currency"], policy["rate_nanos"], policy["decimals"])


def _claims(document: Json, rows: Sequence[Row], reading: Reading) -> list[Period]:
    listed = Listed([(row.at_us, row.posts) for row in rows])
    return Claims(_clause(document), listed, document["since_us"], document["until_us"]).periods(reading)


def _period(document: Json, rows: Sequence[Row], reading: Reading, period: Period) -> Json:
    since_us, until_us = period.since_us, period.until_us
    posts = {
        each["party"]: 0
        for each in document["members"]
        if each["since_us"] < until_us and since_us < each["until_us"]
    }
    for row in rows:
        if since_us <= row.at_us < until_us:
            posts[row.party] += row.posts
    amount = _rate(document).amount(_clause(document).tariff(reading.rounding), period.posts)
    shares = split(amount, posts)
    members = [{"party": party, "posts": posts[party], "share": shares[party]} for party in sorted(posts)]
    return {
        "since_us": since_us,
        "until_us": until_us,
        "posts": period.posts,
        "amount": amount,
        "members": members,
    }


def _liable(periods: Sequence[Json]) -> list[Json]:
    parties = sorted({member["party"] for period in periods for member in period["members"]})
    found = []
    for party in parties:
        own = [
            (period["amount"], each)
            for period in periods
            for each in period["members"]
            if each["party"] == party
        ]
        sums = {name: sum(each[name] for _, each in own) for name in ("posts", "share")}
        found.append({"party": party, **sums, "liable_for": sum(amount for amount, _ in own)})
    return found


def _readings(document: Json, rows: Sequence[Row]) -> Iterable[Json]:
    for accesses in sorted(
        [list(each) for each in {tuple(document["policy"]["accesses"]), tuple(EVERY_ACCESS)}]
    ):
        for licensed in (False, True):
            counting = _counting(rows, accesses, licensed=licensed)
            for overlap in sorted(Overlap, key=lambda each: each.name):
                for rounding in sorted(Rounding, key=lambda each: each.name):
                    periods = _claims(document, counting, Reading(overlap, rounding))
                    yield {
                        "accesses": accesses,
                        "licensed_volume_counts": licensed,
                        "overlap": overlap.name,
                        "rounding": rounding.name,
                        "periods": len(periods),
                        "posts": sum(period.posts for period in periods),
                        "amount": _rate(document).total(_clause(document).tariff(rounding), periods),
                    }


def as_bytes(document: Json) -> bytes:
    """The one form of a document."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def chunk_of(rows: Sequence[Row]) -> Rows:
    """The columns of rows."""
    kinds = {"at_us": np.int64, "number": np.int64, "posts": np.int64}
    columns: dict[str, Any] = {}
    for name in Row._fields:
        values = [getattr(row, name) for row in rows]
        columns[name] = np.array(values, kinds.get(name, np.uint8)) if name in WIDTHS else values
    return Rows(**columns)


def a_bundle(bundle: Path, rows: Sequence[Row], document: Json | None = None) -> Path:
    """Written by the console; the rows come as metering sends them, in chunks of other sizes."""
    document = document or a_document(rows)
    chunks = [chunk_of(rows[first : first + 3]) for first in range(0, len(rows), 3)]
    write_bundle(as_bytes(document), chunks, bundle, lambda what, done, of: None)
    return bundle


def sum_up(bundle: Path) -> None:
    """Makes SHA256SUMS right for whatever is there now."""
    files = sorted(
        path.relative_to(bundle).as_posix()
        for path in bundle.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    )
    lines = [f"{hashlib.sha256((bundle / name).read_bytes()).hexdigest()}  {name}\n" for name in files]
    (bundle / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
