"""Who owes what of a claim (D3): each for the whole, and a split between them that is only suggested."""

from collections.abc import Mapping


def split(amount: int, posts: Mapping[str, int]) -> dict[str, int]:
    """An amount in minor units by the posts of each party: largest remainder, equal ones in order of ids.

    The shares add up to the amount. Without any posts there is nobody to split it between.
    """
    whole = sum(posts.values())
    if not whole:
        return dict.fromkeys(posts, 0)
    shares = {party_id: amount * count // whole for party_id, count in posts.items()}
    by_remainder = sorted(posts, key=lambda party_id: (-(amount * posts[party_id] % whole), party_id))
    for party_id in by_remainder[: amount - sum(shares.values())]:
        shares[party_id] += 1
    return shares
