"""What the key desk promises, whichever store it has: one in memory and one in a database."""

import asyncio
import copy
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio
from sqlalchemy import inspect, text

from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from services.chassis.replays import ReplayKey
from services.licensing.api_keys import KeyDesk, Rows, Store, Wish
from services.licensing.domain.api_keys import ApiKey, Holder, HolderKind, NewKey, new_key
from services.licensing.domain.licenses import Licensee
from services.licensing.storage.api_keys import ApiKeyStore
from tests.support.clock import NOON_US, ManualClock
from tests.support.contracts import MemoryRows
from tests.support.engines import ENGINES, url_on
from tests.support.licensing import DAY_US, licensing_database_at

T = TypeVar("T")
EXPORTS = Holder(HolderKind.PIPELINE, "exports", sandbox=False)
ACME = Holder(HolderKind.LICENSEE, "acme", sandbox=False)


class MemoryKeyRows(MemoryRows):
    """Keys beside the licensees of a desk's books."""

    def __init__(self) -> None:
        super().__init__()
        self.keys_by_id: dict[str, ApiKey] = {}

    def api_key(self, key_id: str) -> ApiKey | None:
        return self.keys_by_id.get(key_id)

    def api_keys_of(self, holder: Holder) -> Sequence[ApiKey]:
        return [key for key in self.keys_by_id.values() if key.holder == holder]

    def api_keys(self, licensee_id: str | None, after: str, limit: int) -> Sequence[ApiKey]:
        later = [key for id, key in sorted(self.keys_by_id.items()) if id > after]
        own = (HolderKind.LICENSEE, licensee_id)
        return [key for key in later if licensee_id is None or (key.holder.kind, key.holder.party) == own][
            :limit
        ]

    def add_api_key(self, key: ApiKey) -> None:
        self.keys_by_id[key.key_id] = key

    def revoke_api_key(self, key: ApiKey) -> None:
        self.keys_by_id[key.key_id] = key


class MemoryKeys:
    """A store that lasts as long as the test; a copy is a transaction."""

    def __init__(self) -> None:
        self._rows = MemoryKeyRows()

    async def write(self, unit: Callable[[Rows], T]) -> T:
        rows = copy.deepcopy(self._rows)
        result = unit(rows)
        self._rows = rows
        return result

    async def read(self, query: Callable[[Rows], T]) -> T:
        return query(self._rows)


