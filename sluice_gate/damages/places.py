"""Where a claim is known not to be enforceable (D4): a country bars all its parts."""

from typing import Any


def barring(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What the policy lists against claiming at the jurisdiction of a document, in the policy's order.

    What is listed as "US" bars "US" and "US-CA"; what is listed as "US-CA" bars nothing else.
    """
    jurisdiction = document["jurisdiction"]
    places = {jurisdiction, jurisdiction.partition("-")[0]}
    return [each for each in document["policy"]["not_enforceable"] if each["jurisdiction"] in places]
