"""Halts as they come in, checked by the contract: ordered, or named where posts are asked about again."""

from services.consent.domain.halts import HaltKind, HaltOrder, HaltScope
from services.consent.domain.verdicts import NO_HALTS
from sluice.consent.v1 import consent_service_pb2, halt_pb2
from sluice.consent.v1 import state_service_pb2 as pb


def halt_order(request: pb.OrderHaltRequest) -> HaltOrder:
    """The halt as it was asked for."""
    return HaltOrder(_scope(request.scope), request.cause, request.recall)


def halts_of(request: consent_service_pb2.CheckConsentRequest) -> frozenset[HaltScope] | None:
    """The halts that apply where posts are asked about again (W1); None: those that are in force."""
    match request.recheck.WhichOneof("cause"):
        case "policy":
            return NO_HALTS
        case "halt":
            return frozenset({_scope(request.recheck.halt)})
    return None


def _scope(given: halt_pb2.HaltScope) -> HaltScope:
    match given.WhichOneof("scope"):
        case "purpose":
            return HaltScope(HaltKind.PURPOSE, str(int(given.purpose)))
        case "jurisdiction":
            return HaltScope(HaltKind.JURISDICTION, given.jurisdiction)
        case "licensee_id":
            return HaltScope(HaltKind.LICENSEE, given.licensee_id)
        case _:
            return HaltScope(HaltKind.EVERYTHING)
