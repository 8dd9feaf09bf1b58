"""The rules of licensing as pure functions and values; time, salts and ids are arguments."""
