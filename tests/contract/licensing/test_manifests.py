"""Manifests in the database of each engine, and who is shown what of them (R4)."""

import numpy as np
import pytest
from sqlalchemy import Connection, insert

from services.chassis.database import Database
from services.chassis.identity import Principal, PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.manifests import Manifest, manifest_of
from services.licensing.domain.reasons import Reason
from services.licensing.manifest_proofs import ManifestProver
from services.licensing.storage.head import lock_head, take_number
from services.licensing.storage.ledger_tables import ManifestRow
from services.licensing.storage.manifests import ManifestStore
from tests.support.clock import NOON_US
from tests.support.counted import DECISIONS, Made, values
from tests.support.licensing import a_batch, a_post

MANIFESTS = ManifestRow.metadata.tables[ManifestRow.__tablename__]
SALT = bytes(range(32))
DECISION = uuid7(NOON_US)
POSTS = (a_post(2**63 + 5, author_id=2**63 + 1), a_post(7, author_id=11, embeds=((9, 12),)), a_post(8, 12))


def the_manifest(released: tuple[bool, ...] = (True, True, True)) -> Manifest:
    return manifest_of(a_batch(*POSTS), np.array(released), SALT)


def record(database: Database, manifest: Manifest, root: bytes | None = None) -> None:
    """A decision of the pipeline firehose with this manifest; under another root, if said."""
    made = Made(NOON_US, "acme", 2, (Reason.RELEASED,))

    def unit(connection: Connection) -> None:
        lock_head(connection)
        row = {"decision_id": DECISION, "request_id": DECISION, "receipt": "a.receipt.of-it", "salt": SALT}
        more = {"posts_released": 1, "recorded_at_us": NOON_US}
        connection.execute(insert(DECISIONS), values(made, take_number(connection)) | row | more)
        columns = {
            "contributors": manifest.contributors.tobytes(),
            "post_offsets": manifest.post_offsets.tobytes(),
            "post_ids": manifest.post_ids.tobytes(),
        }
        root_row = {"decision_id": DECISION, "root": root or manifest.root, "leaves": len(manifest)}
        connection.execute(insert(MANIFESTS), root_row | columns)

    database.write_now(unit)


def a_caller(kind: str, party: str) -> Principal:
    """An agent acts for 12 and 13."""
    subjects = frozenset({12, 13} if kind == "agent" else ())
    return Principal(PrincipalKind(kind), party, frozenset(), subjects=subjects)


async def refusal(database: Database, decision_id: str, subject: int, kind: str, party: str) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await ManifestProver(ManifestStore(database)).leaf(decision_id, subject, a_caller(kind, party))
    return refused.value


async def test_what_was_recorded_of_a_release_is_read_as_it_was(database: Database) -> None:
    record(database, the_manifest())

    read = await ManifestStore(database).released(DECISION)

    assert read is not None
    assert (read.principal_kind, read.principal, read.receipt) == ("pipeline", "firehose", "a.receipt.of-it")
    for name in ("contributors", "post_offsets", "post_ids"):
        assert getattr(read.manifest, name).tolist() == getattr(the_manifest(), name).tolist()
    assert (read.manifest.salt, read.manifest.root) == (SALT, the_manifest().root)
    assert await ManifestStore(database).released(uuid7(NOON_US)) is None


@pytest.mark.parametrize(
    ("kind", "party"),
    [
        ("subject", "12"),
        ("agent", "helper"),
        ("pipeline", "firehose"),
        ("operator", "ada"),
        ("auditor", "anyone"),
    ],
)
async def test_r4_those_who_may_are_shown_one_contributors_posts(
    database: Database, kind: str, party: str
) -> None:
    record(database, the_manifest())

    shown = await ManifestProver(ManifestStore(database)).leaf(DECISION, 12, a_caller(kind, party))

    assert shown.receipt == "a.receipt.of-it"
    assert (shown.proof.contributor, shown.proof.post_ids, shown.proof.leaves) == (12, (7, 8), 3)


async def test_r4_what_is_not_a_callers_looks_like_what_is_not_there(database: Database) -> None:
    record(database, the_manifest())
    nobodys = uuid7(NOON_US)

    refusals = [
        await refusal(database, nobodys, 12, "operator", "ada"),
        await refusal(database, nobodys, 12, "subject", "12"),
        await refusal(database, DECISION, 11, "subject", "12"),
        await refusal(database, DECISION, 13, "subject", "13"),
        await refusal(database, DECISION, 11, "agent", "helper"),
        await refusal(database, DECISION, 11, "agent", "11"),
        await refusal(database, DECISION, 13, "agent", "helper"),
        await refusal(database, DECISION, 12, "pipeline", "another"),
    ]

    assert {(each.kind, each.reason, each.message) for each in refusals} == {
        (Kind.NOT_FOUND, "DECISION_UNKNOWN", "there is no such decision")
    }


async def test_who_may_know_a_decision_is_told_that_somebody_has_no_part_in_it(database: Database) -> None:
    record(database, the_manifest((True, False, False)))

    # Neighbours of the one that is in it: as floats they would be the same number.
    for stranger in (11, 12, 2**63, 2**63 + 2):
        assert (
            await refusal(database, DECISION, stranger, "operator", "ada")
        ).reason == "CONTRIBUTOR_UNKNOWN"


async def test_no_proof_is_made_of_a_manifest_that_has_another_root_than_was_signed(
    database: Database,
) -> None:
    record(database, the_manifest(), root=bytes(32))

    refused = await refusal(database, DECISION, 12, "subject", "12")

    assert (refused.kind, refused.reason) == (Kind.INTERNAL, "MANIFEST_DAMAGED")
