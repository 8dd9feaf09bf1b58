"""What a reader is told when a form is stale, a session lost, a service down, or a page broken."""

import pytest
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from services.chassis.refusals import Kind, Refusal, exhausted, unavailable
from services.console.web.failing import STATUSES
from tests.support.clock import NOON_US, ManualClock
from tests.support.pages import ORIGIN, PageForm, Seen, Visitor
from tests.support.small_pages import HOUR_US, SmallPages, a_session, small_pages

HALTS = PageForm("/halts", "post")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def pages(clock: ManualClock) -> SmallPages:
    return small_pages(clock)


def _field(pages: SmallPages, **changes: str) -> str:
    return pages.page.forms.field(a_session(**changes), "halt", {"halts": 0})


async def _sent(visitor: Visitor, form: str) -> Seen:
    """The form, sent from the second page of halts."""
    visitor.http.headers["referer"] = f"{ORIGIN}/halts?page=2"
    return await visitor.send(HALTS, {"form": form})


async def test_a_form_is_carried_out_and_its_outcome_shown_once(pages: SmallPages) -> None:
    async with pages.visitor(a_session()) as visitor:
        after = await _sent(visitor, _field(pages))
        again = await visitor.get("/halts")

    assert "Halted." in after.text
    assert "Halted." not in again.text


async def test_what_one_has_done_is_not_told_to_whoever_signs_in_next(pages: SmallPages) -> None:
    async with pages.visitor(a_session()) as visitor:
        await visitor.http.post(
            "/halts", data={"form": _field(pages)}, headers={"origin": ORIGIN}, follow_redirects=False
        )
        told = visitor.http.cookies.get(pages.page.cookie("told"))
    async with pages.visitor(a_session(id="another sign-in")) as next_one:
        next_one.http.cookies.set(pages.page.cookie("told"), told or "")
        seen = await next_one.get("/halts")

    assert told
    assert "Halted." not in seen.text


async def test_a_form_of_an_earlier_sign_in_changes_nothing_and_leads_back_to_its_page(
    pages: SmallPages,
) -> None:
    async with pages.visitor(a_session(id="a later sign-in")) as visitor:
        page = await _sent(visitor, _field(pages))

    assert page.status == 409
    assert "This form is out of date Nothing was changed." in page.text
    assert 'href="/halts?page=2"' in page.html


async def test_a_form_of_yesterday_changes_nothing(pages: SmallPages, clock: ManualClock) -> None:
    form = _field(pages)
    clock.advance(12 * HOUR_US + 1_000_000)

    async with pages.visitor(a_session(expires_us=NOON_US + 24 * HOUR_US)) as visitor:
        page = await _sent(visitor, form)

    assert "FORM_STALE" in page.text


async def test_a_form_that_is_sent_after_the_session_has_ended_leads_back_to_its_page(
    pages: SmallPages, clock: ManualClock
) -> None:
    async with pages.visitor(a_session()) as visitor:
        form = _field(pages)
        clock.advance(HOUR_US)
        page = await _sent(visitor, form)
        sign_in = await visitor.get("/sign-in?next=/halts%3Fpage%3D2")

    assert page.status == 401
    assert "Nothing was changed." in page.text
    assert 'href="/sign-in?next=/halts%3Fpage%3D2"' in page.html
    assert sign_in.status == 200


async def test_a_page_that_another_site_names_as_its_own_is_not_led_back_to(pages: SmallPages) -> None:
    async with pages.visitor(a_session(id="a later sign-in")) as visitor:
        visitor.http.headers["referer"] = f"{ORIGIN}.evil.example/halts"
        elsewhere = await visitor.send(HALTS, {"form": _field(pages)})
        visitor.http.headers["referer"] = f"{ORIGIN}//evil.example/"
        slashes = await visitor.send(HALTS, {"form": _field(pages)})

    assert "evil" not in elsewhere.html + slashes.html


