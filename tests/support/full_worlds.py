"""Worlds in which every page has something to show, and the addresses that no link leads to."""

from sluice.consent.v1 import choice_pb2, policy_pb2
from tests.support.choosing_pages import a_policy, an_informed, say
from tests.support.cluster import DAY_US, a_post
from tests.support.oversight import Recalls, an_assessment, disputed, propose, resolve
from tests.support.pages_licensing import a_draft, a_licensee, a_price, invoiced
from tests.support.pages_world import PagesWorld

ME = 7
OF_SUBJECT = ["/received", "/data/kantara", "/nowhere", "/?page=x", "/history?page=x", "/sign-in"]
"""Pages that no link leads to, and some that cannot be made."""
OF_AGENT = ["/agent?page=x"]
OF_OPERATOR = [
    *(
        "/decisions?by=day",
        "/decisions?since=x",
        "/decisions?license=%20x&outcome=9",
        "/decisions/find?q=x",
        "/decisions/find?q=1",
    ),
    *("/licenses?state=9", "/licensees?page=x", "/revenue?from=x", "/revenue?from=2026-02&to=2026-01"),
    *("/halts?show=all", "/halts/order", "/halts/order?kind=everything&recall=yes"),
    *("/halts/order?kind=purpose&purpose=2", "/halts/order?kind=jurisdiction&jurisdiction=US-CA"),
    *("/halts/order?kind=licensee&licensee=nobody", "/halts/order?kind=jurisdiction&jurisdiction=x"),
    *("/wall/raise", "/wall/raise?hours=24&tier=1&tier=3", "/wall/lower"),
    *("/log/consistency?first=1&second=2", "/log/consistency?first=x", "/log/consistency?first=9&second=2"),
    *("/recalls?which=soon", "/recalls?which=all", "/recalls?which=x", "/recalls/gaps"),
    *("/damages?kind=group&id=x", "/actions?operator=ada", "/actions?since=x", "/nowhere"),
]


async def on_record(world: PagesWorld) -> None:
    """Choices, licenses, releases, halts and the wall."""
    cluster = world.cluster
    await cluster.license()
    await a_policy(cluster, policy_pb2.REGIME_OPT_OUT, {5: policy_pb2.REGIME_OPT_IN})
    await an_informed(cluster, ME)
    await cluster.license("in-euro", price=a_price())
    await cluster.decide([a_post(101, ME), a_post(102, ME), a_post(103, 8)])
    await invoiced(cluster, "in-euro")
    await a_licensee(cluster, "birch", "Birch")
    await a_draft(cluster, "birch-draft", "birch")
    await cluster.suspend("in-euro")
    await say(cluster, choice_pb2.STANCE_DENY, licensee_id="birch")
    await a_policy(cluster, policy_pb2.REGIME_PROHIBITED, in_us=DAY_US)
    async with world.operator() as (visitor, _):
        page = await visitor.get("/halts/order?kind=jurisdiction&jurisdiction=US-CA&recall=yes")
        await visitor.press(page, "Order the halt", {"cause": "-"})
        page = await visitor.get("/wall/raise?hours=24&tier=1&tier=2")
        await visitor.press(page, "Raise the wall", {"reason": "-"})


async def overseen(world: PagesWorld) -> None:
    """Recalls and damages."""
    recalls = await Recalls.begin(world.cluster)
    ended = [recalls.issue(days) for days in (20, 2, -3, 10)][-1]
    await resolve(world.cluster, ended, "Done.", outcome=4)
    await propose(world.cluster, await disputed(world.cluster), kind=4)
    await an_assessment(world.cluster, "beta", jurisdiction="DE")
