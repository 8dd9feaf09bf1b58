"""Who may call which RPC of licensing, as its contracts say; one that says nothing is open to nobody.

And of the services that are reached through the gateway after licensing was asked: who may call what there.
"""

from gateway import authorization_pb2
from services.chassis.admissions import AdmissionReader, contracts_in
from services.chassis.identity import AdmissionTable
from sluice.licensing.v1 import (
    action_service_pb2,
    affiliate_service_pb2,
    audit_service_pb2,
    billing_service_pb2,
    caller_service_pb2,
    contract_service_pb2,
    delivery_service_pb2,
    disclosure_service_pb2,
    explanation_service_pb2,
    key_service_pb2,
    log_service_pb2,
    manifest_service_pb2,
    recall_service_pb2,
    release_service_pb2,
    statistics_service_pb2,
    token_service_pb2,
    wall_service_pb2,
    webhook_service_pb2,
)
from sluice.type.v1 import admission_pb2 as said

_READER = AdmissionReader(said.admission, said.CallerKind, said.OperatorRole)

ADMISSIONS: AdmissionTable = _READER.table(
    action_service_pb2.DESCRIPTOR,
    affiliate_service_pb2.DESCRIPTOR,
    audit_service_pb2.DESCRIPTOR,
    billing_service_pb2.DESCRIPTOR,
    caller_service_pb2.DESCRIPTOR,
    contract_service_pb2.DESCRIPTOR,
    delivery_service_pb2.DESCRIPTOR,
    disclosure_service_pb2.DESCRIPTOR,
    explanation_service_pb2.DESCRIPTOR,
    key_service_pb2.DESCRIPTOR,
    log_service_pb2.DESCRIPTOR,
    manifest_service_pb2.DESCRIPTOR,
    recall_service_pb2.DESCRIPTOR,
    release_service_pb2.DESCRIPTOR,
    statistics_service_pb2.DESCRIPTOR,
    token_service_pb2.DESCRIPTOR,
    wall_service_pb2.DESCRIPTOR,
    webhook_service_pb2.DESCRIPTOR,
    authorization_pb2.DESCRIPTOR,
)

OF_METERING: AdmissionTable = _READER.table(*contracts_in("sluice.metering.v1"))

BEHIND_THE_GATEWAY: AdmissionTable = {**ADMISSIONS, **OF_METERING}
"""Consent is not among them: its calls go there whether or not licensing can be asked."""
