"""The directory as pure functions."""
