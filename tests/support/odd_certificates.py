"""A certificate and its key on a curve that `cryptography` does not know; both are whole and in force.

Made with openssl: ecparam -name prime239v1 -genkey -noout, and req -x509 -subj /CN=odd -days 36500.
"""

KEY = b"""\
-----BEGIN EC PRIVATE KEY-----
MHECAQEEHm42NH+aArltOQaFXsFAg6qmYPcFCGlB7OWhi/jrXaAKBggqhkjOPQMB
BKFAAz4ABEqo1IrPBXxTleNIQvQTWhgt2wPjyC2ieN/ghRmkjA2+piDNWe1H2DUO
922ZB2j6vtg/1jx45pxik2RrJA==
-----END EC PRIVATE KEY-----
"""
CERTIFICATE = b"""\
-----BEGIN CERTIFICATE-----
MIIBajCCARWgAwIBAgIUQ0XY73xmXjBRxQsqQGcArUyfeEIwCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDb2RkMCAXDTI2MTEyNjEyMTQzNloYDzIxMjYxMTAyMTIxNDM2
WjAOMQwwCgYDVQQDDANvZGQwVTATBgcqhkjOPQIBBggqhkjOPQMBBAM+AARKqNSK
zwV8U5XjSEL0E1oYLdsD48gtonjf4IUZpIwNvqYgzVntR9g1DvdtmQdo+r7YP9Y8
eOacYpNkaySjUzBRMB0GA1UdDgQWBBTTF7SWAawizjOcahaU5z9Byn8a5DAfBgNV
HSMEGDAWgBTTF7SWAawizjOcahaU5z9Byn8a5DAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0MAMEACHnNZnVODKK/n7colWAs1B93cRi6ezGz+x2FIOt682gIe
e+iYZz82calbzRXDXs2r9235tZWUf2ZpCzTCSgFp
-----END CERTIFICATE-----
"""
