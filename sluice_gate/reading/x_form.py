"""The raw X API form (v1.1): what one status object says about its post and about every post inside it.

It fails closed (C6): what is embedded but not at hand becomes an unnamed contributor, who denies the post.
"""

from sluice_gate.posts import MAX_EMBEDS, Post
from sluice_gate.reading.times import x_time_us
from sluice_gate.reading.values import (
    IMAGE,
    OTHER_MEDIA,
    POST,
    QUOTE,
    REPLY,
    REPOST,
    VIDEO,
    Unreadable,
    id_of,
    language_of,
    optional_id,
)

UNNAMED = (0, 0)
"""An embed of which neither id nor author is known: id 0 is a fault, so it denies under every purpose."""

Status = dict[str, object]

_MEDIA_TYPES = {"photo": IMAGE, "video": VIDEO}


def post_of(status: object) -> Post:
    """The post that a raw status object describes. Raises Unreadable."""
    if not isinstance(status, dict):
        raise Unreadable("not a JSON object")
    id = _id(status)
    if not id:
        raise Unreadable("id is missing")
    return Post(
        id=id,
        author_id=_author(status),
        kind=_kind(status),
        media_flags=_media(status),
        language=language_of(status.get("lang")),
        posted_at_us=x_time_us(status.get("created_at")),
        embeds=_embeds(status, id) if _may_embed(status) else (),
    )


def _id(status: Status) -> int:
    # `id_str` first: `id` may have passed through a reader that keeps numbers as floats.
    text = status.get("id_str")
    return id_of(text, "id") if text is not None else optional_id(status.get("id"), "id")


def _author(status: Status) -> int:
    user = _object(status, "user")
    if user is None:
        return 0
    text = user.get("id_str")
    return id_of(text, "author") if text is not None else optional_id(user.get("id"), "author")


def _kind(status: Status) -> int:
    """By precedence repost, reply, quote, post (M5)."""
    if status.get("retweeted_status") is not None:
        return REPOST
    if any(status.get(name) is not None for name in _REPLY_MARKS):
        return REPLY
    return QUOTE if _quotes(status) else POST


_REPLY_MARKS = (
    "in_reply_to_status_id_str",
    "in_reply_to_user_id_str",
    "in_reply_to_status_id",
    "in_reply_to_user_id",
)


def _quotes(status: Status) -> bool:
    return (
        bool(status.get("is_quote_status"))
        or status.get("quoted_status") is not None
        or _quoted_id(status) > 0
    )


def _quoted_id(status: Status) -> int:
    text = status.get("quoted_status_id_str")
    return optional_id(text if text is not None else status.get("quoted_status_id"), "quoted id")


def _may_embed(status: Status) -> bool:
    return status.get("retweeted_status") is not None or _quotes(status)


def _embeds(status: Status, id: int) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    named: list[int] = []
    pending = [status]
    while pending:
        pending.extend(_step(pending.pop(), found, named))
        if len(found) + len(named) > MAX_EMBEDS:
            raise Unreadable(f"more than {MAX_EMBEDS} embedded posts")
    at_hand = {id, *(embed for embed, _ in found)}
    found.extend((embed, 0) for embed in named if embed not in at_hand)
    return tuple(dict.fromkeys(found))


def _step(status: Status, found: list[tuple[int, int]], named: list[int]) -> list[Status]:
    """Notes what `status` itself embeds and returns the embedded objects, to be looked into next."""
    reposted, quoted = _object(status, "retweeted_status"), _object(status, "quoted_status")
    inner = [embedded for embedded in (quoted, reposted) if embedded is not None]
    found.extend((_id(embedded), _author(embedded)) for embedded in reversed(inner))
    if quoted_id := _quoted_id(status):
        # Often the object stands elsewhere in the same record; only if it does not, the author is unknown.
        named.append(quoted_id)
    elif quoted is None and status.get("is_quote_status") and not (reposted and _quotes(reposted)):
        # A repost of a quote carries the mark too, and the quote inside the reposted post. Not here.
        found.append(UNNAMED)
    return inner


def _object(status: Status, name: str) -> Status | None:
    value = status.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise Unreadable(f"{name} is not an object")


def _media(status: Status) -> int:
    flags = 0
    for place in (status, _object(status, "extended_tweet") or {}):
        # `entities` calls every medium a photo; `extended_entities` says what it is.
        for medium in _listed(place, "extended_entities") or _listed(place, "entities"):
            kind = medium.get("type") if isinstance(medium, dict) else None
            flags |= _MEDIA_TYPES.get(kind, OTHER_MEDIA) if isinstance(kind, str) else OTHER_MEDIA
    return flags


def _listed(place: Status, name: str) -> list[object]:
    entities = _object(place, name)
    media = entities.get("media") if entities else None
    if media is None or isinstance(media, list):
        return media or []
    raise Unreadable(f"{name} holds no list of media")
