"""The people's way in: the command line `sluice`. A client of the three services; no domain, no database."""
