"""The contract of consent over gRPC."""
