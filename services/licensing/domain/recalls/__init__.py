"""Withdrawals reach what was released before them (W1 to W3): pure rules."""
