"""README.md of a bundle: what is claimed, of whom and why, in words that need no program.

It says nothing that assessment.json does not, and follows from it and its digest to the last byte: a verifier
makes it again. So nothing in it depends on where or when it is made.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sluice_gate.damages.not_shown import NOT_SHOWN
from sluice_gate.damages.places import barring

_OVERLAPS = {
    "DISJOINT": "the set of windows that do not overlap and are worth most",
    "SHORTER_ALLOWED": "the set of periods, at most a window long, that do not overlap and are worth most",
    "CALENDAR_DAYS": "calendar days, UTC",
    "ONE_PER_BREACH": "one window, the fullest, for each breach",
}
_ROUNDINGS = {
    "WHOLE_UNITS": "for each full unit",
    "STARTED_UNITS": "for each unit that was begun",
    "PRO_RATA": "in proportion to the posts",
    "EXCESS_ONLY": "in proportion to the posts above the threshold",
}
_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@]|:(?=//)|(?<=www)\.)", re.IGNORECASE)
"""What means something in Markdown, and what makes a link of an address that nobody marked as one."""
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Characters that move a cursor, or turn what follows round."""


def summary(document: dict[str, Any], digest: str) -> str:
    """The text, in Markdown; `digest` is the assessment's, in hex."""
    sections = (_claim, _periods, _liable, _assisted, _exempt, _running, _readings)
    lines = [f"# Liquidated damages: {_text(_whom(document))}", ""]
    for section in sections:
        if told := list(section(document)):
            lines += [*told, ""]
    return "\n".join([*lines, *_verifying(digest)]) + "\n"


def _claim(document: dict[str, Any]) -> Iterator[str]:
    policy = document["policy"]
    yield (
        f"**{_money(document, document['amount'])}** is claimed of {_text(_whom(document))}, for"
        f" {len(document['periods']):,} period(s) between {_time(document['since_us'])} and"
        f" {_time(document['until_us'])}. {document['posts']:,} posts count in that time. The picture"
        " (window.svg) shows them."
    )
    yield ""
    if not document["enforceable"]:
        reasons = [each["reason"] for each in barring(document)]
        where = _text(document["jurisdiction"])
        yield f"**Not enforceable in {where}**, where it would be claimed: {_text('; '.join(reasons))}."
        yield ""
    licensed = "counts" if policy["licensed_volume_counts"] else "does not count"
    title = _text(policy["title"])
    version = f"version {policy['version']}; terms {policy['terms_digest']}"
    yield f"- Clause: {title}, {version}" if title else f"- Clause: {version}"
    yield (
        f"- More than {policy['threshold']:,} posts within {_seconds(policy['window_us'])} cost"
        f" {_rate(policy)} per {policy['unit']:,} posts, {_ROUNDINGS[policy['rounding']]}"
        f" ({policy['rounding']})."
    )
    yield f"- Claimed is {_OVERLAPS[policy['overlap']]} ({policy['overlap']})."
    yield f"- What counts: {', '.join(policy['accesses'])}; licensed volume {licensed}."
    yield f"- Jurisdiction: {_text(document['jurisdiction'] or 'not said')}."
    yield (
        f"- Recorded {_time(document['recorded_at_us'])} by {_text(document['recorded_by'])} as"
        f" {document['assessment_id']}, from revision {document['as_of']['number']} of epoch"
        f" {document['as_of']['epoch']}."
    )


def _periods(document: dict[str, Any]) -> Iterator[str]:
    yield "## Periods"
    yield ""
    if not document["periods"]:
        yield "None: nothing is claimed."
        return
    rows = [
        (
            _time(period["since_us"]),
            _time(period["until_us"]),
            f"{period['posts']:,}",
            _money(document, period["amount"]),
            "; ".join(
                f"{_text(each['party'])} {each['posts']:,} ({_money(document, each['share'])})"
                for each in period["members"]
            ),
        )
        for period in document["periods"]
    ]
    yield from _table(("from", "until, not included", ">posts", ">amount", "members: posts (share)"), rows)


def _liable(document: dict[str, Any]) -> Iterator[str]:
    yield "## Who is liable"
    yield ""
    yield (
        "Members are liable jointly and severally: each of them owes the whole of every period that it is a"
        " member of, until the whole is paid. What each should bear among them is only suggested, by posts."
    )
    yield ""
    rows = [
        (
            _text(each["party"]),
            f"{each['posts']:,}",
            _money(document, each["share"]),
            _money(document, each["liable_for"]),
        )
        for each in document["liable"]
    ]
    yield from _table(("party", ">posts in periods", ">suggested share", ">liable for"), rows)
    yield ""
    stretches = [
        (_text(each["party"]), _time(each["since_us"]), _time(each["until_us"]))
        for each in document["members"]
    ]
    yield "What was counted of whom:"
    yield ""
    yield from _table(("party", "from", "until, not included"), stretches)


