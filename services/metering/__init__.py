"""Metering: how many posts went to whom in which window, held before a release and settled after it."""
