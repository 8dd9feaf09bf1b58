"""What is asked of bills, and what was billed by month: sums of one currency each, never of two."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BillFilter:
    """Which bills are wanted."""

    invoices: bool
    """Invoices, or else credit notes."""
    licensee_id: str = ""
    """Of this one; "" of all, and so for the others."""
    license_id: str = ""
    invoice_id: str = ""
    """Credit notes about it."""
    final: bool | None = None
    """Final ones or drafts; None: both."""


@dataclass(frozen=True)
class DueFilter:
    """Of which licenses due periods are wanted."""

    licensee_id: str = ""
    """Of this licensee; "" of all, and so for the other."""
    license_id: str = ""


@dataclass(frozen=True)
class RevenueFilter:
    """Which months are wanted."""

    from_month: str = ""
    """2026-11; "" for the first, and so for the others."""
    to_month: str = ""
    """Itself included."""
    licensee_id: str = ""


@dataclass(frozen=True)
class Month:
    """What one licensee was billed for the periods that begin in one month, in one currency."""

    month: str
    licensee_id: str
    currency: str
    decimals: int
    invoiced: int
    """In minor units; corrections on invoices make it less."""
    credited: int
    """What credit notes have taken back, in minor units; not below zero."""
