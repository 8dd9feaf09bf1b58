"""What licenses cost and what periods come to (B1 to B4): decimals and fractions of whole numbers, never a float."""
