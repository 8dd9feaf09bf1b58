"""What a service refuses to be without in words of its own, though no rule of the contract asks for it.

A rule would be checked first, and the caller told INVALID_REQUEST in the place of the reason that says what
is wrong. To whoever reads the document both are required. A test shows the service a request without each.
"""

_RELEASES = "sluice.licensing.v1.RequestReleaseRequest"
_EXPLAINS = "sluice.licensing.v1.ExplainReleaseRequest"
ASKED_FOR = {
    "sluice.licensing.v1.GetTokenRequest.api_key": "API_KEY_INVALID",
    f"{_RELEASES}.request_id": "REQUEST_ID_MALFORMED",
    f"{_RELEASES}.purpose": "PURPOSE_UNSPECIFIED",
    f"{_RELEASES}.post_ids": "EMPTY_BATCH",
    f"{_EXPLAINS}.purpose": "PURPOSE_UNSPECIFIED",
    f"{_EXPLAINS}.batch": "EMPTY_BATCH",
}
"""The reason by the full name of the field, or of the oneof, that is unset or empty."""
