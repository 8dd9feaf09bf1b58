"""Which operators a call is open to, as its contract says.

Pages offer by it what would be carried out; the services decide by what they are shown.
"""

import functools

from services.chassis.admissions import AdmissionReader, contracts_in
from services.chassis.identity import Admission, AdmissionTable, PrincipalKind
from services.console.web.sessions import Session
from sluice.type.v1 import admission_pb2 as said

SUSPEND = "/sluice.licensing.v1.ContractService/SuspendLicense"
RESUME = "/sluice.licensing.v1.ContractService/ResumeLicense"
TERMINATE = "/sluice.licensing.v1.ContractService/TerminateLicense"
ORDER_HALT = "/sluice.consent.v1.StateService/OrderHalt"
LIFT_HALT = "/sluice.consent.v1.StateService/LiftHalt"
RAISE_WALL = "/sluice.licensing.v1.WallService/RaiseWall"
LOWER_WALL = "/sluice.licensing.v1.WallService/LowerWall"

_NOBODY = Admission(kinds=frozenset())


def is_open(session: Session, method: str) -> bool:
    """Whether an operator with these roles is let in to `method`, "/package.Service/Method"."""
    admission = _table().get(method, _NOBODY)
    is_for_operators = PrincipalKind.OPERATOR in admission.kinds
    return is_for_operators and (not admission.roles or not admission.roles.isdisjoint(session.roles))


def open_to(method: str) -> list[str]:
    """The roles that it is open to, by name."""
    return sorted(_table().get(method, _NOBODY).roles)


@functools.cache
def _table() -> AdmissionTable:
    reader = AdmissionReader(said.admission, said.CallerKind, said.OperatorRole)
    packages = ("sluice.consent.v1", "sluice.metering.v1", "sluice.licensing.v1")
    return reader.table(*(file for package in packages for file in contracts_in(package)))
