"""A made-up platform: accounts, and posts in the raw X form, the same for the same seed and time.

Nobody in it exists, and no post has a text. A few accounts write most of the posts (Zipf), posts embed each
other, some embeds are only named, and now and then a line is torn: what a gate meets in a real export.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.random import Generator

DAY_MS = 24 * 3600 * 1000
ID_EPOCH_MS = 1_288_834_974_657
"""Where the time in a post's id counts from: id >> 22 is milliseconds since then."""

SHARE_OF_DAYS = 30
"""The posts lie in so many days before the present."""
ZIPF_EXPONENT = 1.0
POOL = 4_000
"""Posts lately written, from which reposts and quotes pick."""
TORN_EVERY = 40_000
"""About every so many lines, one breaks off in the middle."""
ONLY_NAMED = 0.01
"""Share of quotes whose quoted post is named but not at hand."""

FIRST_ACCOUNT = 1_700_000_000_000_000_000
"""Over 2^53, so that anything that keeps ids as floats is found out."""

JURISDICTIONS = {
    "US": 0.30, "US-CA": 0.12, "GB": 0.10, "JP": 0.12, "DE": 0.07, "FR": 0.06, "IN": 0.11, "BR": 0.09,
    "NO": 0.03,
}  # fmt: skip
LANGUAGES = {"en": 0.58, "ja": 0.12, "es": 0.10, "pt": 0.07, "de": 0.05, "fr": 0.04, "und": 0.04}
KINDS = {"post": 0.52, "reply": 0.26, "quote": 0.10, "repost": 0.12}
STATES = {"": 0.985, "minor": 0.005, "protected": 0.005, "suspended": 0.003, "deleted": 0.002}
NOTICED = 0.97
"""Share of accounts that were served the notice."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Account:
    """One account of the platform."""

    id: int
    jurisdiction: str
    state: str
    """A word of SubjectState, or empty."""
    noticed: bool


def make_accounts(count: int, seed: int) -> list[Account]:
    """`count` accounts."""
    dice = np.random.default_rng([seed, 1])
    ids = FIRST_ACCOUNT + np.cumsum(dice.integers(1, 1 << 24, count, dtype=np.int64))
    places, states = _draw(dice, JURISDICTIONS, count), _draw(dice, STATES, count)
    noticed = dice.random(count) < NOTICED
    return [
        Account(id, place, state, known)
        for id, place, state, known in zip(ids.tolist(), places, states, noticed.tolist(), strict=True)
    ]


def write_posts(path: Path, accounts: list[Account], count: int, seed: int, now_us: int) -> Iterator[int]:
    """Writes `count` posts, oldest first, up to a minute before now; yields how many stand there."""
    with path.open("w", encoding="ascii") as file:
        for number, line in enumerate(_lines(accounts, count, seed, now_us // 1_000), start=1):
            file.write(line)
            if number % 5_000 == 0:
                yield number
    yield count


@dataclass(frozen=True)
class _Written:
    """A post that later ones can embed."""

    id: int
    fields: str
    """The members of its JSON object, the embedded ones included."""


def _lines(accounts: list[Account], count: int, seed: int, now_ms: int) -> Iterator[str]:
    dice = np.random.default_rng([seed, 2])
    authors = _zipf(dice, accounts, count)
    kinds, languages = _draw(dice, KINDS, count), _draw(dice, LANGUAGES, count)
    images, named, torn = (dice.random(count).tolist() for _ in range(3))
    picks = dice.integers(0, POOL, count).tolist()
    pool: deque[_Written] = deque(maxlen=POOL)
    for index, id in enumerate(_ids(dice, count, now_ms)):
        other = pool[picks[index] % len(pool)] if pool else None
        fields = _fields(id, authors[index], kinds[index], languages[index], images[index] < 0.2)
        fields += _embedding(kinds[index], other, only_named=named[index] < ONLY_NAMED)
        if kinds[index] != "repost":
            pool.append(_Written(id, fields))
        line = "{" + fields + "}\n"
        yield line[: len(line) // 2] + "\n" if torn[index] < 1 / TORN_EVERY else line


def _fields(id: int, author: int, kind: str, language: str, image: bool) -> str:
    media = '"entities":{"media":[{"type":"photo"}]},' if image else ""
    reply = f',"in_reply_to_status_id_str":"{id - (7 << 22)}"' if kind == "reply" else ""
    return (
        f'"created_at":"{_created_at(id)}","id":{id},"id_str":"{id}",{media}"lang":"{language}",'
        f'"user":{{"id":{author},"id_str":"{author}"}}{reply}'
    )


def _embedding(kind: str, other: _Written | None, *, only_named: bool) -> str:
    if other is None or kind in {"post", "reply"}:
        return ""
    if kind == "repost":
        return f',"retweeted_status":{{{other.fields}}}'
    named = f',"is_quote_status":true,"quoted_status_id_str":"{other.id}"'
    return named if only_named else f'{named},"quoted_status":{{{other.fields}}}'


def _ids(dice: Generator, count: int, now_ms: int) -> list[int]:
    latest = now_ms - 60_000 - ID_EPOCH_MS
    times = np.sort(dice.integers(latest - SHARE_OF_DAYS * DAY_MS, latest, count, dtype=np.int64))
    # Posts of the same millisecond differ in the bits below it.
    ids: list[int] = ((times << 22) | (np.arange(count, dtype=np.int64) & 0x3FFFFF)).tolist()
    return ids


def _zipf(dice: Generator, accounts: list[Account], count: int) -> list[int]:
    weights = np.arange(1, len(accounts) + 1, dtype=np.float64) ** -ZIPF_EXPONENT
    ranks = dice.choice(len(accounts), count, p=weights / weights.sum())
    order = dice.permutation(len(accounts))
    return [accounts[at].id for at in order[ranks].tolist()]


def _draw(dice: Generator, shares: dict[str, float], count: int) -> list[str]:
    words = list(shares)
    return [words[at] for at in dice.choice(len(words), count, p=list(shares.values())).tolist()]


def _created_at(id: int) -> str:
    at = datetime.fromtimestamp(((id >> 22) + ID_EPOCH_MS) // 1000, UTC)
    return (
        f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:02} "
        f"{at.hour:02}:{at.minute:02}:{at.second:02} +0000 {at.year}"
    )
