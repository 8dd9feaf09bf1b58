"""Who may call which RPC of consent, as its contracts say; one that says nothing is open to nobody."""

from services.chassis.admissions import AdmissionReader
from services.chassis.identity import AdmissionTable
from sluice.consent.v1 import (
    action_service_pb2,
    consent_service_pb2,
    state_service_pb2,
    subject_service_pb2,
)
from sluice.type.v1 import admission_pb2 as said

ADMISSIONS: AdmissionTable = AdmissionReader(said.admission, said.CallerKind, said.OperatorRole).table(
    action_service_pb2.DESCRIPTOR,
    consent_service_pb2.DESCRIPTOR,
    state_service_pb2.DESCRIPTOR,
    subject_service_pb2.DESCRIPTOR,
)
