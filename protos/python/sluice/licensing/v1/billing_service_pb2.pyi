import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import money_pb2 as _money_pb2
from sluice.licensing.v1 import invoice_pb2 as _invoice_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DraftInvoiceRequest(_message.Message):
    __slots__ = ("request_id", "license_id", "period", "period_from", "cut_off")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FROM_FIELD_NUMBER: _ClassVar[int]
    CUT_OFF_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    license_id: str
    period: str
    period_from: _timestamp_pb2.Timestamp
    cut_off: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., license_id: _Optional[str] = ..., period: _Optional[str] = ..., period_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cut_off: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DraftInvoiceResponse(_message.Message):
    __slots__ = ("invoice",)
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    invoice: _invoice_pb2.Invoice
    def __init__(self, invoice: _Optional[_Union[_invoice_pb2.Invoice, _Mapping]] = ...) -> None: ...

class DiscardDraftRequest(_message.Message):
    __slots__ = ("request_id", "invoice_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    invoice_id: str
    def __init__(self, request_id: _Optional[str] = ..., invoice_id: _Optional[str] = ...) -> None: ...

class DiscardDraftResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class FinalizeInvoiceRequest(_message.Message):
    __slots__ = ("request_id", "invoice_id", "digest")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    invoice_id: str
    digest: bytes
    def __init__(self, request_id: _Optional[str] = ..., invoice_id: _Optional[str] = ..., digest: _Optional[bytes] = ...) -> None: ...

class FinalizeInvoiceResponse(_message.Message):
    __slots__ = ("invoice",)
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    invoice: _invoice_pb2.Invoice
    def __init__(self, invoice: _Optional[_Union[_invoice_pb2.Invoice, _Mapping]] = ...) -> None: ...

class CreditCorrection(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CreditGoodwill(_message.Message):
    __slots__ = ("amount",)
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    amount: _money_pb2.Money
    def __init__(self, amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class IssueCreditNoteRequest(_message.Message):
    __slots__ = ("request_id", "invoice_id", "reason", "correction", "goodwill")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    GOODWILL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    invoice_id: str
    reason: str
    correction: CreditCorrection
    goodwill: CreditGoodwill
    def __init__(self, request_id: _Optional[str] = ..., invoice_id: _Optional[str] = ..., reason: _Optional[str] = ..., correction: _Optional[_Union[CreditCorrection, _Mapping]] = ..., goodwill: _Optional[_Union[CreditGoodwill, _Mapping]] = ...) -> None: ...

class IssueCreditNoteResponse(_message.Message):
    __slots__ = ("credit_note",)
    CREDIT_NOTE_FIELD_NUMBER: _ClassVar[int]
    credit_note: _invoice_pb2.CreditNote
    def __init__(self, credit_note: _Optional[_Union[_invoice_pb2.CreditNote, _Mapping]] = ...) -> None: ...

class GetInvoiceRequest(_message.Message):
    __slots__ = ("invoice",)
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    invoice: str
    def __init__(self, invoice: _Optional[str] = ...) -> None: ...

class GetInvoiceResponse(_message.Message):
    __slots__ = ("invoice",)
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    invoice: _invoice_pb2.Invoice
    def __init__(self, invoice: _Optional[_Union[_invoice_pb2.Invoice, _Mapping]] = ...) -> None: ...

class GetCreditNoteRequest(_message.Message):
    __slots__ = ("credit_note",)
    CREDIT_NOTE_FIELD_NUMBER: _ClassVar[int]
    credit_note: str
    def __init__(self, credit_note: _Optional[str] = ...) -> None: ...

class GetCreditNoteResponse(_message.Message):
    __slots__ = ("credit_note",)
    CREDIT_NOTE_FIELD_NUMBER: _ClassVar[int]
    credit_note: _invoice_pb2.CreditNote
    def __init__(self, credit_note: _Optional[_Union[_invoice_pb2.CreditNote, _Mapping]] = ...) -> None: ...

class ListInvoicesRequest(_message.Message):
    __slots__ = ("licensee_id", "license_id", "state", "page_size", "page_token")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    license_id: str
    state: _invoice_pb2.InvoiceState
    page_size: int
    page_token: str
    def __init__(self, licensee_id: _Optional[str] = ..., license_id: _Optional[str] = ..., state: _Optional[_Union[_invoice_pb2.InvoiceState, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListInvoicesResponse(_message.Message):
    __slots__ = ("invoices", "next_page_token")
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    next_page_token: str
    def __init__(self, invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListCreditNotesRequest(_message.Message):
    __slots__ = ("licensee_id", "license_id", "invoice_id", "page_size", "page_token")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    INVOICE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    license_id: str
    invoice_id: str
    page_size: int
    page_token: str
    def __init__(self, licensee_id: _Optional[str] = ..., license_id: _Optional[str] = ..., invoice_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCreditNotesResponse(_message.Message):
    __slots__ = ("credit_notes", "next_page_token")
    CREDIT_NOTES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    credit_notes: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.CreditNote]
    next_page_token: str
    def __init__(self, credit_notes: _Optional[_Iterable[_Union[_invoice_pb2.CreditNote, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetRevenueRequest(_message.Message):
    __slots__ = ("from_month", "to_month", "licensee_id", "page_size", "page_token")
    FROM_MONTH_FIELD_NUMBER: _ClassVar[int]
    TO_MONTH_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    from_month: str
    to_month: str
    licensee_id: str
    page_size: int
    page_token: str
    def __init__(self, from_month: _Optional[str] = ..., to_month: _Optional[str] = ..., licensee_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetRevenueResponse(_message.Message):
    __slots__ = ("revenue", "next_page_token")
    REVENUE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    revenue: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Revenue]
    next_page_token: str
    def __init__(self, revenue: _Optional[_Iterable[_Union[_invoice_pb2.Revenue, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListDuePeriodsRequest(_message.Message):
    __slots__ = ("licensee_id", "license_id", "page_size", "page_token")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    license_id: str
    page_size: int
    page_token: str
    def __init__(self, licensee_id: _Optional[str] = ..., license_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDuePeriodsResponse(_message.Message):
    __slots__ = ("due", "next_page_token")
    DUE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    due: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.DuePeriod]
    next_page_token: str
    def __init__(self, due: _Optional[_Iterable[_Union[_invoice_pb2.DuePeriod, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class PreviewInvoiceRequest(_message.Message):
    __slots__ = ("license_id",)
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    license_id: str
    def __init__(self, license_id: _Optional[str] = ...) -> None: ...

class PreviewInvoiceResponse(_message.Message):
    __slots__ = ("invoice",)
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    invoice: _invoice_pb2.Invoice
    def __init__(self, invoice: _Optional[_Union[_invoice_pb2.Invoice, _Mapping]] = ...) -> None: ...
