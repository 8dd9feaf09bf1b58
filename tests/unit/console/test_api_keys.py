"""Keys that nobody could write down, and what is said of them."""

import errno
import os
from typing import Any

import pytest

from services.chassis.refusals import Refusal, unavailable
from services.console import api_keys
from services.console.api_keys import create_kept_key
from services.console.connections import Connections
from sluice.licensing.v1.api_key_pb2 import ApiKey
from sluice.licensing.v1.key_service_pb2 import CreateApiKeyRequest, CreateApiKeyResponse
from tests.support.command_line import Cli

KEY_ID = "0123456789abcdef"
SECRET = f"sluice_live_{KEY_ID}_secret"


@pytest.fixture
def revoked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that were revoked, of a licensing that creates and revokes."""
    revoked: list[str] = []

    async def create(*_: Any) -> CreateApiKeyResponse:
        return CreateApiKeyResponse(api_key=ApiKey(key_id=KEY_ID), secret=SECRET)

    async def revoke(_: Connections, key_id: str) -> ApiKey:
        revoked.append(key_id)
        return ApiKey(key_id=key_id)

    monkeypatch.setattr(api_keys, "create_key", create)
    monkeypatch.setattr(api_keys, "revoke_key", revoke)
    return revoked


def full(_text: str) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def kept(write: Any) -> CreateApiKeyResponse:
    return await create_kept_key(Connections({}, str), CreateApiKeyRequest(), write)


async def test_a_key_that_is_written_down_stays(revoked: list[str]) -> None:
    written: list[str] = []

    answer = await kept(written.append)

    assert (answer.secret, written, revoked) == (SECRET, [SECRET + "\n"], [])


async def test_a_key_that_cannot_be_written_down_is_revoked(revoked: list[str]) -> None:
    with pytest.raises(Refusal, match="API_KEY_NOT_WRITTEN") as refused:
        await kept(full)

    assert revoked == [KEY_ID]
    assert "No space left on device" in refused.value.message
    assert SECRET not in refused.value.message


async def test_a_key_that_is_neither_written_nor_revoked_is_named(
    revoked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def out_of_reach(*_: Any) -> ApiKey:
        raise unavailable("PEER_UNAVAILABLE", "licensing did not answer")

    monkeypatch.setattr(api_keys, "revoke_key", out_of_reach)

    with pytest.raises(Refusal, match="API_KEY_NOT_WRITTEN") as refused:
        await kept(full)

    assert f"key {KEY_ID} is still active" in refused.value.message


@pytest.mark.parametrize("kind", ["operator", "subject", "agent", "auditor", "service"])
def test_only_the_kinds_that_come_in_with_keys_are_offered_one(cli: Cli, kind: str) -> None:
    said = cli.wrong("key", "create", "--kind", kind, "--party", "ada", "--label", "x")

    assert "'licensee', 'pipeline'" in said