async def test_a_page_that_is_asked_for_without_a_session_is_come_back_to(pages: SmallPages) -> None:
    async with pages.visitor() as visitor:
        page = await visitor.get("/halts?page=2")

    assert page.url == f"{ORIGIN}/sign-in?next=/halts%3Fpage%3D2"


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.UNAUTHENTICATED}, key=str))
async def test_each_refusal_of_a_form_is_a_page_that_says_nothing_was_changed(
    pages: SmallPages, kind: Kind
) -> None:
    pages.raises.append(Refusal(kind, "SOME_REASON", "for programs"))

    async with pages.visitor(a_session()) as visitor:
        page = await _sent(visitor, _field(pages))

    assert page.status == STATUSES[kind]
    assert "Nothing was changed." in page.text
    assert "SOME_REASON" in page.text


async def test_a_form_that_was_carried_out_before_with_another_content_says_so(pages: SmallPages) -> None:
    pages.raises.append(Refusal(Kind.ALREADY_EXISTS, "REQUEST_ID_REUSED", "for programs"))

    async with pages.visitor(a_session()) as visitor:
        page = await _sent(visitor, _field(pages))

    assert "This form has been carried out already" in page.text
    assert "Nothing was changed." not in page.text


@pytest.mark.parametrize(
    ("reason", "extra"), [("PARQUET_MISSING", "sluice[parquet]"), ("PLOT_MISSING", "sluice[plot]")]
)
async def test_what_is_not_installed_is_said_with_how_to_install_it(
    pages: SmallPages, reason: str, extra: str
) -> None:
    pages.raises.append(Refusal(Kind.PRECONDITION, reason, "for programs"))

    async with pages.visitor(a_session()) as visitor:
        page = await _sent(visitor, _field(pages))

    assert "Something that this needs is not installed" in page.text
    assert f"pip install {extra}" in page.text


@pytest.mark.parametrize(
    "reason",
    ["PEER_UNAVAILABLE", "COMMIT_UNKNOWN", "DEADLINE_TOO_SHORT", "GATEWAY_UNAVAILABLE", "GATEWAY_TIMEOUT"],
)
async def test_a_form_that_nobody_answered_says_that_its_outcome_is_not_known(
    pages: SmallPages, reason: str
) -> None:
    pages.raises.append(unavailable(reason, "consent did not answer"))

    async with pages.visitor(a_session()) as visitor:
        page = await _sent(visitor, _field(pages))

    assert page.status == 503
    assert "it is not known whether your change was taken" in page.text
    assert "Nothing was changed" not in page.text


@pytest.mark.parametrize("error", [unavailable("PEER_UNAVAILABLE", "no answer"), KeyError("a defect")])
async def test_a_form_that_may_have_been_carried_out_is_sent_again_as_it_was_by_one_button(
    pages: SmallPages, error: Exception
) -> None:
    pages.raises.append(error)

    async with pages.visitor(a_session()) as visitor:
        page = await visitor.send(HALTS, {"form": _field(pages), "cause": '"a<b>" & ü'})
        fields = page.form("Send the form once more").fields
        after = await visitor.press(page, "Send the form once more")

    assert fields["cause"] == '"a<b>" & ü'
    assert "<b>" not in page.html
    assert "Halted." in after.text


async def test_a_form_that_was_not_carried_out_has_no_such_button(pages: SmallPages) -> None:
    pages.raises.append(exhausted("OVERLOADED", "later", retry_after_us=1))

    async with pages.visitor(a_session()) as visitor:
        page = await _sent(visitor, _field(pages))

    assert "Send the form once more" not in page.html


async def test_too_much_at_once_says_when_to_come_back(pages: SmallPages) -> None:
    pages.raises.append(exhausted("TOO_MANY_CALLS", "later", retry_after_us=1_000_001))

    async with pages.visitor(a_session()) as visitor:
        page = await _sent(visitor, _field(pages))

    assert page.status == 429
    assert page.headers["retry-after"] == "2"
    assert "Too many requests: wait a moment" in page.text
    assert "Nothing was changed." in page.text


