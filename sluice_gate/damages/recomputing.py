"""Every field of an assessment that follows from others and the rows, computed again."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sluice_gate.damages.counting import Counted, Period, counted
from sluice_gate.damages.evidence import Rows
from sluice_gate.damages.liability import liable, split
from sluice_gate.damages.periods import OVERLAPS, periods_of
from sluice_gate.damages.places import barring
from sluice_gate.damages.rows import ACCESSES, GATE
from sluice_gate.damages.stretches import Stretches
from sluice_gate.damages.sweeping import Progress
from sluice_gate.damages.tariffs import ROUNDINGS, Rate, Tariff

Kinds = frozenset[tuple[int, int]]
"""Pairs of access and origin."""


class Recomputing:
    """Of one document whose ground is sound."""

    def __init__(self, document: dict[str, Any], rows: Rows, progress: Progress) -> None:
        """`rows`: as they were read against that document."""
        self._policy = document["policy"]
        self._barring = barring(document)
        self._rows = rows
        self._stretches = Stretches(document["members"])
        self._rate = Rate(self._policy["rate_nanos"], self._policy["decimals"])
        self._progress = progress
        self._selected: tuple[Kinds, Rows, Counted] | None = None
        present = np.bincount(rows.access.astype(np.int64) << 8 | rows.origin)
        self._present = [divmod(int(pair), 1 << 8) for pair in np.flatnonzero(present)]

    def derived(self) -> dict[str, Any]:
        """The fields as the document should have them."""
        policy = self._policy
        accesses, licensed = policy["accesses"], policy["licensed_volume_counts"]
        readings, claimed = self._readings()
        of_policy = self._kinds(accesses, licensed=licensed)
        rows, ground = self._select(of_policy)
        tariff = self._tariff(policy["rounding"])
        periods = [
            self._period(rows, tariff, each)
            for each in claimed[of_policy, policy["overlap"], policy["rounding"]]
        ]
        return {
            "enforceable": not self._barring,
            "periods": periods,
            "posts": ground.posts,
            "amount": sum(period["amount"] for period in periods),
            "liable": liable(periods),
            "readings": readings,
        }

    def _readings(self) -> tuple[list[dict[str, Any]], dict[tuple[Kinds, str, str], list[Period]]]:
        """All of them as they are listed, and the periods of each."""
        readings: list[dict[str, Any]] = []
        claimed: dict[tuple[Kinds, str, str], list[Period]] = {}
        ways = list(self._ways())
        for done, (accesses, licensed, overlap, rounding) in enumerate(ways):
            self._progress("readings", done, len(ways))
            kinds, tariff = self._kinds(accesses, licensed=licensed), self._tariff(rounding)
            key = (kinds, overlap, rounding)
            # What is left out of one reading may not be there at all: then it is the same as another.
            if key not in claimed:
                _, ground = self._select(kinds)
                window_us = self._policy["window_us"]
                claimed[key] = periods_of(ground, tariff, overlap, window_us, self._progress)
            periods = claimed[key]
            readings.append(
                {
                    "accesses": accesses,
                    "licensed_volume_counts": licensed,
                    "overlap": overlap,
                    "rounding": rounding,
                    "periods": len(periods),
                    "posts": sum(period.posts for period in periods),
                    "amount": sum(self._rate.amount(tariff, period.posts) for period in periods),
                }
            )
        return readings, claimed

    def _ways(self) -> Iterator[tuple[list[str], bool, str, str]]:
        """Every way to read the clause, in the order in which they are listed."""
        choices = {tuple(self._policy["accesses"]), tuple(sorted(ACCESSES))}
        for accesses in sorted(choices):
            for licensed in (False, True):
                for overlap in OVERLAPS:
                    for rounding in ROUNDINGS:
                        yield list(accesses), licensed, overlap, rounding

    def _kinds(self, accesses: list[str], *, licensed: bool) -> Kinds:
        """What counts, of what is there."""
        words = {ACCESSES[word] for word in accesses}
        return frozenset(
            (access, origin)
            for access, origin in self._present
            if access in words and (licensed or origin != GATE)
        )

    def _select(self, kinds: Kinds) -> tuple[Rows, Counted]:
        """The rows that count, and what they come to at each time."""
        # Readings of the same kinds follow each other, and these are large.
        if self._selected is None or self._selected[0] != kinds:
            self._selected = None
            rows = self._chosen(kinds)
            self._selected = (kinds, rows, counted(rows.at_us, rows.posts))
        return self._selected[1:]

    def _chosen(self, kinds: Kinds) -> Rows:
        rows = self._rows
        if len(kinds) == len(self._present):
            return rows
        counts = np.zeros((256, 256), np.bool_)
        for access, origin in kinds:
            counts[access, origin] = True
        chosen = counts[rows.access, rows.origin]
        return Rows(*(getattr(rows, name)[chosen] for name in Rows.__slots__))

    def _tariff(self, rounding: str) -> Tariff:
        return Tariff(self._policy["threshold"], self._policy["unit"], rounding)

    def _period(self, rows: Rows, tariff: Tariff, period: Period) -> dict[str, Any]:
        """A period with its members, as the document tells it."""
        first, end = np.searchsorted(rows.at_us, [period.since_us, period.until_us])
        parties = self._stretches.parties
        counts = np.zeros(len(parties), np.int64)
        np.add.at(counts, rows.party[first:end], rows.posts[first:end])
        ranks = self._stretches.meeting(period.since_us, period.until_us)
        posts = {parties[rank]: int(counts[rank]) for rank in ranks}
        amount = self._rate.amount(tariff, period.posts)
        shares = split(amount, posts)
        return {
            "since_us": period.since_us,
            "until_us": period.until_us,
            "posts": period.posts,
            "amount": amount,
            "members": [{"party": party, "posts": posts[party], "share": shares[party]} for party in posts],
        }
