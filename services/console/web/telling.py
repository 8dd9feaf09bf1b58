"""A sentence about what was done, which is kept at the browser until the next page shows it."""

import bisect
import itertools
import json
import re
from datetime import datetime

from markupsafe import Markup, escape

from services.console.web.reading import Reader

# Characters that no text of ours has: what is between them is a time, to be shown as all others on the page.
_BEGIN, _END = "\x02", "\x03"
_CUT = "\u2026"
LARGEST_BYTES = 2_900
"""As JSON; sealed, with the name of the cookie, that is just less than the 4,096 that browsers keep."""
_MOMENT = re.compile(f"{_BEGIN}([^{_END}]*){_END}")


def moment_in(moment: datetime) -> str:
    """A time as it stands in a sentence until that is shown."""
    return f"{_BEGIN}{moment.isoformat()}{_END}"


def kept(sentence: str) -> str:
    """As much of it as a browser keeps in a cookie: one that is too large it drops in silence."""
    sizes = list(itertools.accumulate(map(_size, sentence)))
    if not sizes or sizes[-1] <= LARGEST_BYTES:
        return sentence
    begin = sentence[: bisect.bisect_right(sizes, LARGEST_BYTES - _size(_CUT))]
    whole, _, rest = begin.rpartition(_BEGIN)
    # Half a time is none.
    return (begin if _END in rest or _BEGIN not in begin else whole) + _CUT


def _size(letter: str) -> int:
    """Bytes of it in JSON."""
    return len(json.dumps(letter, ensure_ascii=False).encode("utf-8", "surrogatepass")) - 2


def as_told(reader: Reader, sentence: str) -> Markup:
    """The sentence in HTML, its times as those of the page: scripts write them in the reader's own zone."""

    def shown(found: re.Match[str]) -> str:
        moment = datetime.fromisoformat(found[1])
        return f'<time datetime="{moment.isoformat()}" data-precise>{escape(reader.moment(moment))}</time>'

    return Markup(_MOMENT.sub(shown, str(escape(sentence))))  # noqa: S704 - escaped above
