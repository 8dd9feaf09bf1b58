from buf.validate import validate_pb2 as _validate_pb2
from google.type import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BillingPeriod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BILLING_PERIOD_UNSPECIFIED: _ClassVar[BillingPeriod]
    BILLING_PERIOD_DAY: _ClassVar[BillingPeriod]
    BILLING_PERIOD_MONTH: _ClassVar[BillingPeriod]
    BILLING_PERIOD_QUARTER: _ClassVar[BillingPeriod]
    BILLING_PERIOD_YEAR: _ClassVar[BillingPeriod]
BILLING_PERIOD_UNSPECIFIED: BillingPeriod
BILLING_PERIOD_DAY: BillingPeriod
BILLING_PERIOD_MONTH: BillingPeriod
BILLING_PERIOD_QUARTER: BillingPeriod
BILLING_PERIOD_YEAR: BillingPeriod

class Price(_message.Message):
    __slots__ = ("currency", "period", "time_zone", "charges", "minimum", "maximum")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    CHARGES_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    currency: str
    period: BillingPeriod
    time_zone: str
    charges: _containers.RepeatedCompositeFieldContainer[Charge]
    minimum: _money_pb2.Money
    maximum: _money_pb2.Money
    def __init__(self, currency: _Optional[str] = ..., period: _Optional[_Union[BillingPeriod, str]] = ..., time_zone: _Optional[str] = ..., charges: _Optional[_Iterable[_Union[Charge, _Mapping]]] = ..., minimum: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., maximum: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class Charge(_message.Message):
    __slots__ = ("name", "included", "flat", "per_unit", "package", "graduated", "volume")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INCLUDED_FIELD_NUMBER: _ClassVar[int]
    FLAT_FIELD_NUMBER: _ClassVar[int]
    PER_UNIT_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_FIELD_NUMBER: _ClassVar[int]
    GRADUATED_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    name: str
    included: int
    flat: _money_pb2.Money
    per_unit: PerUnit
    package: Package
    graduated: Tiers
    volume: Tiers
    def __init__(self, name: _Optional[str] = ..., included: _Optional[int] = ..., flat: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., per_unit: _Optional[_Union[PerUnit, _Mapping]] = ..., package: _Optional[_Union[Package, _Mapping]] = ..., graduated: _Optional[_Union[Tiers, _Mapping]] = ..., volume: _Optional[_Union[Tiers, _Mapping]] = ...) -> None: ...

class PerUnit(_message.Message):
    __slots__ = ("unit_price", "per")
    UNIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    PER_FIELD_NUMBER: _ClassVar[int]
    unit_price: str
    per: int
    def __init__(self, unit_price: _Optional[str] = ..., per: _Optional[int] = ...) -> None: ...

class Package(_message.Message):
    __slots__ = ("price", "size")
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    price: _money_pb2.Money
    size: int
    def __init__(self, price: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., size: _Optional[int] = ...) -> None: ...

class Tiers(_message.Message):
    __slots__ = ("tiers",)
    TIERS_FIELD_NUMBER: _ClassVar[int]
    tiers: _containers.RepeatedCompositeFieldContainer[Tier]
    def __init__(self, tiers: _Optional[_Iterable[_Union[Tier, _Mapping]]] = ...) -> None: ...

class Tier(_message.Message):
    __slots__ = ("up_to", "unit_price", "flat")
    UP_TO_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    FLAT_FIELD_NUMBER: _ClassVar[int]
    up_to: int
    unit_price: str
    flat: _money_pb2.Money
    def __init__(self, up_to: _Optional[int] = ..., unit_price: _Optional[str] = ..., flat: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...
