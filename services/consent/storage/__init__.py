"""The register of consent in a SQL database: append-only records, and the states derived from them."""
