r"""Lines of access logs in the combined format of Apache and nginx, a virtual host before them or not.

Strict: what does not fit from the first to the last character is no such line. In quotes a server writes
\" for a quote, \\ for a backslash and \xhh for bytes that are no plain text
(httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats, nginx.org/r/log_format).
"""

import re
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from services.console.exact_times import offset, stamp

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_HOST_AND_PORT = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5} "
# A host without a port is told from the client by the address behind it, for a user's name may have spaces.
_HOST_BEFORE_ADDRESS = r"[A-Za-z0-9._-]+ (?=[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]* )"
_HOST = f"(?:{_HOST_AND_PORT}|{_HOST_BEFORE_ADDRESS})?"
_LINE = re.compile(
    rf"{_HOST}(?!- )(\S+) \S+ \S.*? \[([^\]\[]*)\] {_QUOTED} ([0-9]{{3}}) (?:[0-9]+|-) {_QUOTED} {_QUOTED}"
)
_TIME = re.compile(r"([0-9]{2})/([A-Z][a-z]{2})/([0-9]{4}):([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-][0-9]{4})")
_REQUEST = re.compile(r"(\S+) (\S.*?)(?: HTTP/[0-9.]+)?", re.DOTALL)
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))")
_CONTROLS = {b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


@dataclass(frozen=True)
class LogLine:
    """What a line says that matters here."""

    client: str
    """The address it came from, or its name."""
    at: Timestamp
    method: str
    """Empty where what came was no request."""
    path: str
    """As it was asked for, without the host and what follows a ? or #."""
    status: int
    user_agent: str


class NotALogLine(ValueError):  # noqa: N818 - it is a finding, and the rest of the file is none the worse
    """The line is something else."""


def read_line(text: str) -> LogLine:
    """Reads a line without its end; raises NotALogLine, and ValueError where its time is none."""
    match = _LINE.fullmatch(text)
    if not match:
        raise NotALogLine("this is no line of a combined access log")
    client, time, request, status, _referrer, user_agent = match.groups()
    asked = _REQUEST.fullmatch(unescaped(request))
    method, target = asked.groups() if asked else ("", "")
    return LogLine(client, read_time(time), method, path_of(target), int(status), unescaped(user_agent))


def read_time(text: str) -> Timestamp:
    """A time like 31/Jan/2026:12:00:00 +0100; raises ValueError."""
    match = _TIME.fullmatch(text)
    if not match or match[2] not in MONTHS:
        raise ValueError(f"a time like 31/Jan/2026:12:00:00 +0100 is expected, not {text[:60]!r}")
    day, month, year, hour, minute, second, zone = match.groups()
    try:
        local = datetime(int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))
    except ValueError:
        raise ValueError(f"there is no such time as {text!r}") from None
    return stamp(local, offset(zone))


def path_of(target: str) -> str:
    """The path of what was asked for."""
    return re.split(r"[?#]", _ORIGIN.sub("", target, count=1), maxsplit=1)[0]


def unescaped(quoted: str) -> str:
    """What stood there before the server made it fit between quotes."""
    if "\\" not in quoted:
        return quoted
    return _ESCAPE.sub(_meant, quoted.encode()).decode(errors="replace")


def _meant(escape: re.Match[bytes]) -> bytes:
    if escape[1]:
        return bytes.fromhex(escape[1].decode())
    return _CONTROLS.get(escape[2], escape[2])
