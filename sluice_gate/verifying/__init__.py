"""Checks receipts, whole jobs and the log of receipts offline, with nothing but published keys.

It is written from docs/receipt-format.md and docs/log-format.md, as plainly as they are, and shares no code
with the service that signs. Nothing here says that a signature is fine: what is verified is a receipt
together with what it speaks of, or with its place in the log (R3). A receipt that verifies shows what was
decided; it does not show that no other decision was made.
"""
