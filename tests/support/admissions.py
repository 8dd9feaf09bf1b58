"""Lines of admission tables, for services that only tests have."""

from collections.abc import Sequence

from services.chassis.identity import Admission, PrincipalKind


def admit(
    *kinds: PrincipalKind,
    roles: Sequence[str] = (),
    sandbox: Sequence[PrincipalKind] = (),
    services: Sequence[str] = (),
) -> Admission:
    """Of the `kinds`, those in `sandbox` also where they only try out."""
    return Admission(frozenset(kinds), frozenset(roles), frozenset(sandbox), services=frozenset(services))


def admit_anyone() -> Admission:
    """A line for an RPC that strangers call."""
    return Admission(frozenset(), anyone=True)
