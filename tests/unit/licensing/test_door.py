"""Who comes in at the gateway, and what the platform's content is open to."""

from dataclasses import replace

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from services.console.gateway.routes import contracts, routes
from services.licensing.admitting import Admitted
from services.licensing.domain.doors.networks import network_of
from services.licensing.domain.doors.walls import Tier
from services.licensing.domain.licenses import LicenseState
from services.licensing.domain.terms import Template
from services.licensing.rpc.admissions import BEHIND_THE_GATEWAY
from tests.support.clock import NOON_US
from tests.support.doors import GET_TOKEN, LIST_LICENSES, SECOND_US, Gate, a_call, a_change, a_read
from tests.support.licensing import DAY_US, a_license

NETWORK = network_of("203.0.113.9")
OUTSIDE = ["licensee", "subject", "agent", "operator", "auditor"]
SUSPEND = "/sluice.licensing.v1.ContractService/SuspendLicense"
USAGE = "/sluice.metering.v1.UsageService/QueryUsage"


@pytest.fixture
def gate() -> Gate:
    return Gate()


async def reason(gate: Gate, *args: str, **changes: str) -> str:
    with pytest.raises(Refusal) as refused:
        await gate.door.admit(a_call(*args, **changes))
    return refused.value.reason


async def test_a_known_caller_of_an_rpc_that_admits_them_is_named_to_all_that_follows(gate: Gate) -> None:
    admitted = await gate.door.admit(a_call(USAGE, "licensee:acme"))

    assert admitted == Admitted("licensee", "acme", USAGE, "known")
    assert (await gate.door.admit(a_call(LIST_LICENSES, "sandbox+licensee:acme"))).tier == "sandbox"
    assert gate.books.reads == 0


async def test_an_rpc_for_strangers_asks_nobody_who_they_are(gate: Gate) -> None:
    admitted = await gate.door.admit(a_call(GET_TOKEN, "nonsense"))

    assert admitted == Admitted("stranger", "", GET_TOKEN, "stranger", NETWORK)


def test_all_that_the_gateway_leads_to_licensing_and_metering_is_known_behind_it() -> None:
    led = {route.path for route in routes(contracts()) if route.upstream in {"licensing", "metering"}}

    assert "/sluice.metering.v1.ActionService/ListActions" in led
    assert led - set(BEHIND_THE_GATEWAY) == set()


@pytest.mark.parametrize("kind", list(PrincipalKind))
async def test_every_rpc_admits_from_outside_whom_its_contract_admits_and_no_pipeline_and_no_service(
    gate: Gate, kind: PrincipalKind
) -> None:
    for method, admission in BEHIND_THE_GATEWAY.items():
        if admission.anyone:
            continue
        # With every role, and under the one name that services are admitted by.
        call = a_call(method, f"{kind}:licensing:trust,legal,finance,admin")
        if kind in admission.kinds and kind in OUTSIDE:
            assert (await gate.door.admit(call)).kind == kind
            continue
        with pytest.raises(Refusal) as refused:
            await gate.door.admit(call)
        is_open = admission.kinds & set(OUTSIDE)
        assert refused.value.reason == ("NOT_ADMITTED" if is_open else "ROUTE_UNKNOWN"), method


async def test_an_operator_needs_a_role_that_the_rpc_names(gate: Gate) -> None:
    assert await reason(gate, SUSPEND, "operator:fin:finance") == "NOT_ADMITTED"
    assert (await gate.door.admit(a_call(SUSPEND, "operator:ada:legal"))).party == "ada"


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "/",
            "*",
            LIST_LICENSES.lower(),
            LIST_LICENSES.upper(),
            LIST_LICENSES + "/",
            LIST_LICENSES + "?x=1",
        ),
        *(
            LIST_LICENSES + "#x",
            "/" + LIST_LICENSES,
            LIST_LICENSES[1:],
            LIST_LICENSES + "%20",
            LIST_LICENSES + "\0",
        ),
        *("/x/.." + LIST_LICENSES, LIST_LICENSES.replace("/L", "%2FL"), LIST_LICENSES.replace(".", "%2e")),
        *("/sluice.licensing.v1.ContractService", "/sluice.licensing.v1.ContractService/", "/v1/licenses"),
        *("/grpc.health.v1.Health/Check", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"),
        *("/sluice.consent.v1.ConsentService/RecordChoice", "/envoy.service.auth.v3.Authorization/Check"),
    ],
)
async def test_a_path_that_is_not_exactly_that_of_an_rpc_is_that_of_none(gate: Gate, path: str) -> None:
    assert await reason(gate, path, "operator:ada:trust,legal,finance,admin") == "ROUTE_UNKNOWN"


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer", "Bearer ", "operator:ada:admin"])
async def test_what_shows_no_bearer_token_shows_none(gate: Gate, header: str) -> None:
    assert await reason(gate, authorization=header) == "TOKEN_MISSING"


async def test_a_token_that_is_not_believed_lets_nobody_in_not_even_to_open_content(gate: Gate) -> None:
    await gate.wall()

    assert await reason(gate, LIST_LICENSES, "nonsense") == "TOKEN_INVALID"
    assert await reason(gate, "/posts/1", "nonsense", "content") == "TOKEN_INVALID"
    assert gate.counted == []


async def test_a_surface_that_nobody_knows_is_no_way_in(gate: Gate) -> None:
    assert await reason(gate, LIST_LICENSES, "operator:ada:admin", "Content") == "ROUTE_UNKNOWN"
    assert await reason(gate, LIST_LICENSES, "operator:ada:admin", "") == "ROUTE_UNKNOWN"


