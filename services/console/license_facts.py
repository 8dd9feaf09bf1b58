"""The terms of a license as facts in words, one a line, and what differs between two of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from services.console import money
from services.console.moments import clock_face
from services.console.names import word_of
from sluice.licensing.v1.license_pb2 import AllowanceSubject, LicenseAllowance, LicenseTerms, Obligations
from sluice.licensing.v1.price_pb2 import Charge
from sluice.type.v1.window_pb2 import Window

NOTHING = "-"


@dataclass(frozen=True)
class Difference:
    """One fact that is not the same in two versions."""

    fact: str
    before: str
    """NOTHING where the fact is not in the version before, as in `after`."""
    after: str

    def words(self) -> str:
        """What became of it; of a list only what came and went."""
        before, after = self.before.split(", "), self.after.split(", ")
        if NOTHING in (self.before, self.after) or len(before) == len(after) == 1:
            return f"{self.before} -> {self.after}"
        gone = [f"without {each}" for each in before if each not in after]
        come = [f"with {each}" for each in after if each not in before]
        return ", ".join(come + gone)


def facts(terms: LicenseTerms) -> dict[str, str]:
    """Each fact by its path, such as `price.charges[Posts].included`, in the order of the contract."""
    return dict(_facts(terms, ""))


def differences(before: LicenseTerms, after: LicenseTerms) -> list[Difference]:
    """What is not the same, in the order of the contract; what is gone comes last."""
    old, new = facts(before), facts(after)
    paths = [*new, *(path for path in old if path not in new)]
    return [
        Difference(path, old.get(path, NOTHING), new.get(path, NOTHING))
        for path in paths
        if old.get(path) != new.get(path)
    ]


def _facts(message: Message, path: str) -> Iterator[tuple[str, str]]:
    for field, value in _said(message):
        if isinstance(message, Charge) and field.name == "name":
            continue  # it is in the path
        here = f"{path}.{field.name}" if path else field.name
        if not field.is_repeated:
            yield from _fact(field, value, here)
        elif field.message_type is None:
            yield here, ", ".join(sorted(_scalar(field, element) for element in value))
        else:
            for index, element in enumerate(cast("Sequence[Message]", value)):
                yield from _element(element, f"{here}[{_name(element, index)}]")


def _said(message: Message) -> Iterator[tuple[FieldDescriptor, Any]]:
    """What is set, and what is owed even where that is nothing: that something is not forbidden is a fact."""
    said = {field.number for field, _ in message.ListFields()}
    for field in cast("Sequence[FieldDescriptor]", message.DESCRIPTOR.fields):
        is_owed = isinstance(message, Obligations) and field.type != FieldDescriptor.TYPE_STRING
        if field.number in said or is_owed:
            yield field, getattr(message, field.name)


def _element(element: Message, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(element, LicenseAllowance):
        yield path, f"{element.limit:,} posts"
    else:
        yield from _facts(element, path)


def _fact(field: FieldDescriptor, value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Timestamp):
        yield path, clock_face(value)
    elif isinstance(value, Money):
        yield path, money.face(value)
    elif isinstance(value, Message):
        yield from _facts(value, path)
    else:
        yield path, _scalar(field, value)


def _scalar(field: FieldDescriptor, value: Any) -> str:
    if field.enum_type is not None:
        return word_of(field.enum_type, value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _name(element: Message, index: int) -> str:
    """What tells an element from the others of its list, so that two versions are compared one by one."""
    match element:
        case LicenseAllowance():
            per = word_of(AllowanceSubject.DESCRIPTOR, element.per)
            return f"{per}, {word_of(Window.DESCRIPTOR, element.window)}"
        case Charge():
            return element.name
        case _:
            return str(index + 1)


def as_plain(found: Sequence[Difference]) -> list[Mapping[str, str | None]]:
    """Differences as JSON values; what is not there is null."""

    def value(text: str) -> str | None:
        return None if text == NOTHING else text

    return [{"fact": each.fact, "before": value(each.before), "after": value(each.after)} for each in found]
