"""The log of receipts as pure functions (R2): its tree, its tiles, its proofs and its signed heads.

docs/log-format.md says what is computed. `sluice_gate` verifies by the same document, and shares no code.
"""
