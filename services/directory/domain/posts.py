"""Posts as the directory keeps them, and which of them it takes.

A post that has a fault is not kept: whoever asked for it later would be told that no license covers it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from services.chassis.refusals import invalid

MAX_POSTS = 10_000
MAX_EMBEDS = 100_000
MAX_LANGUAGES = 256
LARGEST_ID = 2**64 - 1
KINDS = range(1, 5)
"""post, reply, quote, repost."""
FIRST_PRINTABLE = 0x20
"""Of ASCII: no language has what is below, PostgreSQL keeps no NUL, and digests are over lines."""
MEDIA_FLAGS = range(8)
"""Sums of image 1, video 2, other 4."""


class Post(NamedTuple):
    """The facts about one post."""

    id: int
    author_id: int
    """0 is an unnamed contributor, which denies the post (C6)."""
    kind: int
    """A number of ContentKind."""
    media_flags: int
    """A sum of MediaFlag values."""
    posted_at_us: int
    """Microseconds since the epoch, UTC."""
    language: str
    """A BCP 47 tag; empty where unknown."""
    embeds: tuple[tuple[int, int], ...]
    """(id, author id) of every embedded post; author 0 where that is not at hand."""


def check_size(posts: int, embeds: int, languages: int) -> None:
    """Raises Refusal (invalid): EMPTY_BATCH, TOO_MANY_POSTS, TOO_MANY_EMBEDS, TOO_MANY_LANGUAGES."""
    if posts == 0:
        raise invalid("EMPTY_BATCH", "the batch has no posts", field="batch")
    if posts > MAX_POSTS:
        raise invalid("TOO_MANY_POSTS", f"{posts} posts; a batch may have {MAX_POSTS} at most", field="batch")
    if embeds > MAX_EMBEDS:
        message = f"{embeds} embeds; a batch may have {MAX_EMBEDS} at most"
        raise invalid("TOO_MANY_EMBEDS", message, field="batch")
    if languages > MAX_LANGUAGES:
        message = f"{languages} languages; a batch may have {MAX_LANGUAGES} at most"
        raise invalid("TOO_MANY_LANGUAGES", message, field="batch")


def sifted(posts: Sequence[Post]) -> tuple[list[Post], dict[int, str]]:
    """The posts without a fault, in order, and what is wrong with each other one, by its place from 0.

    The same for the same posts. Raises Refusal (invalid): those of `check_size`.
    """
    embeds, languages = sum(len(post.embeds) for post in posts), {post.language for post in posts}
    check_size(len(posts), embeds, len(languages))
    faults = {place: fault for place, post in enumerate(posts) if (fault := fault_of(post))}
    return [post for place, post in enumerate(posts) if place not in faults], faults


def fault_of(post: Post) -> str | None:
    """What is wrong with a post, in words that quote nothing of it; None where nothing is."""
    if not 0 < post.id <= LARGEST_ID or any(id == 0 for id, _ in post.embeds):
        return "the post, or one embedded in it, has the id 0"
    if post.kind not in KINDS or post.media_flags not in MEDIA_FLAGS:
        return "its kind or its media are not known"
    if post.posted_at_us <= 0:
        return "it says no time at which it was posted"
    if any(ord(each) < FIRST_PRINTABLE for each in post.language):
        return "its language holds a control character"
    return None


def last_of_each(posts: Sequence[Post]) -> list[Post]:
    """The last post of each id, by id: so that two processes never wait for one another in a circle."""
    return sorted({post.id: post for post in posts}.values())


def in_order(ids: Sequence[int], known: Sequence[Post]) -> list[Post]:
    """Those of `known` that were asked for, each once, in the order asked.

    Raises Refusal (invalid): TOO_MANY_EMBEDS, TOO_MANY_LANGUAGES where they do not fit into one answer.
    """
    by_id = {post.id: post for post in known}
    found = [by_id[id] for id in dict.fromkeys(ids) if id in by_id]
    if found:
        check_size(
            len(found), sum(len(post.embeds) for post in found), len({post.language for post in found})
        )
    return found
