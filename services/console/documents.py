"""YAML documents as messages of the contracts, driven by the message's descriptor.

Every fault is named by file, line and field; a document with a fault gives no message at all. Enum values are
written as their words, digests in hex, times as RFC 3339 or dates (UTC), lengths of time as 24h, amounts of
money as 15000.00 USD or by their fields.
"""

import base64
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from services.chassis.refusals import FieldViolation, Kind, Refusal
from services.console import durations, money
from services.console.moments import read, written
from services.console.names import number_of

M = TypeVar("M", bound=Message)

_NULL = "tag:yaml.org,2002:null"
_MISSING = "is missing"
_MONEY = "google.type.Money"
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9][0-9_]*")
_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}


def read_document(
    path: Path,
    message_type: type[M],
    given: Sequence[str] = (),
    instead: Mapping[str, Message] | None = None,
    *,
    needed: Sequence[str] = (),
) -> M:
    """The message that a file holds; `given` are top-level fields that are not the author's to write.

    `instead` are messages that stand in for what the file says in those fields, if anything. `needed` are
    top-level numbers that must be written, for nobody should get 0 by forgetting one.

    Raises Refusal (invalid, DOCUMENT_INVALID, a violation for each fault) and OSError.
    """
    return parse_document(path.read_bytes(), path.name, message_type, given, instead, needed=needed)


@dataclass(frozen=True)
class Document(Generic[M]):
    """What a file holds, and where each field of it stands."""

    message: M
    source: str
    lines: Mapping[str, int]

    @contextlib.contextmanager
    def located(self) -> Iterator[None]:
        """Puts the line before each field that a refusal names, for the file is where it must be mended."""
        try:
            yield
        except Refusal as refusal:
            violations = [
                FieldViolation(
                    f"{self.source}:{_line_at(self.lines, each.field)}: {each.field}", each.description
                )
                for each in refusal.violations
            ]
            raise Refusal(
                refusal.kind,
                refusal.reason,
                refusal.message,
                violations=violations,
                retry_after_us=refusal.retry_after_us,
                metadata=refusal.metadata,
            ) from refusal


def read_located(path: Path, message_type: type[M], given: Sequence[str] = ()) -> Document[M]:
    """As `read_document`, with the place of each field."""
    reading = _Reading(path.name)
    message = reading.read(path.read_bytes(), message_type, given)
    return Document(message, path.name, reading.lines)


def parse_document(
    text: bytes,
    source: str,
    message_type: type[M],
    given: Sequence[str] = (),
    instead: Mapping[str, Message] | None = None,
    *,
    needed: Sequence[str] = (),
) -> M:
    """The message that `text` holds; `source` is what faults call it. Raises as `read_document`."""
    return _Reading(source).read(text, message_type, given, instead, needed=needed)


