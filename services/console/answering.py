"""Whether a program that speaks HTTP is there and says that it is well."""

import http.client

ANSWER_SECONDS = 1.0


def answers(address: str) -> bool:
    """Whether whatever listens at host:port answers for itself, at /healthz."""
    connection = http.client.HTTPConnection(address, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
