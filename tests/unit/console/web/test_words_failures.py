"""What readers are told of why something did not work."""

import pytest
from cryptography.fernet import Fernet

from services.chassis.refusals import Kind, Refusal
from services.console.settings_page.words_failures import OWN_WHY
from services.console.web.words_failures import WHY
from tests.support.clock import NOON_US, ManualClock
from tests.support.pages import PageForm
from tests.support.small_pages import a_session, small_pages


@pytest.mark.parametrize("reason", sorted(WHY))
async def test_a_page_of_failure_says_why_in_a_sentence(reason: str) -> None:
    clock = ManualClock(NOON_US)
    pages = small_pages(clock, [Fernet.generate_key()])
    pages.raises.append(Refusal(Kind.EXHAUSTED, reason, "a text for programs"))
    field = pages.page.forms.field(a_session(), "halt", {"halts": 0})

    async with pages.visitor(a_session()) as visitor:
        page = await visitor.send(PageForm("/halts", "post"), {"form": field})

    assert WHY[reason] in page.text
    assert reason in page.text
    assert "a text for programs" not in page.text


def test_every_why_is_a_sentence_and_words_for_all_stay_those_of_a_subject() -> None:
    assert all(said[0] in "“ABCDEFGHIJKLMNOPQRSTUVWXYZ" and said.endswith(".") for said in OWN_WHY.values())
    assert {reason: OWN_WHY[reason] for reason in WHY} == WHY
