"""What a gate knows of a post, and where in its file the post stands.

The text of a post stays in `Record.raw`: it is copied, never looked at and never sent.
"""

from dataclasses import dataclass

MAX_EMBEDS = 64
"""Embeds of one post, as in the contract of the friendly form; a post with more is a broken line."""

NEVER_CLOSED = "a quoted field is never closed"


@dataclass(slots=True)
class Post:
    """The facts about one post that a decision rests on."""

    id: int
    """0 is a fault that denies the post."""
    author_id: int
    """0 is an unnamed contributor, which denies the post (C6)."""
    kind: int
    """A ContentKind; 0 where it is missing or unknown, which denies the post."""
    media_flags: int
    """A sum of MediaFlag values."""
    language: str
    """A BCP 47 tag; empty where unknown."""
    posted_at_us: int
    """Microseconds since the epoch, UTC."""
    embeds: tuple[tuple[int, int], ...]
    """(id, author) of every post embedded in it, however deep; author 0 where it is only named."""


@dataclass(slots=True)
class Record:
    """A post and the bytes it came in."""

    post: Post
    raw: bytes
    """The record byte for byte, its line ending included."""
    start: int
    """Offset of its first byte in the file."""
    line: int
    """Number of its first line, from 1."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that cannot be read. It is never released."""

    line: int
    """Number of its first line, from 1."""
    last_line: int
    """Number of its last line; differs where a quoted CSV field goes over several."""
    start: int
    """Offset of its first byte."""
    end: int
    """Offset after its last byte."""
    reason: str
    """What is wrong, in words; never quotes the content."""

    @property
    def lines(self) -> int:
        """How many lines it takes up."""
        return self.last_line - self.line + 1

    @property
    def never_closed(self) -> bool:
        """A quote was opened in it and never closed, so that it is all the rest of the file."""
        return self.reason == NEVER_CLOSED
