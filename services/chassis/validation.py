"""The rules that the contracts themselves state (protovalidate), checked at the edge before the handler."""

from typing import Any

import protovalidate
from google.protobuf.message import Message

from services.chassis.refusals import FieldViolation, Kind, Refusal


def check_message(message: object) -> None:
    """Raises Refusal (invalid, INVALID_REQUEST) with the fields that break a rule of their contract."""
    if not isinstance(message, Message):
        return
    violations = protovalidate.collect_violations(message)
    if violations:
        raise Refusal(
            Kind.INVALID,
            "INVALID_REQUEST",
            "the request breaks a rule of its contract",
            violations=[_field_violation(violation.proto) for violation in violations],
        )


def _field_violation(violation: Any) -> FieldViolation:
    elements = violation.field.elements if violation.field is not None else ()
    path = ".".join(_path_element(element) for element in elements)
    return FieldViolation(path, violation.message or violation.rule_id)


def _path_element(element: Any) -> str:
    name = str(element.field_name)
    return name if element.subscript is None else f"{name}[{element.subscript.value}]"
