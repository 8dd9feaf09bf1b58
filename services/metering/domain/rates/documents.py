"""A file of limits, once its YAML is read, as a tree of lines; whatever it does not mean is refused.

Its form is that of envoyproxy/ratelimit. What that knows and this does not is refused by name, for a limit
that is not kept as it was written would be one in disguise.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.chassis.refusals import Refusal, invalid
from services.metering.domain.rates.limits import Line, RateLimit, RateLimits, Unit, Unlimited

MOST_CALLS = 10_000
"""In one window. Each call inside is remembered with its moment, so this bounds what a limit stores."""
DEEPEST = 16
"""Entries of a descriptor, as in the contract."""
LONGEST_NAME = 128
_UNITS = {unit.name.lower(): unit for unit in Unit}


def limits_of(document: Any) -> RateLimits:
    """The limits that a document says.

    Raises Refusal (invalid, LIMITS_FILE_INVALID) naming the part at fault.
    """
    top = _mapping(document, "the file", {"domain", "descriptors"})
    domain = _text(top.get("domain"), "domain")
    return RateLimits(domain, Line(None, _below(top.get("descriptors"), "descriptors", "", 1)))


def described(limits: RateLimits) -> list[dict[str, Any]]:
    """Each limit with the keys and values that lead to it, for people and programs."""
    return [*_described(limits.root, "")]


def _described(line: Line, name: str) -> Iterator[dict[str, Any]]:
    match line.limit:
        case RateLimit() as limit:
            unit = limit.unit.name.lower()
            yield {
                "descriptor": name,
                "name": limit.name,
                "calls": limit.calls,
                "unit": unit,
                "shadow": limit.is_shadow,
            }
        case Unlimited.UNLIMITED:
            yield {"descriptor": name, "unlimited": True}
    for (key, value), below in line.below.items():
        yield from _described(below, _joined(name, key, value))


def fault(where: str, what: str) -> Refusal:
    """What is wrong with which part of the file."""
    return invalid("LIMITS_FILE_INVALID", f"{where} {what}", field=where)


def _below(said: Any, where: str, name: str, depth: int) -> Mapping[tuple[str, str | None], Line]:
    if not isinstance(said, Sequence) or isinstance(said, str):
        raise fault(where, "is to be a list of descriptors")
    if depth > DEEPEST:
        raise fault(where, f"lies deeper than the {DEEPEST} entries that a descriptor can have")
    lines: dict[tuple[str, str | None], Line] = {}
    for place, each in enumerate(said):
        here = f"{where}[{place}]"
        known = {"key", "value", "rate_limit", "shadow_mode", "descriptors"}
        given = _mapping(each, here, known)
        key, value = _text(given.get("key"), f"{here}.key"), _value(given, here)
        if (key, value) in lines:
            raise fault(here, f"is a second line for {_named(key, value)}")
        lines[key, value] = _line(given, here, _joined(name, key, value), depth)
    return lines


def _line(given: Mapping[str, Any], here: str, name: str, depth: int) -> Line:
    is_shadow = given.get("shadow_mode", False)
    if not isinstance(is_shadow, bool):
        raise fault(f"{here}.shadow_mode", "is true or false")
    limit = (
        _limit(given["rate_limit"], f"{here}.rate_limit", name, is_shadow) if "rate_limit" in given else None
    )
    if is_shadow and not isinstance(limit, RateLimit):
        raise fault(f"{here}.shadow_mode", "goes with a limit of the same line")
    below = (
        _below(given["descriptors"], f"{here}.descriptors", name, depth + 1) if "descriptors" in given else {}
    )
    if limit is None and not below:
        raise fault(here, "says no limit, and nothing of the entries that follow")
    return Line(limit, below)


def _limit(said: Any, here: str, name: str, is_shadow: bool) -> RateLimit | Unlimited:
    given = _mapping(said, here, {"unit", "requests_per_unit", "unlimited", "name"})
    unlimited = given.get("unlimited", False)
    if not isinstance(unlimited, bool):
        raise fault(f"{here}.unlimited", "is true or false")
    if unlimited:
        if given.keys() & {"unit", "requests_per_unit"}:
            raise fault(here, "is unlimited and says a limit")
        return Unlimited.UNLIMITED
    unit = _UNITS.get(str(given.get("unit", "")).lower())
    if unit is None:
        raise fault(f"{here}.unit", f"is one of {', '.join(_UNITS)}")
    chosen = _text(given["name"], f"{here}.name") if "name" in given else name[:LONGEST_NAME]
    if len(chosen) > LONGEST_NAME or not chosen.isascii() or '"' in chosen or "\\" in chosen:
        # Envoy puts it into a header, in quotes.
        raise fault(
            f"{here}.name", f"is to be a name of ASCII without quotes, of {LONGEST_NAME} characters at most"
        )
    return RateLimit(
        chosen, _calls(given.get("requests_per_unit"), f"{here}.requests_per_unit"), unit, is_shadow
    )


def _calls(said: Any, where: str) -> int:
    if type(said) is not int or said < 0:
        raise fault(where, "is a whole number, 0 for no call at all")
    if said > MOST_CALLS:
        raise fault(
            where,
            f"is over {MOST_CALLS:,}: each call is remembered until it has left the window, and counting in "
            "steps would not be exact; say it over a shorter unit (240,000 a day as 10,000 an hour)",
        )
    return said


def _value(given: Mapping[str, Any], here: str) -> str | None:
    if "value" not in given:
        return None
    value = _text(given["value"], f"{here}.value")
    if "*" in value:
        raise fault(f"{here}.value", "has a *: a line without a value is for every value, each by itself")
    return value


def _mapping(said: Any, where: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        raise fault(where, "is to be a mapping")
    if strange := sorted(str(name) for name in said if name not in known):
        raise fault(where, f"has {', '.join(strange)}, which is not known here")
    return said


def _text(said: Any, where: str) -> str:
    if not isinstance(said, str) or not said or not said.isprintable() or said != said.strip():
        raise fault(where, "is to be a text; put quotes around a number")
    return said


def _named(key: str, value: str | None) -> str:
    return key if value is None else f"{key}={value}"


def _joined(name: str, key: str, value: str | None) -> str:
    return f"{name}/{_named(key, value)}" if name else _named(key, value)
