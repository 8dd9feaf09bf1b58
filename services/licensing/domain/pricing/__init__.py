"""What licenses cost and what periods come to (B1 to B4): decimals throughout, never a binary fraction."""
