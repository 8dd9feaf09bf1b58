"""Plain posts with a mapping of names: JSON objects and CSV rows alike.

A repost or quote that lists no embed gets an unnamed one, so that it is denied (C6): it embeds somebody's
post, and nobody said whose.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from sluice_gate.errors import FormError
from sluice_gate.posts import MAX_EMBEDS, Post
from sluice_gate.reading.times import time_us
from sluice_gate.reading.values import (
    QUOTE,
    REPOST,
    Unreadable,
    id_of,
    kind_of,
    language_of,
    media_of,
    optional_id,
)
from sluice_gate.reading.x_form import UNNAMED

_BETWEEN_EMBEDS = re.compile(r"[\s|;]+")


@dataclass(frozen=True)
class Names:
    """Under which name each fact about a post stands in the file."""

    id: str = "id"
    author: str = "author_id"
    time: str = "created_at"
    kind: str = "kind"
    lang: str = "language"
    media: str = "media"
    embeds: str = "embeds"
    constants: Mapping[str, str] = field(default_factory=dict)
    """Facts that are the same for every post of the file, by fact: `{"kind": "post"}`."""

    @classmethod
    def parse(cls, text: str) -> "Names":
        """Reads `id=tweet_id,author=user_id,kind==post`; after a second `=` stands the fact, not a name.

        Raises FormError.
        """
        names: dict[str, str] = {}
        constants: dict[str, str] = {}
        for part in filter(None, text.split(",")):
            fact, _, name = part.partition("=")
            if fact not in FACTS or name in {"", "="} or fact in names or fact in constants:
                raise FormError("MAP_INVALID", f"{part!r} is not FACT=NAME with a fact of {', '.join(FACTS)}")
            if name.startswith("="):
                constants[fact] = name[1:]
            else:
                names[fact] = name
        if constants.keys() & {"id", "author", "embeds"}:
            raise FormError("MAP_INVALID", "id, author and embeds are facts of each post, not of the file")
        return cls(**names, constants=constants)


FACTS = tuple(entry.name for entry in fields(Names) if entry.name != "constants")


def post_of(value: object, names: Names, zone_us: int | None) -> Post:
    """The post in a JSON object or CSV row; `zone_us`: offset of times without a zone. Raises Unreadable."""
    if not isinstance(value, dict):
        raise Unreadable("not a JSON object")
    facts = value
    if names.constants:
        facts = {**value, **{getattr(names, fact): given for fact, given in names.constants.items()}}
    kind = kind_of(facts.get(names.kind))
    embeds = _embeds(facts.get(names.embeds), names)
    return Post(
        id=id_of(facts.get(names.id), "id"),
        author_id=optional_id(facts.get(names.author), "author"),
        kind=kind,
        media_flags=media_of(facts.get(names.media)),
        language=language_of(facts.get(names.lang)),
        posted_at_us=time_us(facts.get(names.time), zone_us),
        embeds=embeds or ((UNNAMED,) if kind in {REPOST, QUOTE} else ()),
    )


def _embeds(value: object, names: Names) -> tuple[tuple[int, int], ...]:
    if value is None or value in ("", []):
        return ()
    if isinstance(value, str):
        pairs = [_pair(text) for text in _BETWEEN_EMBEDS.split(value.strip())]
    elif isinstance(value, list):
        pairs = _listed(value, names)
    else:
        raise Unreadable("embeds is not a list")
    if len(pairs) > MAX_EMBEDS:
        raise Unreadable(f"more than {MAX_EMBEDS} embedded posts")
    return tuple(dict.fromkeys(pairs))


def _pair(text: str) -> tuple[int, int]:
    """`id:author`, or `id` alone where the author is not known."""
    id, _, author = text.partition(":")
    return id_of(id, "id of an embed"), optional_id(author, "author of an embed")


def _listed(value: list[object], names: Names) -> list[tuple[int, int]]:
    """Objects with the names of the posts themselves, embeds of their own included, or pairs of ids."""
    pairs: list[tuple[int, int]] = []
    pending = list(reversed(value))
    while pending and len(pairs) <= MAX_EMBEDS:
        embed = pending.pop()
        if isinstance(embed, dict):
            id, author, inner = (embed.get(name) for name in (names.id, names.author, names.embeds))
            if inner is not None and not isinstance(inner, list):
                raise Unreadable("embeds of an embed is not a list")
            pending.extend(reversed(inner or []))
        elif isinstance(embed, list) and len(embed) == 2:
            id, author = embed
        else:
            raise Unreadable("an embed is neither an object nor a pair")
        pairs.append((id_of(id, "id of an embed"), optional_id(author, "author of an embed")))
    return pairs
