"""The page of a subject as its template takes it: made from what the services say, and from nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from services.console.settings_page.outlook import Outlook
from services.console.settings_page.switches import (
    TRAINING,
    Board,
    Offers,
    Switch,
    board_of_everyone,
    board_of_licensee,
)
from services.console.settings_page.texts import Text, Texts
from services.console.settings_page.wishes import Wish
from services.console.web.asking import Missing
from sluice.consent.v1 import choice_pb2, policy_pb2, standing_pb2
from sluice.licensing.v1 import contract_service_pb2 as contract_pb

LARGEST_PAGE = 40
"""Licensees; a choice may name 128 to whom no license goes, beside those that licensing lists."""
ALL = "everyone"
"""In the address of the page, in the place of a licensee; the contract keeps it from being one."""


@dataclass(frozen=True)
class Place:
    """Where in the page the reader is."""

    token: str = ""
    """Of the list of licensees; empty for its first page."""
    after: str = ""
    """The last licensee of the page before."""
    opened: str = ""
    """Whose finer switches are unfolded: a licensee, or ALL."""

    def fields(self, opened: str = "") -> dict[str, str]:
        """As values of an address, with these switches unfolded."""
        told = {"page": self.token, "after": self.after, "open": opened or self.opened}
        return {name: value for name, value in told.items() if value}

    def path(self, opened: str = "") -> str:
        """The address of the page, with these switches unfolded."""
        query = urlencode(self.fields(opened))
        return f"/?{query}" if query else "/"


@dataclass(frozen=True)
class Control:
    """A switch, with what its forms carry."""

    id: str
    """Of its switch within the page: where a reader is again after pressing it."""
    switch: Switch
    offers: Offers
    yes: Mapping[str, str]
    """Values of the address of the page where a yes is said, under its notice (C1)."""
    no: dict[str, Any]
    """Sealed into a form that denies."""


@dataclass(frozen=True)
class Controls:
    """The switches for everyone, or for one licensee."""

    name: str
    """Of the licensee, for people; "" of everyone."""
    licensee: str
    recipient: contract_pb.Recipient | None
    """None where licensing does not name it among those who may receive posts, or was not to be asked."""
    training: Control
    everything: Control
    by_purpose: tuple[Control, ...]

    @property
    def trains(self) -> bool:
        """Whether a license of theirs covers AI training."""
        return self.recipient is not None and any(each in TRAINING for each in self.recipient.purposes)


@dataclass(frozen=True)
class Document:
    """A version of the policy, with its texts where they are here."""

    policy: policy_pb2.Policy
    text: Text | None
    notice: Text | None
    """The one that the reader is shown."""
    local: tuple[policy_pb2.PolicyRule, ...]
    """Its rules about where the reader lives, the country's first."""


@dataclass(frozen=True)
class View:
    """What the template shows."""

    outlook: Outlook
    everyone: Controls
    licensees: tuple[Controls, ...]
    next_page: str
    """Address of the next page of licensees; empty on the last."""
    in_force: Document | None
    announced: tuple[Document, ...]
    place: Place
    signal_on_record: bool
    """Whether a no of the browser (GPC) is among the choices that still matter."""

    @property
    def lacks_list(self) -> bool:
        """Whether licensing did not say who may receive posts: then those are shown whom others name."""
        return isinstance(self.outlook.recipients, Missing)


def view_of(outlook: Outlook, texts: Texts, language: str, place: Place) -> View:
    """The page, for a reader of this language (as in `Reader.language`)."""
    standing, choices = outlook.standing, outlook.choices.choices
    in_force = _document(outlook.policies.in_force, outlook, texts, language)
    making = _Making(in_force is not None and in_force.notice is not None, place)
    everyone = board_of_everyone(standing, choices)
    known = {} if isinstance(outlook.recipients, Missing) else _by_id(outlook.recipients)
    found, next_page = _of_this_page(outlook, place)
    boards = [board_of_licensee(each, choices) for each in found]
    announced = (_document(each, outlook, texts, language) for each in outlook.policies.announced)
    return View(
        outlook=outlook,
        everyone=making.controls(everyone, None),
        licensees=tuple(making.controls(board, known.get(board.licensee)) for board in boards),
        next_page=next_page,
        in_force=in_force,
        announced=tuple(each for each in announced if each is not None),
        place=place,
        signal_on_record=any(each.choice.method == choice_pb2.CHOICE_METHOD_SIGNAL_GPC for each in choices),
    )


def switch_id(switch: Switch) -> str:
    """Of a switch within the page, whatever it shows: one for training, one for all, one for each use."""
    whose = switch.licensee or ALL
    if switch.all_purposes:
        return f"{whose}-all"
    # Those of single uses have one each; the one for training has all of its uses.
    return f"{whose}-{switch.purposes[0] if len(switch.purposes) == 1 else 'training'}"


@dataclass(frozen=True)
class _Making:
    """What all switches of one page are made with."""

    can_allow: bool
    place: Place

    def controls(self, board: Board, recipient: contract_pb.Recipient | None) -> Controls:
        opened = board.licensee or ALL
        called = board.licensee if recipient is None else recipient.display_name or board.licensee
        return Controls(
            name=called,
            licensee=board.licensee,
            recipient=recipient,
            training=self._control(board.training, ""),
            everything=self._control(board.everything, opened),
            by_purpose=tuple(self._control(each, opened) for each in board.by_purpose),
        )

    def _control(self, switch: Switch, opened: str) -> Control:
        uses = ",".join(map(str, switch.purposes))
        where = f"{self.place.path(opened)}#{switch_id(switch)}"
        return Control(
            switch_id(switch),
            switch,
            switch.offers(can_allow=self.can_allow),
            {"licensee": switch.licensee, "uses": uses, **self.place.fields(opened)},
            Wish.no(switch, where).sealed(),
        )


def _of_this_page(outlook: Outlook, place: Place) -> tuple[Sequence[standing_pb2.LicenseeStanding], str]:
    """Whom this page of licensees is about, by id, and the address of the next page; empty on the last.

    Licensing pages those who may receive posts by id; whoever else is named stands in the order among them,
    on one page alone.
    """
    following = _following(outlook.recipients, place.after)
    found = [
        each
        for each in outlook.standing.licensees
        if each.licensee_id > place.after and (following is None or each.licensee_id <= following.after)
    ]
    if len(found) > LARGEST_PAGE:
        found = found[:LARGEST_PAGE]
        following = Place(place.token, found[-1].licensee_id)
    return found, "" if following is None else following.path()


def _following(recipients: contract_pb.ListRecipientsResponse | Missing, after: str) -> Place | None:
    """Where licensing goes on with its list, after the last licensee of this page; None of the last page."""
    if isinstance(recipients, Missing) or not recipients.next_page_token:
        return None
    last = max(after, *(each.licensee_id for each in recipients.recipients), "")
    return Place(recipients.next_page_token, last)


def _by_id(recipients: contract_pb.ListRecipientsResponse) -> dict[str, contract_pb.Recipient]:
    return {each.licensee_id: each for each in recipients.recipients}


def _document(
    policy: policy_pb2.Policy | None, outlook: Outlook, texts: Texts, language: str
) -> Document | None:
    if policy is None:
        return None
    lives_in = outlook.choices.subject.jurisdiction
    places = (lives_in.partition("-")[0], lives_in)
    local = [rule for rule in policy.rules if rule.jurisdiction in places]
    return Document(
        policy,
        texts.find(policy.text_digest),
        texts.notice(policy.notice_digests, language),
        tuple(sorted(local, key=lambda rule: (len(rule.jurisdiction), rule.purpose))),
    )
