"""The sandbox over gRPC: the answer to a decision that nothing follows from."""

from services.licensing.domain.decisions import Decision, Request
from services.licensing.domain.deliveries import delivery_of
from services.licensing.rpc.contracts import stored
from services.licensing.rpc.decision_messages import decision_message
from services.licensing.sandbox import SandboxDesk
from sluice.licensing.v1 import release_service_pb2 as pb


async def decide_in_sandbox(desk: SandboxDesk, asked: Request) -> pb.Decision:
    """The answer to a principal of the sandbox; raises what `SandboxDesk.decide` raises."""
    tried = await desk.decide(asked, _rendered)
    decision = pb.Decision.FromString(tried.answer)
    decision.replayed = tried.replayed
    return decision


def _rendered(decision: Decision) -> bytes:
    # Nothing was released, so there is nothing to deliver, whatever the verdicts say.
    message = decision_message(decision, delivery_of(0, None, None), decision.decided_at_us, replayed=False)
    message.sandbox = True
    # Verdicts only: exact reasons would tell, at no cost and on no record, who is a minor or has opted out.
    message.ClearField("reasons")
    return stored(message)
