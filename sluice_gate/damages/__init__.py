"""Computes an assessment of liquidated damages again, offline, from nothing but its bundle (D2).

It is written from docs/evidence-format.md, as plainly as that is, and shares no code with the service that
assesses: what two programs of different make agree on does not rest on the faults of either.
"""
