"""Consent: whose posts may go to whom, and for what. Policies, subjects, choices, and one answer a batch."""
