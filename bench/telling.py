"""What a subject waits for who asks over gRPC who got their posts, while thousands of recalls are on record.

The recalls are those that the scanner itself finds in the releases, and the issuer issues.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, func, select

from bench.recording import CONSENT_REVISION, random_authors
from bench.report import Figure
from bench.stand import say
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.identity import PrincipalKind
from services.licensing.business_days import is_business_day
from services.licensing.domain.answers import Revision
from services.licensing.domain.recalls.withdrawals import Cause, Withdrawal
from services.licensing.domain.terms import Purpose
from services.licensing.issuing import Issuer, Pace
from services.licensing.rpc.admissions import ADMISSIONS
from services.licensing.rpc.disclosures import bolt
from services.licensing.storage.disclosures import DisclosureStore
from services.licensing.storage.recall_tables import RecallEntryRow
from services.licensing.storage.recalls import RecallStore
from services.licensing.storage.release_index_writer import ReleaseIndexWriter
from sluice.licensing.v1 import disclosure_service_pb2 as pb
from sluice.licensing.v1.disclosure_service_pb2_grpc import DisclosureServiceStub
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import serving
from tests.support.recall_worlds import Contract, Process, Stream, add_contracts

WITHDRAWERS, ROUNDS = 3_000, 10
"""Who withdraw, as many in each round as in another; each round is recalled by itself."""
FORBIDDEN = 100
"""Authors whom a policy then forbids: what it recalls is nobody's withdrawal, and is looked for otherwise."""
ASKED, PAGE, P99 = 300, 20, 98
AIM_MS = 100.0
PACE = Pace(interval_us=60_000_000, default_days=30)
_ENTRIES = RecallEntryRow.metadata.tables["recall_entries"]


async def telling(
    database: Database, chance: np.random.Generator, releases: int, authors: int
) -> list[Figure]:
    """Puts recalls on record and asks as those who withdrew, and as any subject."""
    say("recalling")
    withdrawers = np.unique(random_authors(chance, WITHDRAWERS, authors))
    began = time.perf_counter()
    await recall(database, withdrawers.tolist())
    seconds, entries = time.perf_counter() - began, database.read_now(entries_stored)
    say("asking over gRPC")
    of_them, them_ms = await asked(database, chance.choice(withdrawers, ASKED).tolist())
    _, anyone_ms = await asked(database, random_authors(chance, ASKED, authors).tolist())
    assert all(release.recalls for page in of_them for release in page.releases)
    return [
        Figure("recall entries on record", entries, "entries", releases),
        Figure("  scanned, asked again and issued", entries / seconds, "entries/s", releases),
        *listed("of one who withdrew", them_ms, releases),
        *listed("of anyone", anyone_ms, releases),
    ]


async def recall(database: Database, withdrawers: Sequence[int]) -> None:
    """Withdrawals and a policy, looked for in all releases and issued, one recall for each round."""
    add_contracts(database, [Contract("license-1", "acme")])
    store, stream, clock = RecallStore(database), Stream(), ManualClock(NOON_US)
    process = Process(store, stream, clock)
    issuer = Issuer(store, clock, is_business_day, PACE, show=lambda standing: None)
    purposes = frozenset(int(purpose) for purpose in Purpose)
    for turn in range(ROUNDS):
        for subject_id in withdrawers[turn::ROUNDS]:
            at = Revision(1, CONSENT_REVISION + len(stream.withdrawals) + 1)
            stream.withdrawals.append(
                Withdrawal(at, Cause.CHOICE, clock.now_us(), subject_id=subject_id, purposes=purposes)
            )
        if turn == ROUNDS - 1:
            at = Revision(1, CONSENT_REVISION + len(stream.withdrawals) + 1)
            stream.withdrawals.append(Withdrawal(at, Cause.POLICY, clock.now_us(), purposes=purposes))
            stream.forbidden[at.number] = frozenset(withdrawers[:FORBIDDEN])
        await process.finish()
        clock.advance(PACE.interval_us)
        while await issuer.look():
            continue


async def asked(
    database: Database, subject_ids: Sequence[int]
) -> tuple[list[pb.ListSubjectReleasesResponse], list[float]]:
    """What each was told of their newest releases, and in how many milliseconds."""
    told, taken = list[pb.ListSubjectReleasesResponse](), list[float]()
    service = bolt(DisclosureStore(database), ReleaseIndexWriter(database), SystemClock())
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with serving(Path(folder), service, admissions=ADMISSIONS) as server:
            for subject_id in subject_ids:
                peer = server.peer(PrincipalKind.SUBJECT, str(subject_id))
                stub = DisclosureServiceStub(peer.channel)
                request = pb.ListSubjectReleasesRequest(subject_id=subject_id, page_size=PAGE)
                started = time.perf_counter()
                told.append(await peer.call(stub.ListSubjectReleases, request))
                taken.append((time.perf_counter() - started) * 1e3)
    return told, taken


def listed(whose: str, taken_ms: Sequence[float], releases: int) -> list[Figure]:
    """The median and the 99th percentile of a page."""
    what = f"page of {PAGE} releases over gRPC, {whose}"
    high = statistics.quantiles(taken_ms, n=100)[P99]
    return [
        Figure(what, statistics.median(taken_ms), "ms", releases),
        Figure(f"{what}, 99th percentile", high, "ms", releases, aim=AIM_MS),
    ]


def entries_stored(connection: Connection) -> int:
    """Parts of withdrawals in recalls."""
    return int(connection.execute(select(func.count()).select_from(_ENTRIES)).scalar_one())
