"""What a job has done, for people and for whoever resumes it."""

import enum
from collections import Counter
from dataclasses import dataclass, field

from sluice_gate.journal import Entry
from sluice_gate.posts import Broken

MAX_BROKEN_NAMED = 1_000
RELEASED = "RELEASED"


class Ended(enum.Enum):
    """Why a job ended."""

    FINISHED = "finished"
    """The whole input was read; every decision is confirmed."""
    OPEN_QUOTE = "open quote"
    """As finished, but the input ends inside a quote that is never closed, and what it holds was not read as
    posts. Resuming does not help; those lines must be mended and released anew."""
    NO_ROOM = "no room"
    """An allowance has no room; resume at `retry_at_us`."""
    INTERRUPTED = "interrupted"
    """It was told to stop; resume at will."""
    UNAVAILABLE = "unavailable"
    """Licensing did not answer for too long; resume when it does."""
    REFUSED = "refused"
    """Licensing refused, or its answers do not fit: the message says what; resuming alone does not help."""
    NOT_WRITTEN = "not written"
    """A file could not be read or written; resume when the cause is gone."""


@dataclass
class Report:
    """The figures of a run, those of earlier sessions of the same run included where nothing else is said."""

    run: str
    ended: Ended = Ended.INTERRUPTED
    reason: str = ""
    """Stable word for why it ended, where it did not finish."""
    message: str = ""
    """The same for people."""
    asked: int = 0
    """Posts."""
    released: int = 0
    """Posts written to the output."""
    denied: Counter[str] = field(default_factory=Counter)
    """Posts by exact reason."""
    broken: int = 0
    """Lines that could not be read; never released."""
    broken_named: list[Broken] = field(default_factory=list)
    """The first 1,000 records in such lines; the journal names all."""
    open_quote: Broken | None = None
    """The rest of the input after a quote that is never closed."""
    receipts: int = 0
    rounds: int = 0
    """Decisions asked for beyond one a batch: permits that ran out, and batches that had no room."""
    waits: int = 0
    """Times that a batch waited for room."""
    unconfirmed: int = 0
    """Decisions whose confirmation licensing does not have yet; resuming sends it."""
    problems: list[str] = field(default_factory=list)
    """What somebody must look into."""
    retry_at_us: int | None = None
    """For want of room: when to try again, microseconds UTC by licensing's clock; None if it did not say."""
    last_decision_id: str = ""
    session_posts: int = 0
    """Posts of the session alone."""
    session_us: int = 0
    """Duration of the session, in microseconds."""

    @property
    def resumable(self) -> bool:
        """Whether something is left to do."""
        return self.ended not in {Ended.FINISHED, Ended.OPEN_QUOTE}

    @property
    def posts_per_second(self) -> float:
        """Posts of the session by its duration; 0 before any time has passed."""
        return self.session_posts * 1_000_000 / self.session_us if self.session_us else 0.0

    def count(self, entry: Entry) -> None:
        """Adds a batch that is done."""
        self.asked += entry.posts
        reasons = Counter(entry.reasons)
        self.released += reasons.pop(RELEASED, 0)
        self.denied.update(reasons)
        all_broken = [Broken(*broken) for broken in entry.broken]
        self.broken += sum(broken.lines for broken in all_broken)
        self.broken_named += all_broken[: MAX_BROKEN_NAMED - len(self.broken_named)]
        self.open_quote = next((broken for broken in all_broken if broken.never_closed), self.open_quote)
        self.waits += entry.waits
        if entry.decision_id:
            self.receipts += entry.round + 1
            self.rounds += entry.round
            self.last_decision_id = entry.decision_id

    def end_of_input(self) -> None:
        """Says that the whole input was read, and whether all of it could be."""
        if self.open_quote is None:
            self.end(Ended.FINISHED)
            return
        first, last = self.open_quote.line, self.open_quote.last_line
        self.end(
            Ended.OPEN_QUOTE,
            "OPEN_QUOTE",
            f"the file ends inside an open quote; lines {first}\u2013{last} could not be read as posts",
        )

    def end(self, ended: Ended, reason: str = "", message: str = "") -> None:
        """Says why the job ended."""
        self.ended, self.reason, self.message = ended, reason, message