async def test_what_does_not_say_when_to_come_back_is_asked_again_in_a_second(pages: SmallPages) -> None:
    pages.raises.append(Refusal(Kind.EXHAUSTED, "GATEWAY_RATE_LIMITED", "too many calls"))
    pages.raises.append(unavailable("PEER_UNAVAILABLE", "no answer"))

    async with pages.visitor(a_session()) as visitor:
        too_many, down = [await _sent(visitor, _field(pages)) for _ in range(2)]

    assert too_many.headers["retry-after"] == "1"
    assert "retry-after" not in down.headers


async def test_the_text_of_a_defect_reaches_nobody(pages: SmallPages) -> None:
    pages.raises.append(KeyError("a secret"))

    with capture_logs() as logged:
        async with pages.visitor(a_session()) as visitor:
            page = await _sent(visitor, _field(pages))

    assert page.status == 500
    assert "INTERNAL" in page.text
    assert [each["event"] for each in logged] == ["a page could not be made"]
    assert "secret" not in page.html


async def test_a_page_of_failure_that_fails_itself_is_still_an_answer(clock: ManualClock) -> None:
    pages = small_pages(clock)
    facts: list[object] = []
    object.__setattr__(pages.page, "facts", lambda _request: facts[0])

    with capture_logs() as logged:
        async with pages.visitor(a_session()) as visitor:
            page = await _sent(visitor, _field(pages, id="of another"))

    assert page.status == 500
    assert "not known whether anything was changed" in page.html
    assert logged[-1]["event"] == "a page of failure could not be made"
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_a_session_goes_on_when_its_keys_are_rotated(clock: ManualClock) -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    before, after = small_pages(clock, [old]), small_pages(clock, [new, old])

    async with before.visitor(a_session()) as visitor:
        cookies = dict(visitor.http.cookies)
    async with after.visitor() as visitor:
        visitor.http.cookies.update(cookies)
        page = await _sent(visitor, _field(before))

    assert "Halted." in page.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("POST", "/nowhere", 404),
        ("DELETE", "/halts", 405),
        ("OPTIONS", "/halts", 405),
        ("BREW", "/halts", 405),
        ("POST", "/assets/style.css", 405),
        ("GET", "/assets/nothing.css", 404),
        ("GET", "/assets/", 404),
        ("GET", "/assets/%2e%2e/page.py", 404),
        ("GET", "/assets/..%2fpage.py", 404),
        ("GET", "/assets//etc/passwd", 404),
        ("GET", "/assets/%5c..%5cpage.py", 404),
        ("GET", "/openapi.json", 404),
        ("GET", "/docs", 404),
    ],
)
async def test_what_is_not_there_is_a_page_that_says_so(
    pages: SmallPages, method: str, path: str, status: int
) -> None:
    async with pages.visitor(a_session()) as visitor:
        answer = await visitor.http.request(method, path, headers={"origin": ORIGIN})

    assert answer.status_code == status
    assert "import" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert (status != 405) or "GET" in answer.headers["allow"]


async def test_an_address_with_two_slashes_is_no_link_to_elsewhere(pages: SmallPages) -> None:
    async with pages.visitor(a_session()) as visitor:
        answer = await visitor.http.get(f"{ORIGIN}//evil.example/halts")

    assert answer.status_code == 404
    assert "evil" not in answer.text


async def test_head_answers_as_get_would_and_without_content(pages: SmallPages) -> None:
    async with pages.visitor(a_session()) as visitor:
        got, head = await visitor.http.get("/halts"), await visitor.http.head("/halts")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("sent", [{}, {"form": ""}, {"form": "x" * 5_000}, {"other": "1"}])
async def test_a_form_without_its_field_changes_nothing(pages: SmallPages, sent: dict[str, str]) -> None:
    async with pages.visitor(a_session()) as visitor:
        page = await visitor.send(HALTS, sent)

    assert page.status in {400, 409}
    assert "Nothing was changed." in page.text


async def test_a_form_of_very_many_fields_changes_nothing(pages: SmallPages) -> None:
    async with pages.visitor(a_session()) as visitor:
        page = await visitor.send(HALTS, {**{str(number): "" for number in range(1_001)}, "form": "x"})

    assert page.status == 400
    assert "Nothing was changed." in page.text
