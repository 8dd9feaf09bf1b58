"""The contracts desk: licensees, and the licenses they are given.

Every write locks the head row first, so that each decision that concludes after a change of a license is
acknowledged sees it (L4), and is done once for each request id, whoever repeats it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.ids import check_request_id
from services.chassis.refusals import Refusal, already_exists, invalid, not_found, precondition
from services.chassis.replays import ReplayKey
from services.licensing.domain.asking import PROBE_PARTIES
from services.licensing.domain.doors import networks
from services.licensing.domain.history import STEPS_TAKEN, Change, Line, StepTaken
from services.licensing.domain.licenses import RECORDED_AS, License, Licensee, LicenseState, Step, draft
from services.licensing.domain.pricing.prices import Price
from services.licensing.domain.recipients import Recipient, recipient_of
from services.licensing.domain.terms import Terms, digest_of
from services.licensing.domain.versions import Activation, Version, activated, amended, without_amendment

T = TypeVar("T")

ABOVE_ALL_VERSIONS = 2**31 - 1
"""As high as a database's integer goes."""
VERSIONS_AT_ONCE = 50
LICENSES_AT_ONCE = 1_000
"""A page of recipients ends with the licensee whose licenses reach this number, and no more are looked at for
those that stand in some way: reading terms takes a tenth of a millisecond."""


@dataclass(frozen=True)
class Amendment:
    """What an operator wants to be the terms of a license, instead of those with `base_digest`."""

    terms: Terms
    base_digest: bytes
    reason: str


@dataclass(frozen=True)
class Recipients:
    """A page of those who may receive posts."""

    found: Sequence[Recipient]
    """By id; it can be none of those that were looked at."""
    looked_up_to: str | None
    """The last licensee that was looked at; None where no other follows."""


@dataclass(frozen=True)
class Wanted:
    """Which licenses are asked for."""

    licensee_id: str | None = None
    """Of this licensee alone; None: of all."""
    states: Collection[LicenseState] = frozenset()
    """Those that stand so now; none: however they stand."""
    drafts: bool = True
    """Also those that their licensees are not told of, as `License.is_told` has it."""


@dataclass(frozen=True)
class Licenses:
    """A page of licenses."""

    found: Sequence[License]
    """By id; it can be none of those that were looked at."""
    looked_up_to: str | None
    """The last license that was looked at; None where no other follows."""


class Rows(Protocol):
    """Licensees and licenses inside one transaction."""

    def lock_head(self) -> int: ...
    def once(self, key: ReplayKey, at_us: int, produce: Callable[[], bytes]) -> bytes: ...
    def licensee(self, licensee_id: str) -> Licensee | None: ...
    def licensees(self, after: str, limit: int, ids: Collection[str] = ()) -> Sequence[Licensee]: ...
    def licensed(self, licensees: Sequence[Licensee], limit: int) -> Sequence[Sequence[License]]: ...
    def add_licensee(self, licensee: Licensee, created_by: str) -> None: ...
    def license(self, license_id: str) -> License | None: ...
    def licenses(
        self,
        licensee_id: str | None,
        after: str,
        limit: int,
        *,
        drafts: bool,
        recorded: Collection[LicenseState] = (),
    ) -> Sequence[License]: ...
    def add_license(self, license: License, change: Change) -> None: ...
    def put_license(self, license: License, change: Change) -> None: ...
    def history(self, license_id: str, below: int, limit: int) -> Sequence[Line]: ...
    def last_version(self, license_id: str) -> int: ...
    def add_version(self, license_id: str, version: Version) -> None: ...
    def set_effective(self, license_id: str, version: int, from_us: int | None) -> None: ...
    def withdraw_version(self, license_id: str, version: int, at_us: int) -> None: ...
    def versions(self, license_id: str, below: int, limit: int, *, drafts: bool) -> Sequence[Version]: ...


