"""The rules of counting, as pure functions: time and stored sums are arguments."""
