import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sluice.licensing.v1 import license_pb2 as _license_pb2
from sluice.type.v1 import admission_pb2 as _admission_pb2
from sluice.type.v1 import purpose_pb2 as _purpose_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateLicenseeRequest(_message.Message):
    __slots__ = ("request_id", "licensee")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    licensee: _license_pb2.Licensee
    def __init__(self, request_id: _Optional[str] = ..., licensee: _Optional[_Union[_license_pb2.Licensee, _Mapping]] = ...) -> None: ...

class CreateLicenseeResponse(_message.Message):
    __slots__ = ("licensee",)
    LICENSEE_FIELD_NUMBER: _ClassVar[int]
    licensee: _license_pb2.Licensee
    def __init__(self, licensee: _Optional[_Union[_license_pb2.Licensee, _Mapping]] = ...) -> None: ...

class ListLicenseesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "licensee_ids")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_IDS_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    licensee_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., licensee_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ListLicenseesResponse(_message.Message):
    __slots__ = ("licensees", "next_page_token")
    LICENSEES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    licensees: _containers.RepeatedCompositeFieldContainer[_license_pb2.Licensee]
    next_page_token: str
    def __init__(self, licensees: _Optional[_Iterable[_Union[_license_pb2.Licensee, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListRecipientsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRecipientsResponse(_message.Message):
    __slots__ = ("recipients", "next_page_token")
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    recipients: _containers.RepeatedCompositeFieldContainer[Recipient]
    next_page_token: str
    def __init__(self, recipients: _Optional[_Iterable[_Union[Recipient, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Recipient(_message.Message):
    __slots__ = ("licensee_id", "display_name", "purposes", "is_active")
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    PURPOSES_FIELD_NUMBER: _ClassVar[int]
    IS_ACTIVE_FIELD_NUMBER: _ClassVar[int]
    licensee_id: str
    display_name: str
    purposes: _containers.RepeatedScalarFieldContainer[_purpose_pb2.Purpose]
    is_active: bool
    def __init__(self, licensee_id: _Optional[str] = ..., display_name: _Optional[str] = ..., purposes: _Optional[_Iterable[_Union[_purpose_pb2.Purpose, str]]] = ..., is_active: _Optional[bool] = ...) -> None: ...

class CreateLicenseRequest(_message.Message):
    __slots__ = ("request_id", "license_id", "terms")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    license_id: str
    terms: _license_pb2.LicenseTerms
    def __init__(self, request_id: _Optional[str] = ..., license_id: _Optional[str] = ..., terms: _Optional[_Union[_license_pb2.LicenseTerms, _Mapping]] = ...) -> None: ...

class CreateLicenseResponse(_message.Message):
    __slots__ = ("license",)
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    license: _license_pb2.License
    def __init__(self, license: _Optional[_Union[_license_pb2.License, _Mapping]] = ...) -> None: ...

class CheckTermsRequest(_message.Message):
    __slots__ = ("terms",)
    TERMS_FIELD_NUMBER: _ClassVar[int]
    terms: _license_pb2.LicenseTerms
    def __init__(self, terms: _Optional[_Union[_license_pb2.LicenseTerms, _Mapping]] = ...) -> None: ...

class CheckTermsResponse(_message.Message):
    __slots__ = ("terms_digest",)
    TERMS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    terms_digest: bytes
    def __init__(self, terms_digest: _Optional[bytes] = ...) -> None: ...

class AmendLicenseRequest(_message.Message):
    __slots__ = ("request_id", "license_id", "base_digest", "terms", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    license_id: str
    base_digest: bytes
    terms: _license_pb2.LicenseTerms
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., license_id: _Optional[str] = ..., base_digest: _Optional[bytes] = ..., terms: _Optional[_Union[_license_pb2.LicenseTerms, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class AmendLicenseResponse(_message.Message):
    __slots__ = ("license",)
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    license: _license_pb2.License
    def __init__(self, license: _Optional[_Union[_license_pb2.License, _Mapping]] = ...) -> None: ...

class WithdrawAmendmentRequest(_message.Message):
    __slots__ = ("request_id", "license_id", "version", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    license_id: str
    version: int
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., license_id: _Optional[str] = ..., version: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class WithdrawAmendmentResponse(_message.Message):
    __slots__ = ("license",)
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    license: _license_pb2.License
    def __init__(self, license: _Optional[_Union[_license_pb2.License, _Mapping]] = ...) -> None: ...

class ListLicenseVersionsRequest(_message.Message):
    __slots__ = ("license_id", "page_size", "page_token")
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    license_id: str
    page_size: int
    page_token: str
    def __init__(self, license_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListLicenseVersionsResponse(_message.Message):
    __slots__ = ("versions", "next_page_token")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[_license_pb2.LicenseVersion]
    next_page_token: str
    def __init__(self, versions: _Optional[_Iterable[_Union[_license_pb2.LicenseVersion, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListLicenseChangesRequest(_message.Message):
    __slots__ = ("license_id", "page_size", "page_token")
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    license_id: str
    page_size: int
    page_token: str
    def __init__(self, license_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListLicenseChangesResponse(_message.Message):
    __slots__ = ("changes", "next_page_token")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[_license_pb2.LicenseChange]
    next_page_token: str
    def __init__(self, changes: _Optional[_Iterable[_Union[_license_pb2.LicenseChange, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ActivateLicenseRequest(_message.Message):
    __slots__ = ("request_id", "license_id", "reason", "version", "terms_digest", "effective_at")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TERMS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    license_id: str
    reason: str
    version: int
    terms_digest: bytes
    effective_at: _timestamp_pb2.Timestamp
    def __init__(self, request_id: _Optional[str] = ..., license_id: _Optional[str] = ..., reason: _Optional[str] = ..., version: _Optional[int] = ..., terms_digest: _Optional[bytes] = ..., effective_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ActivateLicenseResponse(_message.Message):
    __slots__ = ("license",)
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    license: _license_pb2.License
    def __init__(self, license: _Optional[_Union[_license_pb2.License, _Mapping]] = ...) -> None: ...

class SuspendLicenseRequest(_message.Message):
    __slots__ = ("request_id", "license_id", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    license_id: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., license_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SuspendLicenseResponse(_message.Message):
    __slots__ = ("license",)
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    license: _license_pb2.License
    def __init__(self, license: _Optional[_Union[_license_pb2.License, _Mapping]] = ...) -> None: ...

class ResumeLicenseRequest(_message.Message):
    __slots__ = ("request_id", "license_id", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    license_id: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., license_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ResumeLicenseResponse(_message.Message):
    __slots__ = ("license",)
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    license: _license_pb2.License
    def __init__(self, license: _Optional[_Union[_license_pb2.License, _Mapping]] = ...) -> None: ...

class TerminateLicenseRequest(_message.Message):
    __slots__ = ("request_id", "license_id", "reason")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    license_id: str
    reason: str
    def __init__(self, request_id: _Optional[str] = ..., license_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class TerminateLicenseResponse(_message.Message):
    __slots__ = ("license",)
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    license: _license_pb2.License
    def __init__(self, license: _Optional[_Union[_license_pb2.License, _Mapping]] = ...) -> None: ...

class GetLicenseRequest(_message.Message):
    __slots__ = ("license_id",)
    LICENSE_ID_FIELD_NUMBER: _ClassVar[int]
    license_id: str
    def __init__(self, license_id: _Optional[str] = ...) -> None: ...

class GetLicenseResponse(_message.Message):
    __slots__ = ("license",)
    LICENSE_FIELD_NUMBER: _ClassVar[int]
    license: _license_pb2.License
    def __init__(self, license: _Optional[_Union[_license_pb2.License, _Mapping]] = ...) -> None: ...

class ListLicensesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "licensee_id", "states")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LICENSEE_ID_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    licensee_id: str
    states: _containers.RepeatedScalarFieldContainer[_license_pb2.LicenseState]
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., licensee_id: _Optional[str] = ..., states: _Optional[_Iterable[_Union[_license_pb2.LicenseState, str]]] = ...) -> None: ...

class ListLicensesResponse(_message.Message):
    __slots__ = ("licenses", "next_page_token")
    LICENSES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    licenses: _containers.RepeatedCompositeFieldContainer[_license_pb2.License]
    next_page_token: str
    def __init__(self, licenses: _Optional[_Iterable[_Union[_license_pb2.License, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
