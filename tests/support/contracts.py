"""Licensees and licenses in memory; they pass the same tests as those in a database."""

import copy
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from services.chassis.refusals import request_id_reused
from services.chassis.replays import ReplayKey
from services.licensing.contracts import Rows
from services.licensing.domain.history import Change, Line
from services.licensing.domain.licenses import License, Licensee, LicenseState
from services.licensing.domain.versions import Version

T = TypeVar("T")


class MemoryRows:
    """One state of the desk's books."""

    def __init__(self) -> None:
        self.licensees_by_id: dict[str, Licensee] = {}
        self.by_id: dict[str, License] = {}
        self.versions_of: dict[str, dict[int, Version]] = {}
        self.lines_of: dict[str, list[Line]] = {}
        self.answers: dict[tuple[str, str, str], tuple[bytes, bytes]] = {}

    def lock_head(self) -> int:
        """There is one writer anyway, and nothing is billed."""
        return 0

    def once(self, key: ReplayKey, at_us: int, produce: Callable[[], bytes]) -> bytes:
        place = key.principal, key.operation, key.request_id
        if place not in self.answers:
            self.answers[place] = key.digest, produce()
        digest, answer = self.answers[place]
        if digest != key.digest:
            raise request_id_reused()
        return answer

    def licensee(self, licensee_id: str) -> Licensee | None:
        return self.licensees_by_id.get(licensee_id)

    def licensees(self, after: str, limit: int, ids: Collection[str] = ()) -> Sequence[Licensee]:
        later = [licensee for id, licensee in sorted(self.licensees_by_id.items()) if id > after]
        return [each for each in later if not ids or each.licensee_id in ids][:limit]

    def licensed(self, licensees: Sequence[Licensee], limit: int) -> Sequence[Sequence[License]]:
        found: list[Sequence[License]] = []
        for licensee in licensees:
            told = self.licenses(licensee.licensee_id, "", len(self.by_id), drafts=False)
            mine = [each for each in told if each.state is not LicenseState.TERMINATED]
            if mine and sum(map(len, found)) >= limit:
                break
            found.append(mine)
        return found

    def add_licensee(self, licensee: Licensee, created_by: str) -> None:
        self.licensees_by_id[licensee.licensee_id] = licensee

    def license(self, license_id: str) -> License | None:
        return self.by_id.get(license_id)

    def licenses(
        self,
        licensee_id: str | None,
        after: str,
        limit: int,
        *,
        drafts: bool,
        recorded: Collection[LicenseState] = (),
    ) -> Sequence[License]:
        meant = [license for license in self.by_id.values() if not recorded or license.state in recorded]
        told = [license for license in meant if drafts or license.is_told]
        later = [each for each in sorted(told, key=lambda each: each.license_id) if each.license_id > after]
        return [each for each in later if licensee_id in {None, each.terms.licensee_id}][:limit]

    def add_license(self, license: License, change: Change) -> None:
        self.by_id[license.license_id] = license
        self.versions_of[license.license_id] = {}
        self.lines_of[license.license_id] = [Line(1, license.state, change)]

    def put_license(self, license: License, change: Change) -> None:
        self.by_id[license.license_id] = license
        lines = self.lines_of[license.license_id]
        lines.append(Line(len(lines) + 1, license.state, change))

    def history(self, license_id: str, below: int, limit: int) -> Sequence[Line]:
        return [line for line in reversed(self.lines_of[license_id]) if line.number < below][:limit]

    def last_version(self, license_id: str) -> int:
        return max(self.versions_of[license_id], default=0)

    def add_version(self, license_id: str, version: Version) -> None:
        self.versions_of[license_id][version.version] = version

    def set_effective(self, license_id: str, version: int, from_us: int | None) -> None:
        versions = self.versions_of[license_id]
        versions[version] = replace(versions[version], effective_from_us=from_us)

    def withdraw_version(self, license_id: str, version: int, at_us: int) -> None:
        self.set_effective(license_id, version, None)
        versions = self.versions_of[license_id]
        versions[version] = replace(versions[version], withdrawn_at_us=at_us)

    def versions(self, license_id: str, below: int, limit: int, *, drafts: bool) -> Sequence[Version]:
        newest_first = sorted(self.versions_of[license_id].items(), reverse=True)
        found = [version for number, version in newest_first if number < below]
        return [each for each in found if drafts or each.effective_from_us is not None][:limit]


class MemoryContracts:
    """A store that lasts as long as the test; a copy is a transaction."""

    def __init__(self) -> None:
        self._rows = MemoryRows()

    async def write(self, unit: Callable[[Rows], T]) -> T:
        rows = copy.deepcopy(self._rows)
        result = unit(rows)
        self._rows = rows
        return result

    async def read(self, query: Callable[[Rows], T]) -> T:
        return query(self._rows)
