"""The contract of the directory over gRPC."""
