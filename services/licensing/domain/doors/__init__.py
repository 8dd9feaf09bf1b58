"""Who comes in from outside: the login wall, and the networks that anonymous callers are counted by."""
