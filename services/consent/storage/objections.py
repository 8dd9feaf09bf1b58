"""Objections that a source sends along, each a deny the first time (C1)."""

from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from services.consent.domain.choices import Draft, Scope, Stance
from services.consent.domain.outcomes import Objected
from services.consent.domain.purposes import PURPOSES, Signal
from services.consent.storage.choices import record_all
from services.consent.storage.codec import signed
from services.consent.storage.head import read_head
from services.consent.storage.tables import TABLES

_SIGNALS = TABLES["signals"]
_METHODS = {Signal.GPC: 4, Signal.AIPREF_TRAIN_AI: 5, Signal.AIPREF_SEARCH: 5}
"""Numbers of `sluice.consent.v1.ChoiceMethod`."""


class Sent(NamedTuple):
    """What a source sent along for a subject."""

    subject_id: int
    source: str
    signals: frozenset[Signal]


def record(connection: Connection, sent: Sent, now_us: int, by: str) -> Objected:
    """Records the denies of those signals that the source has not sent before; raises SUBJECT_ERASED."""
    subject_id, source, signals = sent
    known = _SIGNALS.c.subject_id == signed(subject_id), _SIGNALS.c.source == source
    before = set(connection.scalars(select(_SIGNALS.c.signal).where(*known)))
    new = sorted((signal for signal in signals if signal.value not in before), key=lambda each: each.value)
    if not new:
        return Objected(read_head(connection), ())
    drafts = [draft for signal in new for draft in _denies(subject_id, signal)]
    revision, recorded = record_all(connection, drafts, now_us, by)
    rows = [
        {
            "subject_id": signed(subject_id),
            "source": source,
            "signal": signal.value,
            "revision": recorded[0],
        }
        for signal in new
    ]
    connection.execute(insert(_SIGNALS), rows)
    return Objected(revision, recorded)


def _denies(subject_id: int, signal: Signal) -> list[Draft]:
    """A deny for everyone of each purpose that the signal is about."""
    return [
        Draft(subject_id, Stance.DENY, Scope(purpose=purpose), _METHODS[signal])
        for purpose, traits in sorted(PURPOSES.items())
        if signal in traits.signals
    ]
