"""What operators did in licensing."""

from services.chassis.action_rows import action_table
from services.licensing.storage.base import LicensingTable

ACTIONS = action_table(LicensingTable.metadata)
