"""Rules stated in a contract are checked before a handler sees the request."""

from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from buf.validate import validate_pb2
from services.chassis.refusals import FieldViolation, Kind, Refusal
from services.chassis.validation import check_message


def a_message(**fields: object) -> Message:
    """A message with one rule: each of `words` has at least two letters."""
    file = descriptor_pb2.FileDescriptorProto(
        name="test/words.proto",
        package="test",
        syntax="proto3",
        dependency=["buf/validate/validate.proto"],
    )
    field = file.message_type.add(name="Words").field.add(
        name="words",
        number=1,
        type=descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
        label=descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED,
    )
    rules: Any = field.options.Extensions
    rules[validate_pb2.field].repeated.items.string.min_len = 2
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("test.Words"))(**fields)


def test_a_message_that_keeps_its_rules_passes() -> None:
    check_message(a_message(words=["ab", "cd"]))
    check_message(b"what is no message has no rules")


def test_a_broken_rule_names_the_field() -> None:
    with pytest.raises(Refusal) as refused:
        check_message(a_message(words=["ab", "c"]))

    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, "INVALID_REQUEST")
    assert refused.value.violations == (FieldViolation("words[1]", "must be at least 2 characters"),)
