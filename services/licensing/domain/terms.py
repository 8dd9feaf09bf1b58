"""The terms of a license: what is listed is licensed, and nothing else (L2).

Terms are stored as canonical JSON, whose SHA-256 receipts name; `documents` reads them again.
"""

import enum
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from services.chassis.refusals import invalid
from services.licensing.domain.canonical import EARLIEST_US, LATEST_US, canonical_json, rfc3339
from services.licensing.domain.countries import is_country, is_jurisdiction
from services.licensing.domain.obligations import Obligations
from services.licensing.domain.pricing.documents import price_fields
from services.licensing.domain.pricing.prices import Price

WILDCARD = "*"
LIST_FIELDS = ("languages", "author_jurisdictions", "territory")


class Purpose(enum.IntEnum):
    """What a licensee wants posts for; the closed table of `sluice.type.v1.Purpose`."""

    THIRD_PARTY_SHARING = 1
    AI_TRAINING_GENERATIVE = 2
    AI_TRAINING_OTHER = 3
    AI_INPUT = 4
    AI_INDEX = 5
    SEARCH_INDEX = 6
    DATA_MINING = 7
    VETTED_RESEARCH = 8


def purpose_name(number: int) -> str:
    """The name of a purpose in lower case, or the number where the closed table does not have it."""
    try:
        return Purpose(number).name.lower()
    except ValueError:
        return str(number)


class ContentKind(enum.IntEnum):
    """The kinds of posts; the numbers of `sluice.type.v1.ContentKind`."""

    POST = 1
    REPLY = 2
    QUOTE = 3
    REPOST = 4


class Window(enum.IntEnum):
    """The windows of allowances; the numbers of `sluice.type.v1.Window`."""

    SECOND = 1
    MINUTE = 2
    ROLLING_DAY = 3
    TERM = 4


class Template(enum.IntEnum):
    """The sorts of contracts; the numbers of `sluice.licensing.v1.LicenseTemplate`."""

    COMMERCIAL = 1
    API_TIER = 2
    RESEARCH = 3
    INTERNAL = 4


class AllowanceSubject(enum.StrEnum):
    """Whose releases an allowance counts."""

    LICENSE = "license"
    LICENSEE = "licensee"
    GROUP = "group"


@dataclass(frozen=True)
class Allowance:
    """At most `limit` posts in any such window (L3)."""

    per: AllowanceSubject
    window: Window
    limit: int
    """Posts."""