class Store(Protocol):
    """Where the rows are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...


class ContractDesk:
    """Keeps licensees and licenses.

    Each write takes a `key`, whose request and principal it is, and `render`, which turns the result into
    the answer that is stored and given again. All raise Refusal REQUEST_ID_MALFORMED, REQUEST_ID_TOO_OLD,
    REQUEST_ID_IN_FUTURE and REQUEST_ID_REUSED.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def create_licensee(
        self, licensee_id: str, display_name: str, key: ReplayKey, render: Callable[[Licensee], bytes]
    ) -> bytes:
        """Raises Refusal LICENSEE_EXISTS, LICENSEE_ID_RESERVED."""
        if licensee_id.startswith((networks.PREFIX, PROBE_PARTIES)):
            message = (
                f"ids that begin with {networks.PREFIX} or {PROBE_PARTIES} are those of what metering counts"
                " beside licensees"
            )
            raise invalid("LICENSEE_ID_RESERVED", message, field="licensee.licensee_id")

        def create(rows: Rows, now_us: int) -> bytes:
            if rows.licensee(licensee_id) is not None:
                raise already_exists("LICENSEE_EXISTS", f"there is a licensee {licensee_id} already")
            licensee = Licensee(licensee_id, display_name, now_us)
            rows.add_licensee(licensee, key.principal)
            return render(licensee)

        return await self._once(key, create)

    async def licensees(self, after: str, limit: int, ids: Collection[str] = ()) -> Sequence[Licensee]:
        """At most `limit` licensees with ids above `after`, by id; of these alone where `ids` names any."""
        return await self._store.read(lambda rows: rows.licensees(after, limit, ids))

    async def recipients(self, after: str, limit: int) -> Recipients:
        """Who of the next `limit` licensees with ids above `after` may receive posts, as of now."""
        now_us = self._clock.now_us()
        return await self._store.read(lambda rows: _recipients(rows, after, limit, now_us))

    async def create_license(
        self, license_id: str, terms: Terms, key: ReplayKey, render: Callable[[License, int], bytes]
    ) -> bytes:
        """Writes a draft. Raises Refusal LICENSE_EXISTS, LICENSEE_UNKNOWN, and what `Terms.check` raises."""
        terms.check()

        def create(rows: Rows, now_us: int) -> bytes:
            if rows.license(license_id) is not None:
                raise already_exists("LICENSE_EXISTS", f"there is a license {license_id} already")
            _check_licensee(rows, terms)
            change = Change(key.principal, now_us, "", StepTaken.DRAFTED, 1)
            rows.add_license(draft(license_id, terms, now_us), change)
            rows.add_version(license_id, _drafted(1, terms, change))
            return render(_found(rows, license_id), now_us)

        return await self._once(key, create)

    async def amend(
        self, license_id: str, amendment: Amendment, key: ReplayKey, render: Callable[[License, int], bytes]
    ) -> bytes:
        """Drafts the next version.

        Raises Refusal LICENSE_UNKNOWN, LICENSEE_UNKNOWN, what `Terms.check` and what `amended` raise.
        """
        terms = amendment.terms
        terms.check()

        def change(rows: Rows, now_us: int) -> bytes:
            before = _found(rows, license_id)
            # A process of an earlier release may have written a license without a row for its version.
            number = max(rows.last_version(license_id), before.version) + 1
            price = _last_price(rows, license_id)
            after = amended(before, terms, amendment.base_digest, number, now_us, last_price=price)
            _check_licensee(rows, terms)
            why = Change(key.principal, now_us, amendment.reason, StepTaken.AMENDED, number)
            if after.state is LicenseState.DRAFT:
                rows.withdraw_version(license_id, before.version, now_us)
            rows.put_license(after, why)
            rows.add_version(license_id, _drafted(number, terms, why))
            return render(after, now_us)

        return await self._once(key, change)

    async def activate(
        self,
        license_id: str,
        activation: Activation,
        reason: str,
        key: ReplayKey,
        render: Callable[[License, int], bytes],
    ) -> bytes:
        """Puts a drafted version into force, or sets its time. Raises LICENSE_UNKNOWN, and as `activated`."""

        def change(rows: Rows, now_us: int) -> bytes:
            after = activated(_found(rows, license_id), activation, now_us, reason)
            step = StepTaken.SCHEDULED if after.next else StepTaken.ACTIVATED
            from_us = after.next_from_us if after.next else after.effective_from_us
            rows.put_license(after, Change(key.principal, now_us, reason, step, activation.version, from_us))
            rows.set_effective(license_id, activation.version, from_us)
            return render(after, now_us)

        return await self._once(key, change)

    async def withdraw(
        self,
        license_id: str,
        version: int,
        reason: str,
        key: ReplayKey,
        render: Callable[[License, int], bytes],
    ) -> bytes:
        """Takes back what is not in force yet. Raises LICENSE_UNKNOWN, AMENDMENT_UNKNOWN."""

        def change(rows: Rows, now_us: int) -> bytes:
            why = Change(key.principal, now_us, reason, StepTaken.WITHDRAWN, version)
            return render(_withdrawn(rows, _found(rows, license_id), why), now_us)

        return await self._once(key, change)

    async def take_step(
        self,
        license_id: str,
        step: Step,
        reason: str,
        key: ReplayKey,
        render: Callable[[License, int], bytes],
    ) -> bytes:
        """Suspends, resumes or ends a license, and with its end withdraws what waits to be in force.

        Raises Refusal LICENSE_UNKNOWN, LICENSE_STATE_FORBIDS.
        """

        def change(rows: Rows, now_us: int) -> bytes:
            before = _found(rows, license_id).as_of(now_us)
            if step is Step.TERMINATE and before.next is not None:
                version = before.next.version
                why = Change(key.principal, now_us, reason, StepTaken.WITHDRAWN, version)
                before = _withdrawn(rows, before, why)
            license = before.after(step, now_us, reason)
            taken, at_us = STEPS_TAKEN[step], license.state_changed_at_us
            rows.put_license(license, Change(key.principal, at_us, reason, taken, license.version))
            return render(license, now_us)

        return await self._once(key, change)

    async def current(self, license_id: str) -> License:
        """The license as it was last written. Raises Refusal LICENSE_UNKNOWN."""
        return await self._store.read(lambda rows: _found(rows, license_id))

    async def versions(self, license_id: str, below: int, limit: int, *, drafts: bool) -> Sequence[Version]:
        """At most `limit` versions with lower numbers than `below`, newest first; drafts too if asked."""
        return await self._store.read(lambda rows: rows.versions(license_id, below, limit, drafts=drafts))

    async def history(self, license_id: str, below: int, limit: int) -> Sequence[Line]:
        """At most `limit` changes with lower numbers than `below`, newest first.

        Raises Refusal LICENSE_UNKNOWN.
        """

        def query(rows: Rows) -> Sequence[Line]:
            return rows.history(_found(rows, license_id).license_id, below, limit)

        return await self._store.read(query)

    async def page(self, wanted: Wanted, after: str, limit: int) -> Licenses:
        """At most `limit` licenses with ids above `after`, by id; with `states`, as they stand now."""
        now_us = self._clock.now_us()
        return await self._store.read(lambda rows: _licenses(rows, wanted, after, limit, now_us))

    async def _once(self, key: ReplayKey, produce: Callable[[Rows, int], bytes]) -> bytes:
        check_request_id(key.request_id, self._clock.now_us())

        def unit(rows: Rows) -> bytes:
            cut_off_us = rows.lock_head()
            # Read after the lock: the order of changes is the order of their times. And not before what was
            # billed as of already, by whichever clock: a cut-off goes on giving the same bill (B3).
            now_us = max(self._clock.now_us(), cut_off_us)
            return rows.once(key, now_us, lambda: produce(rows, now_us))

        return await self._store.write(unit)


