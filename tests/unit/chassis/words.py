"""Messages with lists and a rule, for tests of what is done with any message."""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from buf.validate import validate_pb2


def some_classes() -> tuple[Any, Any]:
    """Words, each of at least two letters, and a Book: pages of Words below a cover page."""
    file = descriptor_pb2.FileDescriptorProto(
        name="test/words.proto",
        package="test",
        syntax="proto3",
        dependency=["buf/validate/validate.proto"],
    )
    one, many = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL, 3
    string, message = descriptor_pb2.FieldDescriptorProto.TYPE_STRING, 11
    words = file.message_type.add(name="Words").field.add(name="words", number=1, type=string, label=many)
    rules: Any = words.options.Extensions
    rules[validate_pb2.field].repeated.items.string.min_len = 2
    book = file.message_type.add(name="Book").field
    book.add(name="cover", number=1, type=message, type_name=".test.Words", label=one)
    book.add(name="pages", number=2, type=message, type_name=".test.Words", label=many)
    book.add(name="part", number=3, type=message, type_name=".test.Book", label=one)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    made = [
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"test.{n}")) for n in ("Words", "Book")
    ]
    return made[0], made[1]


Words, Book = some_classes()
