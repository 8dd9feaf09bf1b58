"""Consent as one process serves it, over a database and a clock of a test's own."""

from dataclasses import dataclass

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.restore_rows import SqlRestores
from services.chassis.serving import Bolt
from services.consent.acknowledging import Acknowledger
from services.consent.custodian import Custodian
from services.consent.domain.dossiers import Controller
from services.consent.index import Index
from services.consent.registrar import Registrar
from services.consent.rpc import servicer, state_servicer, subject_servicer
from services.consent.storage.custody import SqlCustody
from services.consent.storage.register import SqlRegister
from services.consent.storage.tables import RESTORES
from services.consent.watching import Watch
from sluice.consent.v1.consent_service_pb2_grpc import add_ConsentServiceServicer_to_server
from sluice.consent.v1.state_service_pb2_grpc import add_StateServiceServicer_to_server
from sluice.consent.v1.subject_service_pb2_grpc import add_SubjectServiceServicer_to_server

SECOND_US = 1_000_000
PERMIT_US = 30 * SECOND_US
MARGIN_US = SECOND_US


@dataclass(frozen=True)
class Replica:
    """The recipes of one process, wired as `services.consent.__main__` does."""

    registrar: Registrar
    custodian: Custodian
    index: Index
    bolts: tuple[Bolt, ...]


def a_replica(database: Database, clock: Clock, controller: Controller | None = None) -> Replica:
    """One more process over the database."""
    acknowledger = Acknowledger(clock, permit_us=PERMIT_US, margin_us=MARGIN_US)
    custody, index = SqlCustody(database, clock), Index(seed=7)
    registrar = Registrar(SqlRegister(database, clock), index, clock, acknowledger)
    custodian = Custodian(custody, registrar, clock, acknowledger)
    consent = servicer.ConsentServicer(registrar, custodian, clock)
    watch, restores = Watch(custody, interval_seconds=0.01), SqlRestores(database, RESTORES)
    states = state_servicer.StateServicer(custodian, watch, restores, clock)
    subjects = subject_servicer.SubjectServicer(custodian, controller, clock)
    return Replica(
        registrar,
        custodian,
        index,
        (
            Bolt(add_ConsentServiceServicer_to_server, consent, servicer.SERVICE),
            Bolt(add_StateServiceServicer_to_server, states, state_servicer.SERVICE),
            Bolt(add_SubjectServiceServicer_to_server, subjects, subject_servicer.SERVICE),
        ),
    )
