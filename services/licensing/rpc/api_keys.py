"""The key desk over gRPC: translates, calls, translates."""

from typing import Any

from services.chassis.replays import replay_key
from services.chassis.serving import Bolt
from services.chassis.timestamps import time_us
from services.licensing.api_keys import KeyDesk, Wish
from services.licensing.domain.api_keys import ApiKey
from services.licensing.rpc.api_key_messages import api_key_message, holder_of
from services.licensing.rpc.contracts import (
    DEFAULT_PAGE_SIZE,
    may_ask_about,
    own_licensee,
    page_token,
    read_page_token,
    stored,
)
from sluice.licensing.v1 import api_key_pb2
from sluice.licensing.v1 import key_service_pb2 as pb
from sluice.licensing.v1 import key_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.ApiKeyService"


class ApiKeyServicer(pb_grpc.ApiKeyServiceServicer):
    """`sluice.licensing.v1.ApiKeyService`."""

    def __init__(self, desk: KeyDesk) -> None:
        self._desk = desk

    async def CreateApiKey(self, request: pb.CreateApiKeyRequest, context: Any) -> pb.CreateApiKeyResponse:  # noqa: N802
        ends = time_us(request.expires_at, "expires_at") if request.HasField("expires_at") else None
        wish = Wish(holder_of(request.holder), request.label, ends)
        # What is stored is the description alone: who repeats a request, or reads the table, finds no key.
        answer, secret = await self._desk.create(wish, replay_key("CreateApiKey", request), _described)
        return pb.CreateApiKeyResponse(api_key=api_key_pb2.ApiKey.FromString(answer), secret=secret)

    async def RevokeApiKey(self, request: pb.RevokeApiKeyRequest, context: Any) -> pb.RevokeApiKeyResponse:  # noqa: N802
        answer = await self._desk.revoke(request.key_id, replay_key("RevokeApiKey", request), _described)
        return pb.RevokeApiKeyResponse(api_key=api_key_pb2.ApiKey.FromString(answer))

    async def ListApiKeys(self, request: pb.ListApiKeysRequest, context: Any) -> pb.ListApiKeysResponse:  # noqa: N802
        if not may_ask_about(request.licensee_id):
            return pb.ListApiKeysResponse()
        size, own = request.page_size or DEFAULT_PAGE_SIZE, own_licensee()
        whose = own or request.licensee_id or None
        # One more than asked for tells whether there is a next page.
        keys = await self._desk.page(whose, read_page_token(request.page_token), size + 1)
        page = [api_key_message(key) for key in keys[:size]]
        if own is not None:
            for message in page:
                # Who of the platform did it is no licensee's business.
                message.ClearField("created_by")
                message.ClearField("revoked_by")
        more = page_token(page[-1].key_id) if len(keys) > size else ""
        return pb.ListApiKeysResponse(api_keys=page, next_page_token=more)


def bolt(desk: KeyDesk) -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_ApiKeyServiceServicer_to_server, ApiKeyServicer(desk), FULL_NAME)


def _described(key: ApiKey) -> bytes:
    return stored(api_key_message(key))
