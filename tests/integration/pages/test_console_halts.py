"""The pages about halts: what is stopped, ordering one, and lifting it (C12)."""

import pytest

from services.console.operations.typed_texts import TOO_LONG, UNPRINTABLE
from sluice.consent.v1 import state_service_pb2
from sluice.consent.v1.halt_pb2 import Halt
from tests.support.consoles import a_console
from tests.support.pages import PageForm, Seen, Visitor
from tests.support.pages_licensing import SCRIPT, a_licensee, open_to_all, released
from tests.support.pages_world import PagesWorld

EVERYTHING = "/halts/order?kind=everything"


@pytest.fixture
async def licensed(world: PagesWorld) -> PagesWorld:
    """Acme, under whose license three posts can be released."""
    await open_to_all(world.cluster)
    await world.cluster.license()
    return world


async def halts(world: PagesWorld) -> list[Halt]:
    """All on record, newest first."""
    answer = await world.cluster.states("ListHalts", state_service_pb2.ListHaltsRequest())
    return list(answer.halts)


async def order(visitor: Visitor, address: str, cause: str = "An incident.") -> Seen:
    """Through the page that asks whether it is meant."""
    return await visitor.press(await visitor.get(address), "Order the halt", {"cause": cause})


async def test_c12_a_halt_ordered_on_the_page_denies_the_next_decision_until_it_is_lifted(
    licensed: PagesWorld,
) -> None:
    before = await released(licensed.cluster)

    async with licensed.operator() as (visitor, _):
        ordered = await order(visitor, EVERYTHING)
        during = await released(licensed.cluster)
        (halt,) = await halts(licensed)
        asked = await visitor.get(f"/halts/{halt.halt_id}/lift")
        lifted = await visitor.press(asked, "Lift the halt")

    assert (before, during, await released(licensed.cluster)) == (3, 0, 3)
    assert f"Halt {halt.halt_id} is ordered. It is in force everywhere after" in ordered.text
    assert f"Halt {halt.halt_id} has ended." in lifted.text
    assert (halt.cause, halt.recall, halt.ordered_by) == ("An incident.", False, "operator:ada")


@pytest.mark.parametrize(
    ("address", "said", "stops"),
    [
        (EVERYTHING, "No post is released to anybody, for any purpose.", True),
        ("/halts/order?kind=purpose&purpose=2", "No post is released for “Training of generative AI”", True),
        ("/halts/order?kind=purpose&purpose=1", "nor for any purpose that needs it", True),
        ("/halts/order?kind=purpose&purpose=7", "“Text and data mining”", False),
        ("/halts/order?kind=jurisdiction&jurisdiction=us", "a contributor of United States (US)", True),
        ("/halts/order?kind=jurisdiction&jurisdiction=DE", "Germany (DE)", False),
        ("/halts/order?kind=licensee&licensee=acme", "No post is released to the licensee acme", True),
    ],
)
async def test_c12_what_a_halt_covers_is_said_and_is_what_stops(
    licensed: PagesWorld, address: str, said: str, stops: bool
) -> None:
    async with licensed.operator() as (visitor, _):
        page = await visitor.get(address)
        await visitor.press(page, "Order the halt", {"cause": "An incident."})

    assert said in page.text
    assert await released(licensed.cluster) == (0 if stops else 3)


