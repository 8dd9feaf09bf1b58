"""What licenses cost and what periods come to (B1 to B4): decimals and whole fractions, never a float."""