@pytest_asyncio.fixture(params=ENGINES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    database = licensing_database_at(url_on(request.param, request, tmp_path, licensing_database_at))
    yield database
    await database.close()


@pytest_asyncio.fixture(params=["memory", *ENGINES])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryKeys()
        return
    database = licensing_database_at(url_on(request.param, request, tmp_path, licensing_database_at))
    yield ApiKeyStore(database)
    await database.close()


def numbered_keys() -> Iterator[tuple[bytes, bytes]]:
    for number in range(256):
        yield bytes([number] * 8), bytes([number] * 32)


def a_desk(store: Store, clock: ManualClock) -> KeyDesk:
    """Its keys are numbered in the order of their making."""
    bits = numbered_keys()

    def fresh(sandbox: bool) -> NewKey:
        return new_key(sandbox, *next(bits))

    return KeyDesk(store, clock, fresh)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(store: Store, clock: ManualClock) -> KeyDesk:
    return a_desk(store, clock)


def a_replay(request_id: str | None = None, content: str = "", operation: str = "CreateApiKey") -> ReplayKey:
    digest = sha256(content.encode()).digest()
    return ReplayKey("operator:ann", operation, request_id or uuid7(NOON_US), digest)


def told(key: ApiKey) -> bytes:
    return f"{key.key_id} of {key.holder.party}, {'revoked' if key.revoked_at_us else 'active'}".encode()


async def created(
    desk: KeyDesk,
    holder: Holder = EXPORTS,
    replay: ReplayKey | None = None,
    expires_at_us: int | None = None,
) -> tuple[bytes, str]:
    return await desk.create(Wish(holder, "nightly", expires_at_us), replay or a_replay(), told)


async def revoke(desk: KeyDesk, key_id: str, replay: ReplayKey | None = None) -> bytes:
    return await desk.revoke(key_id, replay or a_replay(operation="RevokeApiKey"), told)


async def test_a_key_that_was_created_names_its_holder(desk: KeyDesk) -> None:
    answer, secret = await created(desk)

    shown = await desk.shown(secret)

    assert answer == b"0000000000000000 of exports, active"
    assert (shown.holder, shown.until_us) == (EXPORTS, None)


async def test_a_repeated_request_creates_nothing_and_gets_no_key_again(desk: KeyDesk) -> None:
    replay = a_replay()
    answer, secret = await created(desk, replay=replay)

    repeated = await created(desk, replay=replay)

    assert secret
    assert repeated == (answer, "")
    assert len(await desk.page(None, "", 10)) == 1


async def test_a_request_id_with_other_content_is_refused(desk: KeyDesk) -> None:
    request_id = uuid7(NOON_US)
    await created(desk, replay=a_replay(request_id, "one thing"))

    with pytest.raises(Refusal, match="REQUEST_ID_REUSED"):
        await created(desk, replay=a_replay(request_id, "another"))


async def test_a_revoked_key_is_good_for_nothing_from_the_answer_on(desk: KeyDesk) -> None:
    _, secret = await created(desk)

    answer = await revoke(desk, "0000000000000000")

    assert answer == b"0000000000000000 of exports, revoked"
    with pytest.raises(Refusal, match="API_KEY_INVALID"):
        await desk.shown(secret)


async def test_to_revoke_again_changes_nothing(desk: KeyDesk, clock: ManualClock) -> None:
    await created(desk)
    await revoke(desk, "0000000000000000")
    clock.advance(1)

    await revoke(desk, "0000000000000000")

    (key,) = await desk.page(None, "", 10)
    assert (key.revoked_at_us, key.revoked_by) == (NOON_US, "operator:ann")


async def test_a_key_that_is_not_there_cannot_be_revoked(desk: KeyDesk) -> None:
    with pytest.raises(Refusal) as refused:
        await revoke(desk, "00000000000000ff")

    assert (refused.value.kind, refused.value.reason) == (Kind.NOT_FOUND, "API_KEY_UNKNOWN")


async def test_a_holder_has_two_active_keys_and_the_sandbox_has_its_own_two(desk: KeyDesk) -> None:
    trial = Holder(HolderKind.PIPELINE, "exports", sandbox=True)
    for holder in (EXPORTS, EXPORTS, trial, trial):
        await created(desk, holder)

    for holder in (EXPORTS, trial):
        with pytest.raises(Refusal, match="TOO_MANY_KEYS"):
            await created(desk, holder)
    await revoke(desk, "0000000000000000")
    await created(desk, EXPORTS)


async def test_a_key_that_has_expired_leaves_its_place(desk: KeyDesk, clock: ManualClock) -> None:
    await created(desk)
    _, secret = await created(desk, expires_at_us=NOON_US + DAY_US)
    assert (await desk.shown(secret)).until_us == NOON_US + DAY_US

    clock.advance(DAY_US)

    with pytest.raises(Refusal, match="API_KEY_INVALID"):
        await desk.shown(secret)
    await created(desk, replay=a_replay(uuid7(clock.now_us())))


async def test_a_licensee_must_exist_and_a_refused_request_leaves_its_id_free(
    desk: KeyDesk, store: Store
) -> None:
    replay = a_replay()
    with pytest.raises(Refusal, match="LICENSEE_UNKNOWN"):
        await created(desk, ACME, replay)

    await store.write(lambda rows: rows.add_licensee(Licensee("acme", "Acme", NOON_US), "operator:ann"))  # type: ignore[attr-defined]
    _, secret = await created(desk, ACME, replay)

    assert (await desk.shown(secret)).holder == ACME


async def test_keys_are_listed_by_id_and_by_licensee(desk: KeyDesk, store: Store) -> None:
    await store.write(lambda rows: rows.add_licensee(Licensee("acme", "Acme", NOON_US), "operator:ann"))  # type: ignore[attr-defined]
    acme_pipeline = Holder(HolderKind.PIPELINE, "acme", sandbox=False)
    for holder in (ACME, EXPORTS, acme_pipeline):
        await created(desk, holder)

    pages = [await desk.page(None, "", 2), await desk.page(None, "01" * 8, 2)]
    own = await desk.page("acme", "", 5)

    assert [[key.holder for key in page] for page in pages] == [[ACME, EXPORTS], [acme_pipeline]]
    assert [key.holder for key in own] == [ACME]


@pytest.mark.parametrize("engine", ENGINES)
async def test_of_many_that_are_created_at_once_two_are_there(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    """In two processes where the engine allows as many: a third key does not slip past the other two."""
    url = url_on(engine, request, tmp_path, licensing_database_at)
    databases = [licensing_database_at(url) for _ in range(2 if engine == "postgresql" else 1)]
    clock = ManualClock()
    desks = [KeyDesk(ApiKeyStore(database), clock, random_key) for database in databases]

    answers = await asyncio.gather(
        *(created(desk) for _ in range(10) for desk in desks), return_exceptions=True
    )
    found = await desks[0].page(None, "", 50)
    for database in databases:
        await database.close()

    refusals = [answer for answer in answers if isinstance(answer, BaseException)]
    assert {getattr(refusal, "reason", refusal) for refusal in refusals} == {"TOO_MANY_KEYS"}
    assert len(found) == len(answers) - len(refusals) == 2


def random_key(sandbox: bool) -> NewKey:
    return new_key(sandbox, secrets.token_bytes(8), secrets.token_bytes(32))


async def test_the_text_of_a_key_is_nowhere_in_the_database(database: Database) -> None:
    desk = a_desk(ApiKeyStore(database), ManualClock())
    replay = a_replay()
    _, secret = await created(desk, replay=replay)
    await created(desk, replay=replay)
    await revoke(desk, "0000000000000000")

    everything = await database.read(
        lambda connection: [
            value if isinstance(value, bytes) else str(value).encode()
            for table in inspect(connection).get_table_names()
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))
            for value in row
        ]
    )

    assert any(b"exports" in value for value in everything)
    assert not [value for value in everything if secret[-43:].encode() in value or bytes(32) in value]
