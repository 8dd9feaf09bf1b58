"""What is particular to licensing's database: the schema, the head row, and what stored terms are worth."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection, text

from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.replays import ReplayKey
from services.licensing.contracts import Amendment, ContractDesk
from services.licensing.domain.answers import Revision
from services.licensing.domain.history import Change, StepTaken
from services.licensing.domain.licenses import Licensee, LicenseState, Step, draft
from services.licensing.domain.reasons import Reason
from services.licensing.domain.terms import digest_of
from services.licensing.storage import (
    action_tables,
    affiliate_tables,
    api_keys,
    billing_tables,
    contract_tables,
    countersignature_tables,
    ledger_tables,
    log_tables,
    recall_tables,
    restore_tables,
    statistics_tables,
    wall_tables,
    webhook_tables,
)
from services.licensing.storage.contracts import ContractRows, ContractStore, license_row
from services.licensing.storage.head import Head, lock_head, take_number
from tests.support.clock import NOON_US, ManualClock
from tests.support.declared_tables import differences
from tests.support.engines import ENGINES, url_on
from tests.support.licensing import a_batch, licensing_database_at, put_into_force, some_terms


@pytest_asyncio.fixture(params=ENGINES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    database = licensing_database_at(url_on(request.param, request, tmp_path, licensing_database_at))
    yield database
    await database.close()


def add_active_license(connection: Connection) -> None:
    rows = ContractRows(connection)
    rows.lock_head()
    rows.add_licensee(Licensee("licensee-1", "Licensee", NOON_US), "operator:ann")
    license = draft("license-1", some_terms(), NOON_US)
    rows.add_license(license, Change("operator:ann", NOON_US, "", StepTaken.DRAFTED, 1))
    activation = Change("operator:bob", NOON_US + 1, "signed", StepTaken.ACTIVATED, 1, NOON_US + 1)
    rows.put_license(put_into_force(license, NOON_US + 1), activation)


def suspend(connection: Connection) -> None:
    rows = ContractRows(connection)
    rows.lock_head()
    license = rows.license("license-1")
    assert license is not None
    change = Change("operator:ann", NOON_US + 2, "late payment", StepTaken.SUSPENDED, 1)
    rows.put_license(license.after(Step.SUSPEND, NOON_US + 2, "late payment"), change)


async def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    declared = contract_tables.LicenseRow.metadata
    assert ledger_tables.DecisionRow.metadata is declared
    assert billing_tables.BillRow.metadata is declared
    assert countersignature_tables.CountersignatureRow.metadata is declared
    assert statistics_tables.DecisionCountRow.metadata is declared
    assert log_tables.CheckpointRow.metadata is declared
    assert affiliate_tables.AffiliateChangeRow.metadata is declared
    assert api_keys.ApiKeyRow.metadata is declared
    assert recall_tables.RecallRow.metadata is declared
    assert webhook_tables.RecallWebhookRow.metadata is declared
    assert wall_tables.WallChangeRow.metadata is declared
    assert restore_tables.AcceptedRestoreRow.metadata is declared
    assert action_tables.ACTIONS.metadata is declared

    found = await database.read(lambda connection: differences(connection, declared))

    assert found == []


async def test_numbers_are_given_in_order_and_given_back_by_a_failed_unit(database: Database) -> None:
    def fail(connection: Connection) -> None:
        take_number(connection)
        raise ValueError("after the number was taken")

    first = await database.write(take_number)
    with pytest.raises(ValueError, match="after the number"):
        await database.write(fail)
    second = await database.write(take_number)

    assert (first, second) == (1, 2)
    assert await database.write(lock_head) == Head(epoch=1, next_number=3, cut_off_us=0, fence=Revision(0, 0))


async def test_l1_every_change_of_a_license_is_kept_with_who_made_it(database: Database) -> None:
    await database.write(add_active_license)

    history = await database.read(
        lambda connection: connection.execute(
            text("SELECT ordinal, state, reason, changed_by, changed_at_us, terms FROM license_history")
        ).all()
    )

    document = some_terms().document().decode()
    assert [tuple(row) for row in history] == [
        (1, LicenseState.DRAFT, "", "operator:ann", NOON_US, document),
        (2, LicenseState.ACTIVE, "signed", "operator:bob", NOON_US + 1, document),
    ]


async def test_l4_a_transaction_sees_the_license_as_it_was_last_acknowledged(database: Database) -> None:
    await database.write(add_active_license)

    await database.write(suspend)
    seen = await database.write(lambda connection: license_row(connection, "license-1"))

    assert seen is not None
    assert seen.state is LicenseState.SUSPENDED
    assert not seen.in_force(NOON_US + 3)


async def test_l2_a_stored_restriction_that_is_not_understood_denies_everything(database: Database) -> None:
    await database.write(add_active_license)
    fields = json.loads(some_terms().document()) | {"embargo_days": 30}
    document = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()

    def amend(connection: Connection) -> None:
        statement = text("UPDATE licenses SET terms = :terms, terms_digest = :digest")
        connection.execute(statement, {"terms": document.decode(), "digest": digest_of(document)})

    await database.write(amend)
    license = await database.read(lambda connection: license_row(connection, "license-1"))

    assert license is not None
    assert license.covers(a_batch(), NOON_US + 2).tolist() == [Reason.LICENSE_NOT_ACTIVE]
    assert license.terms_digest == digest_of(document)


async def test_l2_terms_that_were_altered_behind_their_digest_deny_everything(database: Database) -> None:
    await database.write(add_active_license)
    wider = some_terms(territory=frozenset({"DE"})).document().decode()

    def alter(connection: Connection) -> None:
        connection.execute(text("UPDATE licenses SET terms = :terms"), {"terms": wider})

    await database.write(alter)
    license = await database.read(lambda connection: license_row(connection, "license-1"))

    assert license is not None
    assert not license.in_force(NOON_US + 2)


async def test_l2_what_is_not_understood_is_carried_on_as_it_stands(database: Database) -> None:
    await database.write(add_active_license)
    fields = json.loads(some_terms().document()) | {"embargo_days": 30}
    document = json.dumps(fields, sort_keys=True, separators=(",", ":"))

    def understand_less(connection: Connection) -> None:
        statement = text("UPDATE licenses SET terms = :terms, terms_digest = :digest")
        connection.execute(statement, {"terms": document, "digest": digest_of(document.encode())})

    await database.write(understand_less)
    await database.write(suspend)

    stored = await database.read(
        lambda connection: connection.execute(text("SELECT terms, terms_digest FROM licenses")).one()
    )
    assert (stored.terms, bytes(stored.terms_digest)) == (document, digest_of(document.encode()))


async def test_l1_the_first_amendment_of_a_license_without_a_row_for_its_version_is_version_2(
    database: Database,
) -> None:
    # As a process of an earlier release leaves it.
    await database.write(add_active_license)
    terms = some_terms(languages=frozenset({"en"}))
    amendment = Amendment(terms, digest_of(some_terms().document()), "")
    key = ReplayKey("operator:ann", "AmendLicense", uuid7(NOON_US), bytes(32))
    desk = ContractDesk(ContractStore(database), ManualClock())

    await desk.amend("license-1", amendment, key, lambda *_: b"")

    license = await desk.current("license-1")
    assert license.next is not None
    assert (license.version, license.next.version) == (1, 2)


async def test_an_unknown_license_has_no_row(database: Database) -> None:
    assert await database.read(lambda connection: license_row(connection, "license-1")) is None
