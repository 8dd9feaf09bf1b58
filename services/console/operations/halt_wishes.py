"""What somebody wants to halt, as the address of a page says it (C12)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from babel import Locale

from services.console.operations.own_ids import NO_ID, is_name
from services.console.web.reading import msgid
from services.console.web.words import PURPOSES
from sluice.consent.v1.halt_pb2 import HaltScope

KINDS = ("everything", "purpose", "jurisdiction", "licensee")
NO_KIND = msgid("Say what stops.")
NO_PURPOSE = msgid("Say which purpose stops.")
NO_JURISDICTION = msgid(
    "A country is written by the two capital letters of its code, a part of one like US-CA."
)
NO_COUNTRY = msgid(
    "No country has this code (the United Kingdom is GB, Greece is GR):"
    " the halt binds only people recorded so."
)
NO_PART_CHECKED = msgid("Whether the country has such a part is not known here: check the code.")
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_EVERY_LICENSEE = frozenset({"everyone", "all"})
"""How choices say that they are for every licensee: they name none."""
_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
"""Codes of CLDR's table of territories that are of unions, of the unknown, and of none."""


@dataclass(frozen=True)
class HaltWish:
    """A halt that may be ordered."""

    kind: str = "everything"
    value: str = ""
    """The number of a purpose, the code of a jurisdiction, or the id of a licensee."""
    recall: bool = False
    faults: list[str] = field(default_factory=list)
    """A sentence for each thing that is wrong with it."""

    @property
    def scope(self) -> HaltScope:
        """As consent takes it; only of a wish without faults."""
        match self.kind:
            case "purpose":
                return HaltScope(purpose=int(self.value))  # type: ignore[arg-type]  # an open enum
            case "jurisdiction":
                return HaltScope(jurisdiction=self.value)
            case "licensee":
                return HaltScope(licensee_id=self.value)
            case _:
                return HaltScope(everything=True)

    @property
    def warning(self) -> str:
        """What may be wrong with it, as a sentence; "" for nothing. It holds up no halt."""
        if self.kind != "jurisdiction":
            return ""
        country, _, part = self.value.partition("-")
        if country in _NO_COUNTRIES or country not in Locale.parse("en").territories:
            return NO_COUNTRY
        return NO_PART_CHECKED if part else ""

    @property
    def seen(self) -> dict[str, str | bool]:
        """What its reader decides upon."""
        return {"kind": self.kind, "value": self.value, "recall": self.recall}

    @property
    def address(self) -> str:
        """That of the page which asks whether it is meant."""
        said = {"kind": self.kind, self.kind: self.value, "recall": "yes" if self.recall else ""}
        return f"/halts/order?{urlencode({name: value for name, value in said.items() if value})}"


def read_halt(given: Mapping[str, str]) -> HaltWish:
    """What an address says: a kind, the value in the field that is called like it, and whether to recall."""
    kind = given.get("kind", "")
    recall = given.get("recall", "") == "yes"
    if kind not in KINDS:
        return HaltWish(recall=recall, faults=[NO_KIND])
    value = given.get(kind, "").strip() if kind != "everything" else ""
    value = value.upper() if kind == "jurisdiction" else value
    return HaltWish(kind, value, recall, _faults(kind, value))


def _faults(kind: str, value: str) -> list[str]:
    match kind:
        case "purpose":
            return [] if value in map(str, PURPOSES) else [NO_PURPOSE]
        case "jurisdiction":
            return [] if _JURISDICTION.fullmatch(value) else [NO_JURISDICTION]
        case "licensee":
            return [] if is_name(value) and value not in _EVERY_LICENSEE else [NO_ID]
        case _:
            return []
