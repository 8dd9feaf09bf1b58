"""What changes of a license are called."""

import pytest

from services.console.license_history import what
from services.console.moments import read
from sluice.licensing.v1.license_pb2 import LicenseChange


@pytest.mark.parametrize(
    ("step", "effective_from", "words"),
    [
        ("DRAFTED", "", "version 2 drafted"),
        ("ACTIVATED", "2027-01-01", "version 2 activated"),
        ("SCHEDULED", "2027-01-01", "version 2 scheduled for 2027-01-01 00:00:00.000 UTC"),
        ("WITHDRAWN", "2027-01-01", "version 2 withdrawn, which was set for 2027-01-01 00:00:00.000 UTC"),
        ("WITHDRAWN", "", "version 2 withdrawn"),
        ("TERMINATED", "", "version 2 terminated"),
        ("UNSPECIFIED", "", "not on record"),
    ],
)
def test_a_change_is_told_in_words(step: str, effective_from: str, words: str) -> None:
    change = LicenseChange(step=f"LICENSE_STEP_{step}", version=2)
    if effective_from:
        change.effective_from.CopyFrom(read(effective_from))

    assert what(change) == words
