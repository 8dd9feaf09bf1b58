"""The way in from outside: what is said about it, and what it runs on."""
