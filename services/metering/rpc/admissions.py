"""Who may call which RPC of metering, as its contracts say; one that says nothing is open to nobody."""

from gateway import rate_limit_pb2
from services.chassis.admissions import AdmissionReader
from services.chassis.identity import AdmissionTable
from sluice.metering.v1 import (
    action_service_pb2,
    damages_service_pb2,
    dispute_service_pb2,
    metering_service_pb2,
    party_service_pb2,
    usage_service_pb2,
)
from sluice.type.v1 import admission_pb2 as said

ADMISSIONS: AdmissionTable = AdmissionReader(said.admission, said.CallerKind, said.OperatorRole).table(
    action_service_pb2.DESCRIPTOR,
    damages_service_pb2.DESCRIPTOR,
    dispute_service_pb2.DESCRIPTOR,
    metering_service_pb2.DESCRIPTOR,
    party_service_pb2.DESCRIPTOR,
    rate_limit_pb2.DESCRIPTOR,
    usage_service_pb2.DESCRIPTOR,
)