async def test_the_form_leads_to_the_page_that_asks_and_orders_nothing(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        filled = {"kind": "licensee", "licensee": "acme"}
        page = await visitor.press(await visitor.get("/halts"), "Show what it covers", filled)

    assert "No post is released to the licensee acme" in page.text
    assert await halts(licensed) == []


async def test_nothing_is_recalled_unless_it_is_asked_for(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        without = await visitor.get(EVERYTHING)
        with_recall = await visitor.get(f"{EVERYTHING}&recall=yes")
        await visitor.press(with_recall, "Order the halt", {"cause": "A court."})
        listed = await visitor.get("/halts")

    assert "nothing is recalled" in without.text
    assert "Lifting the halt later takes no recall back." in with_recall.text
    assert [halt.recall for halt in await halts(licensed)] == [True]
    assert "A court. Yes" in listed.text


async def test_a_form_that_is_sent_twice_orders_one_halt_and_lifts_it_once(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        page = await visitor.get(EVERYTHING)
        ordered = [await visitor.press(page, "Order the halt", {"cause": "Once."}) for _ in range(2)]
        (halt,) = await halts(licensed)
        asked = await visitor.get(f"/halts/{halt.halt_id}/lift")
        lifted = [await visitor.press(asked, "Lift the halt") for _ in range(2)]

    assert all(f"Halt {halt.halt_id} is ordered." in each.text for each in ordered)
    assert all(f"Halt {halt.halt_id} has ended." in each.text for each in lifted)


async def test_a_halt_that_somebody_else_has_lifted_is_said_to_have_ended(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        await order(visitor, EVERYTHING)
        (halt,) = await halts(licensed)
        asked = await visitor.get(f"/halts/{halt.halt_id}/lift")
        by_other = state_service_pb2.LiftHaltRequest(
            request_id=licensed.cluster.new_id(), halt_id=halt.halt_id
        )
        await licensed.cluster.states("LiftHalt", by_other)
        after = await visitor.press(asked, "Lift the halt")

    assert f"Nothing was done: halt {halt.halt_id} had ended already." in after.text


async def test_a_halt_needs_a_cause(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        page = await order(visitor, EVERYTHING, " ")

    assert page.status == 400
    assert "Say why: a halt needs a cause." in page.text
    assert await halts(licensed) == []


async def test_a_cause_may_have_as_many_characters_as_the_page_says_whatever_their_bytes(
    licensed: PagesWorld,
) -> None:
    cause = f"Größe\r\n{'ä' * 494}"

    async with licensed.operator() as (visitor, _):
        after = await order(visitor, EVERYTHING, cause)

    assert "is ordered." in after.text
    assert [halt.cause for halt in await halts(licensed)] == [cause.replace("\r\n", "\n")]


@pytest.mark.parametrize(
    ("cause", "said"),
    [("A leak. " + "ä" * 493, TOO_LONG), ("A leak. " * 1000, TOO_LONG), ("A leak. \f!", UNPRINTABLE)],
)
async def test_a_cause_that_cannot_be_kept_is_shown_again_with_what_is_wrong_with_it(
    licensed: PagesWorld, cause: str, said: str
) -> None:
    async with licensed.operator() as (visitor, _):
        page = await order(visitor, EVERYTHING, cause)
        after = await visitor.press(page, "Order the halt", {"cause": "A leak."})

    assert (page.status, said in page.text) == (400, True)
    assert f">{cause.strip()}</textarea>" in page.html
    assert "is ordered." in after.text


async def test_a_licensee_that_nobody_knows_is_pointed_out_and_holds_up_no_halt(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        page = await visitor.get("/halts/order?kind=licensee&licensee=acne")
        after = await visitor.press(page, "Order the halt", {"cause": "An incident."})

    assert "Licensing knows no such licensee" in page.text
    assert "is ordered" in after.text


async def test_a_code_that_no_country_has_is_pointed_out_and_holds_up_no_halt(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        page = await visitor.get("/halts/order?kind=jurisdiction&jurisdiction=UK")
        after = await visitor.press(page, "Order the halt", {"cause": "An incident."})

    assert "No country has this code (the United Kingdom is GB" in page.text
    assert "is ordered" in after.text


async def test_c12_a_halted_licensee_is_seen_to_be_halted_wherever_somebody_looks(
    licensed: PagesWorld,
) -> None:
    await a_licensee(licensed.cluster, "beta", "Beta")

    async with licensed.operator() as (visitor, _):
        page = await visitor.get("/licensees/acme")
        address = page.html.partition('href="/halts/order?')[2].partition('"')[0].replace("&amp;", "&")
        await order(visitor, f"/halts/order?{address}", SCRIPT)
        places = [await visitor.get(at) for at in ("/licensees/acme", "/licenses/acme-training")]
        listed, other = await visitor.get("/licenses"), await visitor.get("/licensees/beta")

    assert [halt.scope.licensee_id for halt in await halts(licensed)] == ["acme"]
    assert all("Halted: nothing is released to acme" in place.text for place in places)
    assert all(SCRIPT in place.text and "<script>alert" not in place.html for place in places)
    assert "Active Halted" in listed.text
    assert "Halted" not in other.text


async def test_c12_halts_of_a_purpose_are_told_on_the_pages_of_licensees(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        await order(visitor, "/halts/order?kind=purpose&purpose=2")
        pages = [await visitor.get(at) for at in ("/licensees/acme", "/licenses/acme-training")]

    assert all("Halts of purposes or countries are in force" in page.text for page in pages)


async def test_who_may_not_halt_is_offered_none(licensed: PagesWorld) -> None:
    async with licensed.operator("fay", ["finance"]) as (visitor, overview):
        licensee, listed = await visitor.get("/licensees/acme"), await visitor.get("/licenses")

    assert "/halts/order" not in overview.html + licensee.html
    assert "/licenses/acme-training/suspend" not in licensee.html + listed.html


async def test_the_first_page_and_the_lists_lead_to_halting_and_suspending(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, overview):
        listed = await visitor.get("/licenses")

    assert "As of" in overview.text
    assert 'href="/halts/order?kind=everything"' in overview.html
    assert 'href="/licenses?state=3"' in overview.html
    assert 'href="/licenses/acme-training/suspend"' in listed.html


async def test_a_form_that_was_carried_out_and_is_sent_with_another_cause_says_so(
    licensed: PagesWorld,
) -> None:
    async with licensed.operator() as (visitor, _):
        page = await visitor.get(EVERYTHING)
        await visitor.press(page, "Order the halt", {"cause": "A leak."})
        again = await visitor.press(page, "Order the halt", {"cause": "Another."})

    assert again.status == 409
    assert "This form has been carried out already" in again.text
    assert "Nothing was changed" not in again.text
    assert [halt.cause for halt in await halts(licensed)] == ["A leak."]


async def test_while_licensing_is_down_a_halt_is_ordered(licensed: PagesWorld) -> None:
    async with a_console(licensed, without=["licensing"]) as (visitor, _):
        page = await visitor.get("/halts/order?kind=licensee&licensee=acme")
        after = await visitor.press(page, "Order the halt", {"cause": "An incident."})

    assert "cannot be looked up at the moment" in page.text
    assert "is ordered" in after.text


async def test_while_consent_is_down_the_page_says_so_and_orders_nothing(licensed: PagesWorld) -> None:
    async with a_console(licensed, without=["consent"]) as (other, _):
        read = await other.get("/halts")
        form = (await other.get(EVERYTHING)).form("Order the halt")
        sent = await other.send(form, {**form.fields, "cause": "An incident."})

    assert read.status == sent.status == 503
    assert "A service cannot be reached at the moment" in read.text
    assert await halts(licensed) == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "kind=nonsense",
        "kind=purpose",
        "kind=purpose&purpose=99",
        "kind=jurisdiction&jurisdiction=Germany",
        "kind=licensee",
        "kind=licensee&licensee=everyone",
        "kind=licensee&licensee=%3Cscript%3Ealert(1)%3C/script%3E",
    ],
)
async def test_what_cannot_be_halted_is_pointed_out(licensed: PagesWorld, query: str) -> None:
    async with licensed.operator() as (visitor, _):
        page = await visitor.get(f"/halts/order?{query}")

    assert page.status == 400
    assert 'class="fault" role="alert"' in page.html
    assert "<script>alert" not in page.html


@pytest.mark.parametrize("id", ["1", "0", "x", "-1", "9" * 19, "99999999999999999999", "%00"])
async def test_a_halt_that_is_not_in_force_is_a_page_that_is_not_there(licensed: PagesWorld, id: str) -> None:
    async with licensed.operator() as (visitor, _):
        page = await visitor.get(f"/halts/{id}/lift")

    assert page.status == 404


async def test_a_role_that_may_order_no_halt_is_told_so(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _), licensed.operator("fay", ["finance"]) as (other, _):
        form = (await visitor.get(EVERYTHING)).form("Order the halt")
        listed, page = await other.get("/halts"), await other.get(EVERYTHING)
        sent = await other.send(PageForm("/halts/order", "post"), {**form.fields, "cause": "An incident."})

    assert "This is not open to your roles." in listed.text
    assert "It is open to: admin, legal, trust." in page.text
    assert sent.status == 409
    assert await halts(licensed) == []


async def test_a_cause_with_script_in_it_is_text(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        page = await order(visitor, EVERYTHING, SCRIPT)

    assert SCRIPT in page.text
    assert "<script>alert" not in page.html


async def test_halts_that_have_ended_are_shown_where_they_are_asked_for(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        await order(visitor, EVERYTHING, "Long ago.")
        (halt,) = await halts(licensed)
        await visitor.press(await visitor.get(f"/halts/{halt.halt_id}/lift"), "Lift the halt")
        in_force, everything = await visitor.get("/halts"), await visitor.get("/halts?show=all")

    assert "No halt is in force." in in_force.text
    assert "Long ago." not in in_force.text
    assert "Long ago." in everything.text
