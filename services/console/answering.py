"""Whether a program that speaks HTTP is there and says that it is well.

For containers that have no other program to ask with it is one itself: `python -P -m
services.console.answering 127.0.0.1:7620` ends with 0 where that is so, else with 1.
"""

import http.client
import sys

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


if __name__ == "__main__":
    sys.exit(not answers(sys.argv[1]))
