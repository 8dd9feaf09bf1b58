"""One subject's records in the formats that others read (C11)."""