@dataclass(frozen=True)
class Terms:
    """The terms of one version of a license. Times are microseconds since the epoch, UTC."""

    licensee_id: str
    template: Template
    purposes: frozenset[Purpose]
    kinds: frozenset[ContentKind]
    languages: frozenset[str]
    """Primary subtags in lower case, or the wildcard alone."""
    author_jurisdictions: frozenset[str]
    territory: frozenset[str]
    posted_from_us: int | None
    """None: however old."""
    posted_before_us: int | None
    """None: up to now."""
    term_from_us: int
    term_until_us: int
    """The first instant after the term."""
    allowances: tuple[Allowance, ...]
    obligations: Obligations
    price: Price | None = None
    """None: nothing is billed."""
    contract_digest: bytes | None = None
    """SHA-256 of the text of the contract, 32 bytes; None in terms from before it was asked for."""
    understood: bool = True
    """False where the stored document says more than this program knows: then nothing is licensed."""

    @classmethod
    def nothing(cls, licensee_id: str) -> Self:
        """Terms that license nothing, in place of a document that is not understood."""
        none: frozenset[Any] = frozenset()
        obligations = Obligations(recall_deadline_days=0, no_reidentification=True)
        return cls(
            licensee_id=licensee_id,
            template=Template.COMMERCIAL,
            purposes=none,
            kinds=none,
            languages=none,
            author_jurisdictions=none,
            territory=none,
            posted_from_us=None,
            posted_before_us=None,
            term_from_us=0,
            term_until_us=0,
            allowances=(),
            obligations=obligations,
            understood=False,
        )

    def covers_language(self, language: str) -> bool:
        """Whether a BCP 47 tag is licensed: by its primary subtag, in any case.

        A language that is not known ("" or "und") is licensed by the wildcard alone.
        """
        if WILDCARD in self.languages:
            return True
        primary = language.partition("-")[0].lower()
        # Some letters outside ASCII become ASCII ones in lower case.
        return language.isascii() and primary not in {"", "und"} and primary in self.languages

    def check(self) -> None:
        """Raises Refusal (invalid) for terms that contradict themselves, named as in the contract:

        TERM_EMPTY, PURPOSE_NEEDS_RESEARCH_TEMPLATE, TEMPLATE_NEEDS_PRICE, TEMPLATE_NEEDS_ALLOWANCE,
        TEMPLATE_FORBIDS_PRICE, ALLOWANCE_TWICE, WILDCARD_NOT_ALONE, COUNTRY_UNKNOWN, POSTED_RANGE_EMPTY, what
        `Price.check` and `Obligations.check` raise, and INVALID_REQUEST for a time that no calendar date can
        say.
        """
        self._check_times()
        self._check_template()
        if self.price is not None:
            self.price.check()
        self.obligations.check()
        keys = {(allowance.per, allowance.window) for allowance in self.allowances}
        if len(keys) < len(self.allowances):
            raise invalid(
                "ALLOWANCE_TWICE", "two allowances for the same subject and window", field="terms.allowances"
            )
        self._check_lists()

    def _check_lists(self) -> None:
        for name in LIST_FIELDS:
            entries = getattr(self, name)
            if WILDCARD in entries and len(entries) > 1:
                raise invalid("WILDCARD_NOT_ALONE", '"*" covers all and stands alone', field=f"terms.{name}")
        _check_places(self.author_jurisdictions, is_jurisdiction, "terms.author_jurisdictions")
        _check_places(self.territory, is_country, "terms.territory")

    def _check_template(self) -> None:
        if Purpose.VETTED_RESEARCH in self.purposes and self.template is not Template.RESEARCH:
            raise invalid(
                "PURPOSE_NEEDS_RESEARCH_TEMPLATE",
                "vetted_research can be licensed under the research template only",
                field="terms.purposes",
            )
        if self.template is Template.INTERNAL and self.price is not None:
            raise invalid("TEMPLATE_FORBIDS_PRICE", "own use has no price", field="terms.price")
        if self.template is not Template.API_TIER:
            return
        if self.price is None:
            raise invalid("TEMPLATE_NEEDS_PRICE", "a paid tier has a price", field="terms.price")
        if all(allowance.window is Window.TERM for allowance in self.allowances):
            raise invalid(
                "TEMPLATE_NEEDS_ALLOWANCE",
                "a tier has a limit on a second, a minute or 24 hours",
                field="terms.allowances",
            )

    def _check_times(self) -> None:
        for name in ("posted_from", "posted_before", "term_from", "term_until"):
            time_us = getattr(self, f"{name}_us")
            if time_us is not None and not EARLIEST_US <= time_us <= LATEST_US:
                raise invalid("INVALID_REQUEST", "no date in years 1 to 9999", field=f"terms.{name}")
        if self.term_until_us <= self.term_from_us:
            raise invalid("TERM_EMPTY", "the term ends before it begins", field="terms.term_until")
        earliest_us, before_us = self.posted_from_us, self.posted_before_us
        if earliest_us is not None and before_us is not None and before_us <= earliest_us:
            raise invalid(
                "POSTED_RANGE_EMPTY", "no post can be that new and that old", field="terms.posted_before"
            )

    def document(self) -> bytes:
        """The terms in canonical JSON, as they are stored and digested."""
        fields: dict[str, object] = {
            "licensee_id": self.licensee_id,
            "template": self.template.name.lower(),
            "purposes": sorted(purpose.name.lower() for purpose in self.purposes),
            "kinds": sorted(kind.name.lower() for kind in self.kinds),
            "languages": sorted(self.languages),
            "author_jurisdictions": sorted(self.author_jurisdictions),
            "territory": sorted(self.territory),
            "posted_from": _time_text(self.posted_from_us),
            "posted_before": _time_text(self.posted_before_us),
            "term_from": rfc3339(self.term_from_us),
            "term_until": rfc3339(self.term_until_us),
            "allowances": sorted(map(_allowance_fields, self.allowances), key=canonical_json),
            "obligations": self.obligations.fields(),
        }
        # Members that came later are left out where they say nothing: older documents keep their digests.
        if self.price is not None:
            fields["price"] = price_fields(self.price)
        if self.contract_digest is not None:
            fields["contract_digest"] = self.contract_digest.hex()
        return canonical_json(fields)


def digest_of(document: bytes) -> bytes:
    """The terms digest that receipts name: SHA-256, 32 bytes."""
    return hashlib.sha256(document).digest()


def _check_places(places: frozenset[str], is_known: Callable[[str], bool], field: str) -> None:
    unknown = sorted(place for place in places if place != WILDCARD and not is_known(place))
    if unknown:
        what = f"no country of ISO 3166-1: {', '.join(unknown)}"
        raise invalid("COUNTRY_UNKNOWN", what, field=field)


def _allowance_fields(allowance: Allowance) -> dict[str, object]:
    return {
        "per": allowance.per.value,
        "window": allowance.window.name.lower(),
        "limit": allowance.limit,
    }


def _time_text(time_us: int | None) -> str | None:
    return None if time_us is None else rfc3339(time_us)
