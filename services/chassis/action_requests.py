"""A request as the log of actions keeps it: canonical JSON without secrets; of a long one only its digest.

What names one subject is kept with whom it names, so that it can be forgotten with them (C11). Of what names
several nothing is kept but the digest: the text of one is no place for another.
"""

import functools
import json
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict, SerializeToJsonError
from google.protobuf.message import Message

from services.chassis.actions import Begun, salted

LONGEST_REQUEST = 16 * 1024
"""Bytes that are kept of a request, in either form; of a longer one its digest and length."""
REDACTED = "[redacted]"
REASONS = ("reason", "cause")
"""Fields in which requests say why; the contracts bound them to 4,000 characters, which are kept. No request
that names a subject has one."""
SUBJECT = "subject_id"
"""The field by which every contract names a subject."""


def begun(request: object, nonce: bytes) -> Begun:
    """What the log keeps of a request; of what is no message, nothing.

    `nonce` is random, of this entry alone.
    """
    if not isinstance(request, Message):
        return Begun()
    shown = _without_secrets(request)
    payload = shown.SerializeToString(deterministic=True)
    named = frozenset(_subjects_in(shown)) if _names_subjects(shown.DESCRIPTOR) else frozenset[int]()
    text = _json(shown) if len(payload) <= LONGEST_REQUEST and len(named) <= 1 else ""
    return Begun(
        request_id=_text(shown, "request_id"),
        request=text,
        # Without a text there is nothing to find and forget, so what names somebody goes without its salt.
        nonce=nonce if text or not named else b"",
        request_digest=salted(nonce, text.encode() or payload),
        request_bytes=len(payload),
        reason=next(filter(None, (_text(shown, name) for name in REASONS)), ""),
        subject_id=min(named) if text and named else None,
    )


def _json(message: Message) -> str:
    """Its JSON; "" where it is too long or holds what JSON has no form for, as a time after the year 9999."""
    try:
        shown = MessageToDict(message)
    except SerializeToJsonError:
        return ""
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
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


def _subjects_in(message: Message) -> Iterator[int]:
    for field, value in message.ListFields():
        if field.name == SUBJECT:
            yield value
        elif field.message_type is not None and _names_subjects(field.message_type):
            for inner in _messages_in(field, value):
                yield from _subjects_in(inner)


@functools.cache
def _has_secrets(descriptor: Descriptor) -> bool:
    """Whether a field of it, however deep, is marked as secret in its contract."""
    return any(field.GetOptions().debug_redact for field in fields_within(descriptor))


@functools.cache
def _names_subjects(descriptor: Descriptor) -> bool:
    """Whether a field of it, however deep, is the id of a subject."""
    return any(field.name == SUBJECT for field in fields_within(descriptor))


def fields_within(descriptor: Descriptor) -> Iterator[FieldDescriptor]:
    """Every field of a message and of those inside of it, each message once."""
    waiting, seen = [descriptor], {descriptor.full_name}
    while waiting:
        for field in waiting.pop().fields:
            yield field
            inner = field.message_type
            if inner is not None and inner.full_name not in seen:
                seen.add(inner.full_name)
                waiting.append(inner)
