"""The version of a license that something is judged by."""

from dataclasses import replace

from services.chassis.refusals import not_found
from services.licensing.domain.licenses import License, LicenseState

AS_IT_STANDS = 0


def judged_by(license: License, version: int) -> License:
    """The license as it stands for AS_IT_STANDS, else its `version` as if that were ACTIVE, in its own term.

    Raises Refusal (not found, VERSION_UNKNOWN).
    """
    if version == AS_IT_STANDS:
        return license
    if version != license.version:
        raise not_found("VERSION_UNKNOWN", f"the license has no version {version}")
    return replace(license, state=LicenseState.ACTIVE)
