"""The version of a license that something is judged by, whether it is in force or not."""

from dataclasses import replace

from services.chassis.refusals import Refusal, not_found
from services.licensing.domain.licenses import License, LicenseState
from services.licensing.domain.versions import Version


def as_if_active(license: License, version: Version) -> License:
    """The license as if `version` of it were ACTIVE and no other followed; its term counts as it is."""
    return replace(
        license,
        version=version.version,
        terms=version.terms,
        terms_digest=version.terms_digest,
        state=LicenseState.ACTIVE,
        next=None,
    )


def unknown_version(version: int) -> Refusal:
    """The refusal of a version that was never drafted."""
    return not_found("VERSION_UNKNOWN", f"the license has no version {version}")
