"""Who may call which RPC of the directory, as its contract says; one that says nothing is open to nobody."""

from services.chassis.admissions import AdmissionReader
from services.chassis.identity import AdmissionTable
from sluice.directory.v1 import directory_service_pb2
from sluice.type.v1 import admission_pb2 as said

ADMISSIONS: AdmissionTable = AdmissionReader(said.admission, said.CallerKind, said.OperatorRole).table(
    directory_service_pb2.DESCRIPTOR
)
