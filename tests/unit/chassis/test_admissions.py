"""Contracts say whom an RPC admits, and what they do not say is open to nobody."""

from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FileDescriptor

from services.chassis.admissions import AdmissionReader
from services.chassis.identity import Admission, Principal, PrincipalKind
from sluice.type.v1 import admission_pb2 as said

OPTION: Any = said.admission
READER = AdmissionReader(OPTION, said.CallerKind, said.OperatorRole)
OPERATOR = said.CALLER_KIND_OPERATOR


def a_contract(*admissions: said.Admission | None) -> FileDescriptor:
    """A file with one service, and an RPC for each of these; None says nothing."""
    file = descriptor_pb2.FileDescriptorProto(name="test.proto", package="test", syntax="proto3")
    file.message_type.add(name="Asked")
    service = file.service.add(name="Tests")
    for number, admission in enumerate(admissions):
        method = service.method.add(name=f"Do{number}", input_type=".test.Asked", output_type=".test.Asked")
        if admission is not None:
            method.options.Extensions[OPTION].CopyFrom(admission)
    found: Any = descriptor_pool.DescriptorPool().AddSerializedFile(file.SerializeToString())
    assert isinstance(found, FileDescriptor)
    return found


def an_operator(*roles: str) -> Principal:
    return Principal(PrincipalKind.OPERATOR, "ada", frozenset(roles))


def line(**fields: Any) -> Admission:
    (admission,) = READER.table(a_contract(said.Admission(**fields))).values()
    return admission


def test_an_rpc_that_says_nothing_has_no_line() -> None:
    table = READER.table(a_contract(None, said.Admission(kinds=[OPERATOR])))

    assert set(table) == {"/test.Tests/Do1"}


@pytest.mark.parametrize("roles", [[], ["emperor"], ["unspecified"], ["ADMIN"], ["admin "], [""]])
def test_an_unknown_role_counts_as_none(roles: Sequence[str]) -> None:
    someone = an_operator(*roles)

    assert line(kinds=[OPERATOR]).admits(someone)
    assert not line(kinds=[OPERATOR], roles=[said.OPERATOR_ROLE_ADMIN]).admits(someone)


@pytest.mark.parametrize("fields", [{"kinds": [0]}, {"kinds": [OPERATOR], "roles": [0]}, {"sandbox": [0]}])
def test_a_contract_that_names_nobody_where_it_names_somebody_is_a_defect(fields: Any) -> None:
    with pytest.raises(ValueError, match=r"names no role|unspecified"):
        line(**fields)


def test_a_service_is_let_in_by_its_name_alone() -> None:
    named = line(kinds=[said.CALLER_KIND_SERVICE], services=["licensing"])

    for party, admitted in (("licensing", True), ("gateway", False), ("Licensing", False)):
        assert named.admits(Principal(PrincipalKind.SERVICE, party, frozenset())) is admitted
    assert not line(kinds=[said.CALLER_KIND_SERVICE]).admits(
        Principal(PrincipalKind.SERVICE, "licensing", frozenset())
    )
