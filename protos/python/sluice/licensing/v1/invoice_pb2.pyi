import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InvoiceState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INVOICE_STATE_UNSPECIFIED: _ClassVar[InvoiceState]
    INVOICE_STATE_DRAFT: _ClassVar[InvoiceState]
    INVOICE_STATE_FINAL: _ClassVar[InvoiceState]

class InvoiceLineKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INVOICE_LINE_KIND_UNSPECIFIED: _ClassVar[InvoiceLineKind]
    INVOICE_LINE_KIND_USAGE: _ClassVar[InvoiceLineKind]
    INVOICE_LINE_KIND_FLAT: _ClassVar[InvoiceLineKind]
    INVOICE_LINE_KIND_MINIMUM: _ClassVar[InvoiceLineKind]
    INVOICE_LINE_KIND_MAXIMUM: _ClassVar[InvoiceLineKind]
    INVOICE_LINE_KIND_GOODWILL: _ClassVar[InvoiceLineKind]
    INVOICE_LINE_KIND_GOODWILL_LIMIT: _ClassVar[InvoiceLineKind]

class CreditNoteKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CREDIT_NOTE_KIND_UNSPECIFIED: _ClassVar[CreditNoteKind]
    CREDIT_NOTE_KIND_CORRECTION: _ClassVar[CreditNoteKind]
    CREDIT_NOTE_KIND_GOODWILL: _ClassVar[CreditNoteKind]
INVOICE_STATE_UNSPECIFIED: InvoiceState
INVOICE_STATE_DRAFT: InvoiceState
INVOICE_STATE_FINAL: InvoiceState
INVOICE_LINE_KIND_UNSPECIFIED: InvoiceLineKind
INVOICE_LINE_KIND_USAGE: InvoiceLineKind
INVOICE_LINE_KIND_FLAT: InvoiceLineKind
INVOICE_LINE_KIND_MINIMUM: InvoiceLineKind
INVOICE_LINE_KIND_MAXIMUM: InvoiceLineKind
INVOICE_LINE_KIND_GOODWILL: InvoiceLineKind
INVOICE_LINE_KIND_GOODWILL_LIMIT: InvoiceLineKind
CREDIT_NOTE_KIND_UNSPECIFIED: CreditNoteKind
CREDIT_NOTE_KIND_CORRECTION: CreditNoteKind
CREDIT_NOTE_KIND_GOODWILL: CreditNoteKind

class InvoiceLine(_message.Message):
    __slots__ = ("period", "period_from", "kind", "key", "description", "posts", "unit_price", "per", "precise", "minor", "amount")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FROM_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    PER_FIELD_NUMBER: _ClassVar[int]
    PRECISE_FIELD_NUMBER: _ClassVar[int]
    MINOR_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    period: str
    period_from: _timestamp_pb2.Timestamp
    kind: InvoiceLineKind
    key: str
    description: str
    posts: int
    unit_price: str
    per: int
    precise: str
    minor: int
    amount: _money_pb2.Money
    def __init__(self, period: _Optional[str] = ..., period_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[_Union[InvoiceLineKind, str]] = ..., key: _Optional[str] = ..., description: _Optional[str] = ..., posts: _Optional[int] = ..., unit_price: _Optional[str] = ..., per: _Optional[int] = ..., precise: _Optional[str] = ..., minor: _Optional[int] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class Invoice(_message.Message):
    __slots__ = ("invoice_id", "number", "state", "licensee_id", "licensee_name", "license_id", "license_version", "terms_digest", "period", "period_from", "period_until", "time_zone", "cut_off", "posts", "currency", "decimals", "lines", "total_minor", "total", "credited", "digest", "document", "drafted_at", "drafted_by", "finalized_at", "finalized_by", "period_from_local", "period_until_local")
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_NAME_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_VERSION_FIELD_NUMBER: _ClassVar[int]
    TERMS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FROM_FIELD_NUMBER: _ClassVar[int]
    PERIOD_UNTIL_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    CUT_OFF_FIELD_NUMBER: _ClassVar[int]
    POSTS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    DECIMALS_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MINOR_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    CREDITED_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    DRAFTED_AT_FIELD_NUMBER: _ClassVar[int]
    DRAFTED_BY_FIELD_NUMBER: _ClassVar[int]
    FINALIZED_AT_FIELD_NUMBER: _ClassVar[int]
    FINALIZED_BY_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FROM_LOCAL_FIELD_NUMBER: _ClassVar[int]
    PERIOD_UNTIL_LOCAL_FIELD_NUMBER: _ClassVar[int]
    invoice_id: str
    number: str
    state: InvoiceState
    licensee_id: str
    licensee_name: str
    license_id: str
    license_version: int
    terms_digest: bytes
    period: str
    period_from: _timestamp_pb2.Timestamp
    period_until: _timestamp_pb2.Timestamp
    time_zone: str
    cut_off: _timestamp_pb2.Timestamp
    posts: int
    currency: str
    decimals: int
    lines: _containers.RepeatedCompositeFieldContainer[InvoiceLine]
    total_minor: int
    total: _money_pb2.Money
    credited: _money_pb2.Money
    digest: bytes
    document: bytes
    drafted_at: _timestamp_pb2.Timestamp
    drafted_by: str
    finalized_at: _timestamp_pb2.Timestamp
    finalized_by: str
    period_from_local: str
    period_until_local: str
    def __init__(self, invoice_id: _Optional[str] = ..., number: _Optional[str] = ..., state: _Optional[_Union[InvoiceState, str]] = ..., licensee_id: _Optional[str] = ..., licensee_name: _Optional[str] = ..., license_id: _Optional[str] = ..., license_version: _Optional[int] = ..., terms_digest: _Optional[bytes] = ..., period: _Optional[str] = ..., period_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., period_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., time_zone: _Optional[str] = ..., cut_off: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., posts: _Optional[int] = ..., currency: _Optional[str] = ..., decimals: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[InvoiceLine, _Mapping]]] = ..., total_minor: _Optional[int] = ..., total: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., credited: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., digest: _Optional[bytes] = ..., document: _Optional[bytes] = ..., drafted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., drafted_by: _Optional[str] = ..., finalized_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finalized_by: _Optional[str] = ..., period_from_local: _Optional[str] = ..., period_until_local: _Optional[str] = ...) -> None: ...