async def test_without_a_wall_anonymous_callers_read_content_and_are_counted_by_network(gate: Gate) -> None:
    await gate.wall()

    admitted = await gate.door.admit(a_read())
    await gate.door.admit(a_read("licensee:acme"))

    assert admitted == Admitted("stranger", "", "content", "stranger", NETWORK)
    assert gate.counted == [NETWORK]


async def test_a_wall_shuts_out_anonymous_callers_and_says_when_to_come_again(gate: Gate) -> None:
    await gate.wall(a_change(until_us=NOON_US + 90 * SECOND_US))

    with pytest.raises(Refusal, match="LOGIN_REQUIRED") as refused:
        await gate.door.admit(a_read())
    assert refused.value.retry_after_us == 90 * SECOND_US
    assert gate.counted == []

    gate.clock.advance(90 * SECOND_US)
    await gate.watch.refresh()
    assert (await gate.door.admit(a_read())).kind == "stranger"


async def test_a_wall_without_an_end_says_no_time(gate: Gate) -> None:
    await gate.wall(a_change())

    with pytest.raises(Refusal, match="LOGIN_REQUIRED") as refused:
        await gate.door.admit(a_read())
    assert refused.value.retry_after_us is None


async def test_subjects_and_operators_pass_a_wall_though_nothing_can_be_read(gate: Gate) -> None:
    await gate.wall(a_change())
    gate.books.is_down = True

    assert (await gate.door.admit(a_read("subject:7"))).party == "7"
    assert (await gate.door.admit(a_read("operator:ada:finance"))).tier == "known"


@pytest.mark.parametrize("holder", ["pipeline:x", "service:licensing", "sandbox+licensee:acme"])
async def test_content_is_not_for_those_inside_and_not_for_the_sandbox(gate: Gate, holder: str) -> None:
    await gate.wall()

    assert await reason(gate, "/posts/1", holder, "content") == "NOT_ADMITTED"


@pytest.mark.parametrize("holder", ["licensee:licensee-1", "agent:bot", "auditor:eve"])
async def test_a_wall_that_is_open_to_the_known_is_passed_by_every_kind_from_outside(
    gate: Gate, holder: str
) -> None:
    await gate.wall(a_change(), a_change(2, tiers=frozenset({Tier.KNOWN})))

    assert (await gate.door.admit(a_read(holder))).tier == "known"


@pytest.mark.parametrize("holder", ["licensee:licensee-1", "agent:bot", "auditor:eve"])
async def test_a_wall_with_no_tier_open_stops_all_who_have_not_signed_in(gate: Gate, holder: str) -> None:
    gate.books.kept = [a_license(template=Template.API_TIER)]
    await gate.wall(a_change())

    assert await reason(gate, "/posts/1", holder, "content") == "TIER_CLOSED"


@pytest.mark.parametrize(
    ("template", "opened", "tier"),
    [
        (Template.API_TIER, Tier.API, "api_tier"),
        (Template.RESEARCH, Tier.RESEARCH, "research"),
        (Template.API_TIER, Tier.RESEARCH, ""),
        (Template.RESEARCH, Tier.API, ""),
        (Template.COMMERCIAL, Tier.API, ""),
        (Template.INTERNAL, Tier.RESEARCH, ""),
    ],
)
async def test_a_licensee_passes_by_a_license_of_a_tier_that_is_open_and_by_no_other(
    gate: Gate, template: Template, opened: Tier, tier: str
) -> None:
    gate.books.kept = [a_license(template=template)]
    await gate.wall(a_change(tiers=frozenset({opened})))

    if tier:
        assert (await gate.door.admit(a_read("licensee:licensee-1"))).tier == tier
    else:
        assert await reason(gate, "/posts/1", "licensee:licensee-1", "content") == "TIER_CLOSED"
    assert await reason(gate, "/posts/1", "licensee:other", "content") == "TIER_CLOSED"


async def test_l4_a_license_that_is_suspended_or_over_opens_nothing_from_then_on(gate: Gate) -> None:
    license = a_license(template=Template.API_TIER)
    gate.books.kept = [license]
    await gate.wall(a_change(tiers=frozenset({Tier.API})))
    assert (await gate.door.admit(a_read("licensee:licensee-1"))).tier == "api_tier"

    gate.books.kept = [replace(license, state=LicenseState.SUSPENDED)]
    assert await reason(gate, "/posts/1", "licensee:licensee-1", "content") == "TIER_CLOSED"

    gate.books.kept = [license]
    gate.clock.advance(200 * DAY_US)
    assert await reason(gate, "/posts/1", "licensee:licensee-1", "content") == "TIER_CLOSED"


async def test_the_one_license_that_opens_may_be_behind_many_that_do_not(gate: Gate) -> None:
    others = [replace(a_license(), license_id=f"license-{number:03}") for number in range(250)]
    gate.books.kept = [*others, replace(a_license(template=Template.API_TIER), license_id="zz")]
    await gate.wall(a_change(tiers=frozenset({Tier.API})))

    assert (await gate.door.admit(a_read("licensee:licensee-1"))).tier == "api_tier"


async def test_a_licensee_is_not_let_in_on_what_cannot_be_read(gate: Gate) -> None:
    await gate.wall()
    gate.books.is_down = True

    assert await reason(gate, "/posts/1", "licensee:acme", "content") == "DATABASE_UNAVAILABLE"