class _Reading:
    """One document being read: what was found wrong, and where each field stands."""

    def __init__(self, source: str) -> None:
        self.faults: list[FieldViolation] = []
        self._source = source
        self.lines: dict[str, int] = {"": 1}

    def read(
        self,
        text: bytes,
        message_type: type[M],
        given: Sequence[str],
        instead: Mapping[str, Message] | None = None,
        *,
        needed: Sequence[str] = (),
    ) -> M:
        """The message, or Refusal DOCUMENT_INVALID with all that was found wrong."""
        root = self._compose(text)
        descriptor = message_type.DESCRIPTOR
        assert isinstance(descriptor, Descriptor)
        if root is not None:
            value = self._message(descriptor, root, "", frozenset(given))
            if not self.faults:
                message = json_format.ParseDict(value, message_type())
                for field, replacement in (instead or {}).items():
                    getattr(message, field).CopyFrom(replacement)
                self._check_rules(message, frozenset(given))
                self._check_written(needed)
                if not self.faults:
                    return message
        raise _refusal(self._source, self.faults)

    def _compose(self, text: bytes) -> Node | None:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            self.lines[""] = _line_of(error)
            self._fault("", getattr(error, "problem", None) or "is not YAML")
            return None
        if root is None:
            self._fault("", "is empty")
        return root

    def _message(
        self, descriptor: Descriptor, node: Node, path: str, given: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        """The node as the JSON form of a message; faults are noted, and what is at fault is left out."""
        found: dict[str, Any] = {}
        if not isinstance(node, MappingNode):
            self._fault(path, f"a list of `field: value` is expected, not {_sort(node)}")
            return found
        written_for: dict[str, str] = {}
        for key, value in node.value:
            name = str(key.value)
            here = f"{path}.{name}" if path else name
            field = descriptor.fields_by_name.get(name)
            again = here in self.lines
            self.lines[here] = key.start_mark.line + 1
            if field is None or name in given:
                known = [field.name for field in descriptor.fields if field.name not in given]
                self._fault(here, f"no such field; known are {', '.join(known)}")
            elif again:
                self._fault(here, "stands here twice")
            elif not self._shares_oneof(field, here, written_for):
                found[name] = self._field(field, value, here)
        return found

    def _shares_oneof(self, field: FieldDescriptor, path: str, written_for: dict[str, str]) -> bool:
        if field.containing_oneof is None:
            return False
        other = written_for.setdefault(field.containing_oneof.name, field.name)
        if other != field.name:
            self._fault(path, f"cannot be given together with {other}")
        return other != field.name

    def _field(self, field: FieldDescriptor, node: Node, path: str) -> Any:
        if not field.is_repeated:
            return self._value(field, node, path)
        if not isinstance(node, SequenceNode):
            self._fault(path, f"a list is expected, not {_sort(node)}")
            return []
        values = []
        for index, element in enumerate(node.value):
            here = f"{path}[{index}]"
            self.lines[here] = element.start_mark.line + 1
            values.append(self._value(field, element, here))
        return values

    def _value(self, field: FieldDescriptor, node: Node, path: str) -> Any:
        inner = field.message_type
        if inner is not None and not _is_one_text(inner, node):
            return self._message(inner, node, path)
        if not isinstance(node, ScalarNode) or node.tag == _NULL:
            self._fault(path, f"a value is expected, not {_sort(node)}")
            return None
        try:
            return _scalar(field, node)
        except ValueError as error:
            self._fault(path, str(error))
            return None

    def _check_rules(self, message: Message, given: frozenset[str]) -> None:
        """Notes what breaks the contract's own rules (protovalidate)."""
        # Inside: commands that read no document load this module, too.
        import protovalidate  # noqa: PLC0415

        for violation in protovalidate.collect_violations(message):
            path = _path(violation.proto.field.elements if violation.proto.field else ())
            if path.split(".")[0].split("[")[0] in given:
                continue
            missing = path not in self.lines
            self._fault(path, _MISSING if missing else violation.proto.message)

    def _check_written(self, fields: Sequence[str]) -> None:
        """Notes which of them the document does not say."""
        for field in fields:
            if field not in self.lines:
                self._fault(field, _MISSING)

    def _fault(self, path: str, description: str) -> None:
        place = f"{self._source}:{_line_at(self.lines, path)}"
        self.faults.append(FieldViolation(f"{place}: {path}" if path else place, description))


def _line_at(lines: Mapping[str, int], path: str) -> int:
    """The line of a field, or of the nearest one around it that is written."""
    known = path
    while known not in lines:
        known = known[: max(known.rfind("."), known.rfind("["), 0)]
    return lines[known]


def _scalar(field: FieldDescriptor, node: ScalarNode) -> Any:
    """JSON form of a scalar. The text as written counts, not YAML's guess: `NO` is Norway in a text field."""
    text = str(node.value)
    if field.enum_type is not None:
        return number_of(field.enum_type, text)
    if field.message_type is not None:
        return _MESSAGES[field.message_type.full_name](text)
    if field.cpp_type in _INTEGERS:
        return _whole_number(text, *_INTEGERS[field.cpp_type])
    return _OTHERS[field.type](text)


def _is_one_text(message: Descriptor, node: Node) -> bool:
    """Whether a message is written as one text; an amount of money can be written by its fields, too."""
    by_fields = message.full_name == _MONEY and isinstance(node, MappingNode)
    return message.full_name in _MESSAGES and not by_fields


def _whole_number(text: str, least: int, most: int) -> int:
    if not _WHOLE_NUMBER.fullmatch(text):
        raise ValueError(f"a whole number is expected, not {text!r}")
    if not least <= int(text) <= most:
        raise ValueError(f"{text} is not between {least} and {most}")
    return int(text)


def _truth(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(f"true or false is expected, not {text!r}")
    return text == "true"


def _digest(text: str) -> str:
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except ValueError:
        raise ValueError(f"hex digits are expected, not {text!r}") from None


def _duration(text: str) -> str:
    duration = Duration()
    duration.FromMicroseconds(durations.read(text))
    return duration.ToJsonString()


_MESSAGES: dict[str, Callable[[str], Any]] = {
    "google.protobuf.Timestamp": lambda text: written(read(text)),
    "google.protobuf.Duration": _duration,
    _MONEY: lambda text: json_format.MessageToDict(money.read(text)),
}
_OTHERS: dict[int, Callable[[str], Any]] = {
    FieldDescriptor.TYPE_STRING: str,
    FieldDescriptor.TYPE_BOOL: _truth,
    FieldDescriptor.TYPE_BYTES: _digest,
}


def _path(elements: Any) -> str:
    """A field path of protovalidate as `rules[3].purpose`."""
    steps = [
        f"{element.field_name}[{element.subscript.value}]"
        if element.subscript is not None
        else str(element.field_name)
        for element in elements
    ]
    return ".".join(steps)


def _line_of(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark is not None else 1


def _sort(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a list of `field: value`"
    if isinstance(node, SequenceNode):
        return "a list"
    return "nothing" if node.tag == _NULL else repr(node.value)


def _refusal(source: str, faults: Sequence[FieldViolation]) -> Refusal:
    count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
    return Refusal(Kind.INVALID, "DOCUMENT_INVALID", f"{source} has {count}", violations=faults)
