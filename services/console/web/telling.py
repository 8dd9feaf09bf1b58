"""A sentence about what was done, which is kept at the browser until the next page shows it."""

import re
from datetime import datetime

from markupsafe import Markup, escape

from services.console.web.reading import Reader

# Characters that no text of ours has: what is between them is a time, to be shown as all others on the page.
_BEGIN, _END = "\x02", "\x03"
_MOMENT = re.compile(f"{_BEGIN}([^{_END}]*){_END}")


def moment_in(moment: datetime) -> str:
    """A time as it stands in a sentence until that is shown."""
    return f"{_BEGIN}{moment.isoformat()}{_END}"


def as_told(reader: Reader, sentence: str) -> Markup:
    """The sentence in HTML, its times as those of the page: scripts write them in the reader's own zone."""

    def shown(found: re.Match[str]) -> str:
        moment = datetime.fromisoformat(found[1])
        return f'<time datetime="{moment.isoformat()}" data-precise>{escape(reader.moment(moment))}</time>'

    return Markup(_MOMENT.sub(shown, str(escape(sentence))))  # noqa: S704 - escaped above