def _assisted(document: dict[str, Any]) -> Iterator[str]:
    if document["assisted"]:
        yield "## Who assisted"
        yield ""
        yield "Liable with the members; nothing of theirs is counted."
        yield ""
        yield from _table(
            ("party", "how"), [(_text(each["party"]), _text(each["how"])) for each in document["assisted"]]
        )


def _exempt(document: dict[str, Any]) -> Iterator[str]:
    if document["exempt"]:
        yield "## What is exempt"
        yield ""
        yield "Vetted research is never assessed. Nothing of these times is among the rows."
        yield ""
        rows = [
            (_text(each["party"]), _time(each["since_us"]), _time(each["until_us"]))
            for each in document["exempt"]
        ]
        yield from _table(("party", "from", "until, not included"), rows)


def _running(document: dict[str, Any]) -> Iterator[str]:
    if document["imports_running"]:
        yield "## More may follow"
        yield ""
        yield "These sources had reported within the minute before this was worked out:"
        yield ""
        rows = [(_text(each["source"]), _time(each["last_page_us"])) for each in document["imports_running"]]
        yield from _table(("source", "last page"), rows)


def _readings(document: dict[str, Any]) -> Iterator[str]:
    yield "## Other readings of the clause"
    yield ""
    yield "What each way to read it would come to. The one that is claimed is in bold."
    yield ""
    policy = document["policy"]
    rows = []
    for each in document["readings"]:
        row = (
            ", ".join(each["accesses"]),
            "counted" if each["licensed_volume_counts"] else "left out",
            each["overlap"],
            each["rounding"],
            f"{each['periods']:,}",
            f"{each['posts']:,}",
            _money(document, each["amount"]),
        )
        named = ("accesses", "licensed_volume_counts", "overlap", "rounding")
        is_claimed = all(each[name] == policy[name] for name in named)
        rows.append(tuple(f"**{cell}**" for cell in row) if is_claimed else row)
    yield from _table(
        ("accesses", "licensed volume", "periods are", "rounding", ">periods", ">posts", ">amount"), rows
    )


def _verifying(digest: str) -> Iterator[str]:
    yield "## How to verify"
    yield ""
    yield "With no server, from this folder alone:"
    yield ""
    yield "    pip install 'sluice[parquet]'"
    yield f"    sluice damages verify FOLDER --digest {digest}"
    yield ""
    yield (
        "It computes every figure again from the rows and names whatever differs. The digest is that of"
        " assessment.json: compare it with the one in the notice. How each figure follows is written down in"
        " docs/evidence-format.md, for programs of your own."
    )
    yield ""
    yield "What this does not show:"
    yield ""
    for line in NOT_SHOWN:
        yield f"- {line}"


def _whom(document: dict[str, Any]) -> str:
    ((kind, name),) = document["of"].items()
    return f"{kind} {name}"


def _time(us: int) -> str:
    try:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    except OverflowError:
        # A stranger's time, that no calendar reaches.
        return f"{us:,} microseconds since 1970 UTC"
    return at.isoformat(sep=" ", timespec="microseconds").replace("+00:00", " UTC")


def _seconds(us: int) -> str:
    hours, rest = divmod(us, 3_600_000_000)
    return (
        f"{hours:,} h" if hours and not rest else f"{us // 10**6:,}.{us % 10**6:06} s".replace(".000000", "")
    )


def _money(document: dict[str, Any], amount: int) -> str:
    return f"{_decimal(amount, document['policy']['decimals'])} {document['policy']['currency']}"


def _rate(policy: dict[str, Any]) -> str:
    """With as many decimals as it has, and at least those of the currency."""
    whole, _, fraction = _decimal(policy["rate_nanos"], 9).partition(".")
    fraction = fraction.rstrip("0").ljust(policy["decimals"], "0")
    return f"{whole}{'.' if fraction else ''}{fraction} {policy['currency']}"


def _decimal(amount: int, decimals: int) -> str:
    whole, fraction = divmod(amount, 10**decimals)
    return f"{whole:,}.{fraction:0{decimals}}" if decimals else f"{whole:,}"


def _text(text: str) -> str:
    """Somebody's words, in which no mark has a meaning."""
    return _MARKS.sub(r"\\\1", _UNSEEN.sub("\ufffd", " ".join(text.split())))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Columns whose name begins with ">" stand to the right."""
    yield f"| {' | '.join(head.removeprefix('>') for head in heads)} |"
    yield f"|{'|'.join('---:' if head.startswith('>') else '---' for head in heads)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
