"""The tables of metering, and the migrations that make them."""
