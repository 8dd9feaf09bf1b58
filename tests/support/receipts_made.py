"""A pipeline that has decisions made by a replica of licensing, and keeps every answer."""

import struct
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.chassis.clock import SystemClock
from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from sluice.licensing.v1 import contract_service_pb2 as contracts_pb
from sluice.licensing.v1 import license_pb2, post_pb2
from sluice.licensing.v1 import log_service_pb2 as log_pb
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.log_service_pb2_grpc import LogServiceStub
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from tests.support.cluster import TRAINING, some_terms
from tests.support.keys import a_minter, some_keys
from tests.support.licensing_fleet import AUTHORS

CALL_US = 3_000_000
LICENSE = "acme-training"
# What is not there is tried again at once: who comes back is to be asked at once.
_COMING_BACK = [("grpc.max_reconnect_backoff_ms", 200), ("grpc.initial_reconnect_backoff_ms", 50)]


class ReceiptMaker:
    """Asks one replica; every call raises the Refusal that it was answered."""

    def __init__(self, address: str, folder: Path) -> None:
        """`folder` has the keys."""
        self._clock = SystemClock()
        minter = a_minter(some_keys(folder))

        def peer(kind: PrincipalKind) -> Peer:
            return Peer(
                address, lambda: minter.mint(kind, "maker", ["admin"]), name="licensing",
                default_deadline_us=CALL_US, options=_COMING_BACK,
            )  # fmt: skip

        self._operator, self._pipeline = peer(PrincipalKind.OPERATOR), peer(PrincipalKind.PIPELINE)
        self.decisions: list[pb.Decision] = []
        """As they were answered, in this order."""

    async def prepare(self) -> None:
        """An active license."""
        contracts, new_id = ContractServiceStub(self._operator.channel), self.new_id
        licensee = license_pb2.Licensee(licensee_id="acme", display_name="Acme")
        request: Any = contracts_pb.CreateLicenseeRequest(request_id=new_id(), licensee=licensee)
        await self._operator.call(contracts.CreateLicensee, request)
        request = contracts_pb.CreateLicenseRequest(
            request_id=new_id(), license_id=LICENSE, terms=some_terms()
        )
        license = (await self._operator.call(contracts.CreateLicense, request)).license
        request = contracts_pb.ActivateLicenseRequest(
            request_id=new_id(), license_id=LICENSE, version=1, terms_digest=license.terms_digest
        )
        await self._operator.call(contracts.ActivateLicense, request)

    async def decide(self, request_id: str | None = None, author: int = AUTHORS[0]) -> pb.Decision:
        """A decision on one post, always the same for an id; under a fresh one unless said."""
        request_id = request_id or self.new_id()
        columns = post_pb2.PostColumns(
            ids=struct.pack("<Q", uuid.UUID(request_id).int & 0xFFFFFFFF | 1),
            author_ids=struct.pack("<Q", author),
            kinds=b"\x01",
            media_flags=bytes(1),
            posted_at_us=struct.pack("<q", 1_600_000_000_000_000),
            languages=["en"],
            language_indexes=bytes(1),
            embed_offsets=bytes(8),
        )
        request = pb.DecideRequest(
            request_id=request_id, license_id=LICENSE, purpose=TRAINING, columns=columns
        )
        stub = ReleaseServiceStub(self._pipeline.channel)
        decision: pb.Decision = (await self._pipeline.call(stub.Decide, request)).decision
        self.decisions.append(decision)
        return decision

    async def confirm(self, decision_id: str) -> None:
        """Confirms that the post was delivered."""
        request = pb.ConfirmDeliveryRequest(decision_id=decision_id, delivered=b"\x01")
        await self._pipeline.call(ReleaseServiceStub(self._pipeline.channel).ConfirmDelivery, request)

    async def suspend(self) -> None:
        """Stops the license."""
        request = contracts_pb.SuspendLicenseRequest(request_id=self.new_id(), license_id=LICENSE)
        await self._operator.call(ContractServiceStub(self._operator.channel).SuspendLicense, request)

    async def decision(self, decision_id: str) -> pb.Decision:
        """One as it is stored."""
        request = pb.GetDecisionRequest(decision_id=decision_id)
        stub = ReleaseServiceStub(self._operator.channel)
        found: pb.Decision = (await self._operator.call(stub.GetDecision, request)).decision
        return found

    async def checkpoint(self) -> bytes:
        """The newest signed head."""
        stub = LogServiceStub(self._operator.channel)
        request = log_pb.GetCheckpointRequest()
        return bytes((await self._operator.call(stub.GetCheckpoint, request)).checkpoint.note)

    async def proof(self, number: int) -> log_pb.GetInclusionProofResponse:
        """That a receipt is in the log."""
        request = log_pb.GetInclusionProofRequest(receipt_number=number)
        stub = LogServiceStub(self._operator.channel)
        found: log_pb.GetInclusionProofResponse = await self._operator.call(stub.GetInclusionProof, request)
        return found

    async def attempts(self, decisions: Sequence[pb.Decision]) -> list[int]:
        """What became of the attempts that these came from."""
        ids = [decision.reservation_id for decision in decisions]
        stub = ReleaseServiceStub(self._operator.channel)
        request = pb.CheckAttemptsRequest(reservation_ids=ids)
        return list((await self._operator.call(stub.CheckAttempts, request)).states)

    async def close(self) -> None:
        """Ends the connections."""
        for peer in (self._operator, self._pipeline):
            await peer.close()

    def new_id(self) -> str:
        """Of a request."""
        return uuid7(self._clock.now_us())
