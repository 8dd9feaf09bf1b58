"""Stored terms, read again: a document that is not understood in every part licenses nothing (L2).

It is not trusted more than a request is: each member has its type and form, and the terms pass their check.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from services.chassis.refusals import Refusal
from services.licensing.domain.canonical import rfc3339_us
from services.licensing.domain.obligations import obligations_of
from services.licensing.domain.pricing.documents import price_of, whole_number
from services.licensing.domain.terms import (
    Allowance,
    AllowanceSubject,
    ContentKind,
    Purpose,
    Template,
    Terms,
    Window,
    digest_of,
)

REMEMBERED_DOCUMENTS = 1_024

# The forms of the contract.
_LICENSEE_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_LANGUAGE = re.compile(r"[a-z]{2,8}|\*")
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?|\*")
_COUNTRY = re.compile(r"[A-Z]{2}|\*")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@lru_cache(maxsize=REMEMBERED_DOCUMENTS)
def read_terms(document: bytes, digest: bytes, licensee_id: str) -> Terms:
    """The terms that `Terms.document` wrote, or `Terms.nothing` where any of it is not understood (L2).

    That is so for a key or a word that is not known, a key that is missing, a value of another type or form,
    terms that contradict themselves, a form that is not canonical, a document that does not have the digest,
    and one for another licensee than `licensee_id`.
    """
    try:
        terms = _terms_of(json.loads(document))
        terms.check()
        # Writing it again shows whatever was read past: unknown keys, another order or form.
        as_written = terms.document() == document and digest_of(document) == digest
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, Refusal):
        return Terms.nothing(licensee_id)
    return terms if as_written and terms.licensee_id == licensee_id else Terms.nothing(licensee_id)


def _terms_of(fields: Mapping[str, Any]) -> Terms:
    return Terms(
        licensee_id=_word(fields["licensee_id"], _LICENSEE_ID),
        template=Template[fields["template"].upper()],
        purposes=frozenset(Purpose[name.upper()] for name in fields["purposes"]),
        kinds=frozenset(ContentKind[name.upper()] for name in fields["kinds"]),
        languages=_words(fields["languages"], _LANGUAGE),
        author_jurisdictions=_words(fields["author_jurisdictions"], _JURISDICTION),
        territory=_words(fields["territory"], _COUNTRY),
        posted_from_us=_time_us(fields["posted_from"]),
        posted_before_us=_time_us(fields["posted_before"]),
        term_from_us=rfc3339_us(fields["term_from"]),
        term_until_us=rfc3339_us(fields["term_until"]),
        allowances=tuple(map(_allowance_of, fields["allowances"])),
        obligations=obligations_of(fields["obligations"]),
        price=price_of(fields["price"]) if "price" in fields else None,
        contract_digest=_digest(fields["contract_digest"]) if "contract_digest" in fields else None,
    )


def _allowance_of(fields: Mapping[str, Any]) -> Allowance:
    per, window = AllowanceSubject(fields["per"]), Window[fields["window"].upper()]
    return Allowance(per=per, window=window, limit=whole_number(fields["limit"]))


def _time_us(text: str | None) -> int | None:
    return None if text is None else rfc3339_us(text)


def _word(value: object, form: re.Pattern[str]) -> str:
    if type(value) is not str or not form.fullmatch(value):
        raise ValueError("not a word of this form")
    return value


def _words(values: object, form: re.Pattern[str]) -> frozenset[str]:
    if type(values) is not list:
        raise ValueError("not a list")
    return frozenset(_word(value, form) for value in values)


def _digest(value: object) -> bytes:
    return bytes.fromhex(_word(value, _DIGEST))