def _recipients(rows: Rows, after: str, limit: int, now_us: int) -> Recipients:
    # One more than is looked at tells whether another follows.
    licensees = rows.licensees(after, limit + 1)
    looked_at = licensees[:limit]
    licenses = rows.licensed(looked_at, LICENSES_AT_ONCE)
    looked_at = looked_at[: len(licenses)]
    told = [recipient_of(each, of_each, now_us) for each, of_each in zip(looked_at, licenses, strict=True)]
    more = len(looked_at) < len(licensees)
    found = [recipient for recipient in told if recipient is not None]
    return Recipients(found, looked_at[-1].licensee_id if more else None)


def _licenses(rows: Rows, wanted: Wanted, after: str, limit: int, now_us: int) -> Licenses:
    # Where a license stands is for time to say as well (L1), so that all that may be meant are looked at, and
    # no others: the few that are suspended are found among however many.
    recorded = {each for state in wanted.states for each in RECORDED_AS[state]}
    at_once = max(limit, LICENSES_AT_ONCE) if wanted.states else limit
    # One more than is looked at tells whether another follows.
    licenses = rows.licenses(wanted.licensee_id, after, at_once + 1, drafts=wanted.drafts, recorded=recorded)
    found: list[License] = []
    for license in licenses[:at_once]:
        after = license.license_id
        if not wanted.states or license.effective_state(now_us) in wanted.states:
            found.append(license)
        if len(found) == limit:
            break
    return Licenses(found, after if licenses and after != licenses[-1].license_id else None)


def _drafted(number: int, terms: Terms, change: Change) -> Version:
    return Version(
        version=number,
        terms=terms,
        terms_digest=digest_of(terms.document()),
        created_at_us=change.at_us,
        created_by=change.by,
        reason=change.reason,
        effective_from_us=None,
        withdrawn_at_us=None,
    )


def _withdrawn(rows: Rows, license: License, why: Change) -> License:
    """Takes back the version that `why` is about, or its time. Raises Refusal AMENDMENT_UNKNOWN."""
    assert why.version is not None, "a withdrawal is about a version"
    after, set_us = without_amendment(license, why.version, why.at_us), license.next_from_us
    rows.put_license(after, replace(why, effective_from_us=set_us))
    if why.version == after.version:
        rows.set_effective(license.license_id, why.version, None)  # a first version that goes on as a draft
    else:
        rows.withdraw_version(license.license_id, why.version, why.at_us)
    return after


def _check_licensee(rows: Rows, terms: Terms) -> None:
    if rows.licensee(terms.licensee_id) is None:
        raise precondition("LICENSEE_UNKNOWN", f"there is no licensee {terms.licensee_id}")


def _last_price(rows: Rows, license_id: str) -> Price | None:
    """The price of the newest version that has one and was or will be in force."""
    below = ABOVE_ALL_VERSIONS
    while page := rows.versions(license_id, below, VERSIONS_AT_ONCE, drafts=False):
        for version in page:
            if version.terms.price is not None:
                return version.terms.price
        below = page[-1].version
    return None


def _found(rows: Rows, license_id: str) -> License:
    license = rows.license(license_id)
    if license is None:
        raise unknown_license()
    return license


def unknown_license() -> Refusal:
    """There is no such license, or not for this caller; it does not say which."""
    return not_found("LICENSE_UNKNOWN", "there is no such license")
