"""Checks receipts and whole jobs offline, with nothing but published keys.

It is written from docs/receipt-format.md, as plainly as that is, and shares no code with the service that
signs. Nothing here says that a signature is fine: what is verified is a receipt together with what it speaks
of (R3). A receipt that verifies shows what was decided; it does not show that no other decision was made.
"""
