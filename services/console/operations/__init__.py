"""The console of operators: what happens, and the few things that cannot wait."""
