"""The rules of consent as pure functions: choices, policies, subjects and verdicts."""
