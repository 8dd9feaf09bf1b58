import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WebhookFault(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WEBHOOK_FAULT_UNSPECIFIED: _ClassVar[WebhookFault]
    WEBHOOK_FAULT_NAME_UNRESOLVED: _ClassVar[WebhookFault]
    WEBHOOK_FAULT_ADDRESS_NOT_PUBLIC: _ClassVar[WebhookFault]
    WEBHOOK_FAULT_UNREACHABLE: _ClassVar[WebhookFault]
    WEBHOOK_FAULT_TLS: _ClassVar[WebhookFault]
    WEBHOOK_FAULT_TIMED_OUT: _ClassVar[WebhookFault]
    WEBHOOK_FAULT_ANSWER_MALFORMED: _ClassVar[WebhookFault]
    WEBHOOK_FAULT_STATUS: _ClassVar[WebhookFault]
WEBHOOK_FAULT_UNSPECIFIED: WebhookFault
WEBHOOK_FAULT_NAME_UNRESOLVED: WebhookFault
WEBHOOK_FAULT_ADDRESS_NOT_PUBLIC: WebhookFault
WEBHOOK_FAULT_UNREACHABLE: WebhookFault
WEBHOOK_FAULT_TLS: WebhookFault
WEBHOOK_FAULT_TIMED_OUT: WebhookFault
WEBHOOK_FAULT_ANSWER_MALFORMED: WebhookFault
WEBHOOK_FAULT_STATUS: WebhookFault

class RecallWebhook(_message.Message):
    __slots__ = ("licensee_id", "url", "enabled", "put_by", "put_at", "secret_made_at", "old_secret_until", "last_delivered_at", "waiting", "next_try_at", "last_fault", "last_status", "last_failed_at", "given_up", "last_given_up_at")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    PUT_BY_FIELD_NUMBER: _ClassVar[int]
    PUT_AT_FIELD_NUMBER: _ClassVar[int]
    SECRET_MADE_AT_FIELD_NUMBER: _ClassVar[int]
    OLD_SECRET_UNTIL_FIELD_NUMBER: _ClassVar[int]
    LAST_DELIVERED_AT_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    NEXT_TRY_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_FAULT_FIELD_NUMBER: _ClassVar[int]
    LAST_STATUS_FIELD_NUMBER: _ClassVar[int]
    LAST_FAILED_AT_FIELD_NUMBER: _ClassVar[int]
    GIVEN_UP_FIELD_NUMBER: _ClassVar[int]
    LAST_GIVEN_UP_AT_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    url: str
    enabled: bool
    put_by: str
    put_at: _timestamp_pb2.Timestamp
    secret_made_at: _timestamp_pb2.Timestamp
    old_secret_until: _timestamp_pb2.Timestamp
    last_delivered_at: _timestamp_pb2.Timestamp
    waiting: int
    next_try_at: _timestamp_pb2.Timestamp
    last_fault: WebhookFault
    last_status: int
    last_failed_at: _timestamp_pb2.Timestamp
    given_up: int
    last_given_up_at: _timestamp_pb2.Timestamp
    def __init__(self, licensee_id: _Optional[str] = ..., url: _Optional[str] = ..., enabled: _Optional[bool] = ..., put_by: _Optional[str] = ..., put_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., secret_made_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., old_secret_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_delivered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., waiting: _Optional[int] = ..., next_try_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_fault: _Optional[_Union[WebhookFault, str]] = ..., last_status: _Optional[int] = ..., last_failed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., given_up: _Optional[int] = ..., last_given_up_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PutRecallWebhookRequest(_message.Message):
    __slots__ = ("request_id", "licensee_id", "url", "enabled")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    licensee_id: str
    url: str
    enabled: bool
    def __init__(self, request_id: _Optional[str] = ..., licensee_id: _Optional[str] = ..., url: _Optional[str] = ..., enabled: _Optional[bool] = ...) -> None: ...

class PutRecallWebhookResponse(_message.Message):
    __slots__ = ("webhook", "secret")
    WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    webhook: RecallWebhook
    secret: str
    def __init__(self, webhook: _Optional[_Union[RecallWebhook, _Mapping]] = ..., secret: _Optional[str] = ...) -> None: ...

class RotateRecallWebhookSecretRequest(_message.Message):
    __slots__ = ("request_id", "licensee_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    licensee_id: str
    def __init__(self, request_id: _Optional[str] = ..., licensee_id: _Optional[str] = ...) -> None: ...

class RotateRecallWebhookSecretResponse(_message.Message):
    __slots__ = ("webhook", "secret")
    WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    webhook: RecallWebhook
    secret: str
    def __init__(self, webhook: _Optional[_Union[RecallWebhook, _Mapping]] = ..., secret: _Optional[str] = ...) -> None: ...

class RemoveRecallWebhookRequest(_message.Message):
    __slots__ = ("request_id", "licensee_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    licensee_id: str
    def __init__(self, request_id: _Optional[str] = ..., licensee_id: _Optional[str] = ...) -> None: ...

class RemoveRecallWebhookResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRecallWebhooksRequest(_message.Message):
    __slots__ = ("licensee_id", "page_size", "page_token")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    page_size: int
    page_token: str
    def __init__(self, licensee_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRecallWebhooksResponse(_message.Message):
    __slots__ = ("webhooks", "next_page_token")
    WEBHOOKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    webhooks: _containers.RepeatedCompositeFieldContainer[RecallWebhook]
    next_page_token: str
    def __init__(self, webhooks: _Optional[_Iterable[_Union[RecallWebhook, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
