"""How fast one caller may ask in the sandbox: where nothing is metered, this alone keeps trying out small."""

from collections import defaultdict, deque

from services.chassis.refusals import exhausted, invalid

MINUTE_US = 60 * 1_000_000


class Pacing:
    """Lets each caller ask about so many posts in any minute, in this process."""

    def __init__(self, most: int) -> None:
        """`most` posts in any stretch [t, t + 1 minute)."""
        self._most = most
        # Few: only somebody for whom an operator has made a key of the sandbox comes to be here.
        self._asked: defaultdict[str, deque[tuple[int, int]]] = defaultdict(deque)

    def take(self, caller: str, posts: int, now_us: int) -> None:
        """Counts `posts` (1 or more) as asked about now; `now_us` never goes back.

        Raises Refusal, and counts nothing: SANDBOX_LIMIT (exhausted, with the time after which there is room
        for them), TOO_MANY_POSTS (invalid) where there never is.
        """
        if posts > self._most:
            message = f"{posts} posts; in the sandbox one caller may ask about {self._most} a minute"
            raise invalid("TOO_MANY_POSTS", message, field="batch")
        asked = self._asked[caller]
        while asked and asked[0][0] + MINUTE_US <= now_us:
            asked.popleft()
        surplus = sum(before for _, before in asked) + posts - self._most
        if surplus > 0:
            message = f"in the sandbox one caller may ask about {self._most} posts a minute"
            raise exhausted("SANDBOX_LIMIT", message, retry_after_us=_gone_us(asked, surplus) - now_us)
        asked.append((now_us, posts))


def _gone_us(asked: deque[tuple[int, int]], surplus: int) -> int:
    """When the oldest of these, `surplus` posts or more together, are a minute old."""
    for at_us, posts in asked:
        surplus -= posts
        if surplus <= 0:
            return at_us + MINUTE_US
    raise AssertionError("no more than what was asked stands in the way of what fits alone")
