"""A request as the log of actions keeps it: canonical JSON without secrets; of a long one only its digest."""

import functools
import hashlib
import json
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from services.chassis.actions import Begun

LONGEST_REQUEST = 16 * 1024
"""Bytes that are kept of a request, in either form; of a longer one its digest and length."""
REDACTED = "[redacted]"
REASONS = ("reason", "cause")
"""Fields in which requests say why; the contracts bound them to 4,000 characters, which are kept."""


def begun(request: object) -> Begun:
    """What the log keeps of a request; of what is no message, nothing."""
    if not isinstance(request, Message):
        return Begun()
    shown = _without_secrets(request)
    payload = shown.SerializeToString(deterministic=True)
    return Begun(
        request_id=_text(shown, "request_id"),
        request=_json(shown) if len(payload) <= LONGEST_REQUEST else "",
        request_digest=hashlib.sha256(payload).digest(),
        request_bytes=len(payload),
        reason=next(filter(None, (_text(shown, name) for name in REASONS)), ""),
    )


def _json(message: Message) -> str:
    text = json.dumps(MessageToDict(message), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text if len(text.encode()) <= LONGEST_REQUEST else ""


def _text(message: Message, name: str) -> str:
    field = message.DESCRIPTOR.fields_by_name.get(name)
    if field is None or field.is_repeated or field.type != FieldDescriptor.TYPE_STRING:
        return ""
    # The one character that a text of PostgreSQL cannot hold.
    return str(getattr(message, name)).replace("\0", "\ufffd")


def _without_secrets(message: Message) -> Message:
    if not _has_secrets(message.DESCRIPTOR):
        return message
    shown = type(message)()
    shown.CopyFrom(message)
    _redact(shown)
    return shown


def _redact(message: Message) -> None:
    for field, value in message.ListFields():
        if field.GetOptions().debug_redact:
            _hide(message, field)
        elif field.message_type is not None and _has_secrets(field.message_type):
            for inner in _messages_in(field, value):
                _redact(inner)


def _hide(message: Message, field: FieldDescriptor) -> None:
    message.ClearField(field.name)
    if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
        setattr(message, field.name, REDACTED)


def _messages_in(field: FieldDescriptor, value: Any) -> list[Message]:
    if not field.is_repeated:
        return [value]
    of_map = field.message_type is not None and field.message_type.GetOptions().map_entry
    return [each for each in (value.values() if of_map else value) if isinstance(each, Message)]


@functools.cache
def _has_secrets(descriptor: Descriptor) -> bool:
    """Whether a field of it, however deep, is marked as secret in its contract."""
    waiting, seen = [descriptor], {descriptor.full_name}
    while waiting:
        for field in waiting.pop().fields:
            if field.GetOptions().debug_redact:
                return True
            inner = field.message_type
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                waiting.append(inner)
    return False
