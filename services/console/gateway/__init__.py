"""The gateway: Envoy, configured from the contracts, through which partners and users come in."""
