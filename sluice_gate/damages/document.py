"""The document of an assessment, read as a stranger's: what it must look like before anything is computed.

Fields that follow from others are not looked at here; `recomputing` makes them again.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from operator import itemgetter
from typing import Any, NoReturn

from sluice_gate.damages.differences import Difference, compare, shown
from sluice_gate.damages.periods import OVERLAPS
from sluice_gate.damages.rows import ACCESSES
from sluice_gate.damages.shapes import Anything, Fields, Flag, Listed, Shape, Text, Whole
from sluice_gate.damages.tariffs import NANO_DIGITS, ROUNDINGS

FORMAT = "sluice-assessment-1"
DERIVED = ("enforceable", "periods", "posts", "amount", "liable", "readings")
"""Fields that follow from the others and the rows."""
MOST_CHUNK_ROWS = 2**24
"""A chunk is read as a whole: no file may ask for any amount of memory."""
GROUND = ("as_of", "since_us", "until_us", "policy", "jurisdiction", "members", "evidence")
"""Fields without which nothing can be computed."""

_TIME = Whole(-(2**61), 2**61)
_NAME = Text(".+", "a text that is not empty")
_HEX = Text("[0-9a-f]{64}", "SHA-256 in lower-case hex")
_STRETCHES = Listed(
    Fields({"party": _NAME, "since_us": _TIME, "until_us": _TIME}), by=("party", "since_us", "until_us")
)


def _word(*words: str) -> Text:
    return Text("|".join(words), " or ".join(words))


_POLICY = Fields(
    {
        "version": Whole(1),
        "title": Text(),
        "terms_digest": _HEX,
        "threshold": Whole(0, 2**60),
        "window_us": Whole(1, 2**61),
        "unit": Whole(1, 2**60),
        "currency": Text("[A-Z]{3}", "three capital letters"),
        "rate_nanos": Whole(0, 2**63 - 1),
        "decimals": Whole(0, NANO_DIGITS),
        "rounding": _word(*ROUNDINGS),
        "overlap": _word(*OVERLAPS),
        "accesses": Listed(_word(*ACCESSES)),
        "licensed_volume_counts": Flag(),
        "not_enforceable": Listed(Fields({"jurisdiction": _NAME, "reason": Text()}), by=("jurisdiction",)),
    }
)
_FIELDS: dict[str, Shape] = {
    "format": _word(FORMAT),
    "assessment_id": Text(
        "[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", "a UUID in lower case, with its dashes"
    ),
    "recorded_at_us": _TIME,
    "recorded_by": Text("[a-z]+:.+", "kind and name of the caller, as operator:NAME"),
    "as_of": Fields({"epoch": Whole(), "number": Whole()}),
    "of": Anything(),
    "since_us": _TIME,
    "until_us": _TIME,
    "policy": _POLICY,
    "jurisdiction": Text(),
    "members": _STRETCHES,
    "exempt": _STRETCHES,
    "assisted": Listed(Fields({"party": _NAME, "how": Text()}), by=("party", "how")),
    "evidence": Fields({"rows": Whole(), "chunk_rows": Whole(1, MOST_CHUNK_ROWS), "root": _HEX}),
    "imports_running": Listed(
        Fields({"source": _NAME, "last_page_us": _TIME}), by=("source", "last_page_us")
    ),
    **dict.fromkeys(DERIVED, Anything()),
}


def parse(data: bytes) -> tuple[dict[str, Any] | None, list[Difference]]:
    """The object that a document holds, None if it holds none, and whether its bytes are the one form."""
    try:
        value = json.loads(
            data.decode("ascii"),
            object_pairs_hook=_object,
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
        )
        canonical = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        return None, [Difference("assessment.json", shown(str(error)), "JSON of whole numbers, in ASCII")]
    if not isinstance(value, dict):
        return None, [Difference("assessment.json", shown(value), "an object")]
    if canonical != data:
        return value, [
            Difference(
                "assessment.json",
                "bytes in another form",
                "sorted keys, no spaces, ASCII escapes, nothing after it",
            )
        ]
    return value, []


def faults(document: dict[str, Any]) -> tuple[list[Difference], bool]:
    """Everything about the fields that cannot be, as the document stands alone.

    And whether what everything else is computed from has the form it needs.
    """
    found = list(Fields(_FIELDS).faults("", document))
    is_ground_sound = not any(fault.field.startswith(GROUND) for fault in found)
    if "of" in document:
        found += _of_faults(document["of"])
    if not found:
        found += _range_faults(document)
        for name in ("members", "exempt"):
            found += _stretch_faults(document, name)
        found += _overlaps(document)
        found += _alone(document)
    return found, is_ground_sound


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a field stands twice in one object")
    return value


def _no_fraction(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} is not a whole number")


def _of_faults(of: Any) -> Iterator[Difference]:
    is_one = isinstance(of, dict) and len(of) == 1 and of.keys() <= {"party", "group"}
    if not is_one:
        yield Difference("of", shown(of), "a party or a group")
    else:
        yield from Fields(dict.fromkeys(of, _NAME)).faults("of", of)


def _range_faults(document: dict[str, Any]) -> Iterator[Difference]:
    if document["since_us"] >= document["until_us"]:
        yield Difference("until_us", shown(document["until_us"]), "later than since_us")
    if not document["policy"]["accesses"]:
        yield Difference("policy.accesses", "[]", "at least one kind of access")


def _stretch_faults(document: dict[str, Any], name: str) -> Iterator[Difference]:
    """Stretches lie within the range, hold some time, and those of a party do not meet."""
    stretches = document[name]
    for index, each in enumerate(stretches):
        if not document["since_us"] <= each["since_us"] < each["until_us"] <= document["until_us"]:
            yield Difference(f"{name}[{index}]", shown(each), "a stretch within the range")
    for index, (one, other) in enumerate(pairwise(stretches), start=1):
        if one["party"] == other["party"] and other["since_us"] < one["until_us"]:
            yield Difference(f"{name}[{index}]", shown(other), "not before the one before it has ended")


def _overlaps(document: dict[str, Any]) -> Iterator[Difference]:
    """Nothing of a vetted researcher's is assessed (D4)."""
    exempt: dict[str, list[dict[str, Any]]] = {}
    for each in document["exempt"]:
        exempt.setdefault(each["party"], []).append(each)
    for index, member in enumerate(document["members"]):
        of_party = exempt.get(member["party"], [])
        first = bisect_right(of_party, member["since_us"], key=itemgetter("until_us"))
        if first < len(of_party) and of_party[first]["since_us"] < member["until_us"]:
            without = f"without what is exempt: {shown(of_party[first])}"
            yield Difference(f"members[{index}]", shown(member), without)


def _alone(document: dict[str, Any]) -> Iterator[Difference]:
    """Who is assessed as one party is the only member."""
    if "party" in document["of"]:
        for index, member in enumerate(document["members"]):
            yield from compare(f"members[{index}].party", member["party"], document["of"]["party"])