class CreditNote(_message.Message):
    __slots__ = ("credit_note_id", "number", "kind", "invoice_id", "invoice_number", "licensee_id", "licensee_name", "license_id", "reason", "cut_off", "currency", "decimals", "lines", "total_minor", "total", "digest", "document", "issued_at", "issued_by", "period", "period_from_local", "period_until_local")
    CREDIT_NOTE_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_NAME_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CUT_OFF_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    DECIMALS_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MINOR_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    ISSUED_BY_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FROM_LOCAL_FIELD_NUMBER: _ClassVar[int]
    PERIOD_UNTIL_LOCAL_FIELD_NUMBER: _ClassVar[int]
    credit_note_id: str
    number: str
    kind: CreditNoteKind
    invoice_id: str
    invoice_number: str
    licensee_id: str
    licensee_name: str
    license_id: str
    reason: str
    cut_off: _timestamp_pb2.Timestamp
    currency: str
    decimals: int
    lines: _containers.RepeatedCompositeFieldContainer[InvoiceLine]
    total_minor: int
    total: _money_pb2.Money
    digest: bytes
    document: bytes
    issued_at: _timestamp_pb2.Timestamp
    issued_by: str
    period: str
    period_from_local: str
    period_until_local: str
    def __init__(self, credit_note_id: _Optional[str] = ..., number: _Optional[str] = ..., kind: _Optional[_Union[CreditNoteKind, str]] = ..., invoice_id: _Optional[str] = ..., invoice_number: _Optional[str] = ..., licensee_id: _Optional[str] = ..., licensee_name: _Optional[str] = ..., license_id: _Optional[str] = ..., reason: _Optional[str] = ..., cut_off: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., currency: _Optional[str] = ..., decimals: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[InvoiceLine, _Mapping]]] = ..., total_minor: _Optional[int] = ..., total: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., digest: _Optional[bytes] = ..., document: _Optional[bytes] = ..., issued_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., issued_by: _Optional[str] = ..., period: _Optional[str] = ..., period_from_local: _Optional[str] = ..., period_until_local: _Optional[str] = ...) -> None: ...

class DuePeriod(_message.Message):
    __slots__ = ("license_id", "licensee_id", "licensee_name", "period", "period_from", "period_until", "time_zone", "invoice_id", "reason")
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_NAME_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FROM_FIELD_NUMBER: _ClassVar[int]
    PERIOD_UNTIL_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    license_id: str
    licensee_id: str
    licensee_name: str
    period: str
    period_from: _timestamp_pb2.Timestamp
    period_until: _timestamp_pb2.Timestamp
    time_zone: str
    invoice_id: str
    reason: str
    def __init__(self, license_id: _Optional[str] = ..., licensee_id: _Optional[str] = ..., licensee_name: _Optional[str] = ..., period: _Optional[str] = ..., period_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., period_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., time_zone: _Optional[str] = ..., invoice_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Revenue(_message.Message):
    __slots__ = ("licensee_id", "month", "invoiced", "credited", "net", "decimals")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    INVOICED_FIELD_NUMBER: _ClassVar[int]
    CREDITED_FIELD_NUMBER: _ClassVar[int]
    NET_FIELD_NUMBER: _ClassVar[int]
    DECIMALS_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    month: str
    invoiced: _money_pb2.Money
    credited: _money_pb2.Money
    net: _money_pb2.Money
    decimals: int
    def __init__(self, licensee_id: _Optional[str] = ..., month: _Optional[str] = ..., invoiced: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., credited: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., net: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., decimals: _Optional[int] = ...) -> None: ...
