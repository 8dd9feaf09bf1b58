"""Who owes what of a claim (D3): each member for the whole of its periods, and a split only suggested."""

from collections.abc import Iterable, Mapping
from typing import Any

Part = dict[str, Any]


def split(amount: int, posts: Mapping[str, int]) -> dict[str, int]:
    """Shares of an amount in minor units by posts: floors, and what is left to the largest remainders.

    Equal remainders go in order of ids. Where there are no posts there is nothing to go by, and all get 0.
    """
    whole = sum(posts.values())
    if whole <= 0:
        return dict.fromkeys(posts, 0)
    exact = {party: divmod(amount * count, whole) for party, count in posts.items()}
    left = amount - sum(floor for floor, _ in exact.values())
    rounded_up = set(sorted(exact, key=lambda party: (-exact[party][1], party))[:left])
    return {party: floor + (party in rounded_up) for party, (floor, _) in exact.items()}


def liable(periods: Iterable[Part]) -> list[Part]:
    """What each party has in all periods (as the document tells them) that it is a member of, by party."""
    found: dict[str, Part] = {}
    for period in periods:
        for member in period["members"]:
            of_party = found.setdefault(
                member["party"], {"party": member["party"], "posts": 0, "share": 0, "liable_for": 0}
            )
            of_party["posts"] += member["posts"]
            of_party["share"] += member["share"]
            of_party["liable_for"] += period["amount"]
    return [found[party] for party in sorted(found)]
