"""What the page of a subject says in sentences: how it stands, why, and what a change came to.

Each is a whole sentence of its own: languages put what depends on another in another order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.console.settings_page.switches import EVERYONE, TRAINING, Switch
from services.console.settings_page.wishes import Wish
from services.console.web.reading import Reader, instant, msgid
from services.console.web.telling import moment_in
from services.console.web.words import OWN_REASONS, PURPOSES, word
from sluice.consent.v1 import choice_pb2, reason_pb2, standing_pb2
from sluice.consent.v1 import consent_service_pb2 as pb

SAID_NO: Mapping[int, str] = {
    choice_pb2.CHOICE_METHOD_OPERATOR: msgid("You said no, and the platform put it on record for you."),
    choice_pb2.CHOICE_METHOD_IMPORT: msgid("You said no; that was taken over from another system."),
    choice_pb2.CHOICE_METHOD_SIGNAL_GPC: msgid("Your browser said no for you (Global Privacy Control)."),
    choice_pb2.CHOICE_METHOD_SIGNAL_AIPREF: msgid(
        "A preference that was sent along said no for you (AIPREF)."
    ),
    choice_pb2.CHOICE_METHOD_AGENT: msgid("Your agent said no for you."),
}
"""How a no was said, where it was not said on this page."""
YES_TO_ALL = msgid("Your yes is on record, for everyone: %(about)s.")
YES_TO_ONE = msgid("Your yes is on record, for %(licensee)s: %(about)s.")
NO_TO_ALL = msgid(
    "Your no is on record, for everyone: %(about)s. It is in force from %(moment)s; permits that were given"
    " before may be used until then."
)
NO_TO_ONE = msgid(
    "Your no is on record, for %(licensee)s: %(about)s. It is in force from %(moment)s; permits that were"
    " given before may be used until then."
)
CHANGED = msgid(
    "Nothing was changed: how it stands has changed since you looked. Look at how it stands now, and choose"
    " again."
)
SIGNAL_KEPT = msgid(
    "The no of your browser is on record. It is in force from %(moment)s; permits that were given before may"
    " be used until then."
)
SIGNAL_KNOWN = msgid(
    "The signal of your browser was on record before, so nothing was changed. To say no again, use the"
    " switches."
)


@dataclass(frozen=True)
class Grounds:
    """Why it stands as it does with some purposes."""

    uses: str
    """The names of the purposes."""
    is_allowed: bool
    said: tuple[str, ...]


@dataclass(frozen=True)
class Speaker:
    """Says what stands, to one reader."""

    reader: Reader
    choices: Sequence[choice_pb2.RecordedChoice]
    """Those that still matter: one of them may be what decided."""

    def headline(self, training: Switch) -> str:
        """How it stands for AI training, in one sentence."""
        if training.is_withheld:
            return self.reader.say("Your posts may not be used to train AI where they are withheld.")
        if not training.is_on:
            return self.reader.say("Your posts may not be used to train AI.")
        if training.is_whole:
            return self.reader.say("Your posts may be used to train AI.")
        return self.reader.say(
            "Your posts may be used to train AI, but not by everyone or not for everything."
        )

    def state(self, switch: Switch) -> str:
        """The same of any switch, in a word or two."""
        if switch.is_withheld:
            return self.reader.say("Not allowed where withheld")
        if not switch.is_on:
            return self.reader.say("Not allowed")
        return self.reader.say("Allowed") if switch.is_whole else self.reader.say("Allowed in part")

    def grounds(self, switch: Switch) -> tuple[Grounds, ...]:
        """Why, with purposes of which the same is true put together, in the order of the purposes."""
        found: dict[tuple[str, ...], list[standing_pb2.PurposeStanding]] = {}
        for each in switch.own:
            found.setdefault(self.why(each), []).append(each)
        return tuple(
            Grounds(self._named(each.purpose for each in alike), _is_allowed(alike[0]), said)
            for said, alike in found.items()
        )

    def why(self, standing: standing_pb2.PurposeStanding) -> tuple[str, ...]:
        """Why a purpose is allowed or denied."""
        if _is_allowed(standing):
            return (self._allowed(standing),)
        if not standing.denied_by_purpose:
            return (self._denied(standing),)
        needed = word(self.reader, PURPOSES, standing.denied_by_purpose)
        needs = self.reader.say("This needs “%(purpose)s” as well, and that is not allowed.", purpose=needed)
        return (needs, self._denied(standing))

    def about(self, wish_or_switch: Wish | Switch) -> str:
        """What it is about: AI training, all uses, or purposes by their names."""
        purposes = wish_or_switch.purposes
        if wish_or_switch.all_purposes:
            return self.reader.say("All uses")
        if purposes == TRAINING:
            return self.reader.say("AI training")
        return self._named(purposes)

    def recorded(self, wish: Wish, in_force_after: datetime) -> str:
        """What was put on record, and when it is in force everywhere (C9)."""
        if wish.allows:
            said = YES_TO_ALL if wish.licensee == EVERYONE else YES_TO_ONE
        else:
            said = NO_TO_ALL if wish.licensee == EVERYONE else NO_TO_ONE
        moment = moment_in(in_force_after)
        return self.reader.say(said, about=self.about(wish), licensee=wish.licensee, moment=moment)

    def changed(self) -> str:
        """That a yes was not carried out: it was one to something else."""
        return self.reader.say(CHANGED)

    def kept(self, answer: pb.RecordSignalsResponse) -> str:
        """What became of the signal of the reader's browser."""
        moment = moment_in(instant(answer.in_force_after))
        return self.reader.say(SIGNAL_KEPT if answer.recorded else SIGNAL_KNOWN, moment=moment)

    def _named(self, purposes: Iterable[int]) -> str:
        return ", ".join(word(self.reader, PURPOSES, purpose) for purpose in purposes)

    def _allowed(self, standing: standing_pb2.PurposeStanding) -> str:
        if standing.by_choice:
            return self.reader.say("You said yes.")
        return self.reader.say("Where you live it needs no yes, and you have not said no.")

    def _denied(self, standing: standing_pb2.PurposeStanding) -> str:
        deciding = (each for each in self.choices if each.revision == standing.record_revision)
        record = next(deciding, None) if standing.by_choice else None
        if record is not None and record.choice.method in SAID_NO:
            return self.reader.say(SAID_NO[record.choice.method])
        return word(self.reader, OWN_REASONS, standing.reason)


def _is_allowed(standing: standing_pb2.PurposeStanding) -> bool:
    return standing.reason == reason_pb2.CONSENT_REASON_ALLOWED
