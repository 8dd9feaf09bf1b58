"""One trace for a decision, from licensing to the three databases, its id in the receipt, sent over OTLP."""

import base64
import json
from pathlib import Path

from services.console.credentials import PIPELINE, token_source
from services.console.installation import StateFolder
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.type.v1.purpose_pb2 import Purpose
from sluice_gate import LicensingClient
from sluice_gate.columns import columns_of
from sluice_gate.posts import Post
from tests.support.collector import CollectedSpan, a_collector
from tests.support.fleet import a_fleet
from tests.support.platforms import a_platform

DECIDE = "sluice.licensing.v1.ReleaseService/Decide"
CHECK = "sluice.consent.v1.ConsentService/CheckConsent"
RESERVE = "sluice.metering.v1.MeteringService/Reserve"


def lineage(spans: list[CollectedSpan]) -> set[tuple[str, str, str]]:
    """(service, name of the span, name of its parent) for each span; "" where it has none."""
    names = {span.span.span_id: span.span.name for span in spans}
    return {(each.service, each.span.name, names.get(each.span.parent_span_id, "")) for each in spans}


def work_of(spans: list[CollectedSpan]) -> list[tuple[str, str]]:
    """(system, function that asked) for each span of a database, by start."""
    attributes = [
        {each.key: each.value.string_value for each in span.span.attributes}
        for span in sorted(spans, key=lambda span: span.span.start_time_unix_nano)
    ]
    return [
        (each["db.system.name"], each["code.function.name"])
        for each in attributes
        if "db.system.name" in each
    ]


def claims_of(receipt: str) -> dict[str, object]:
    """What a receipt says; its signature is another test's."""
    payload = receipt.split(".")[1]
    claims: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


async def test_a_decision_is_one_trace_over_the_three_services(tmp_path: Path) -> None:
    async with a_collector() as collector:
        everywhere = {"otlp_endpoint": f"http://{collector.address}"}
        settings = dict.fromkeys(("consent", "metering", "licensing"), everywhere)
        state = StateFolder(tmp_path / "state")
        async with a_fleet(state.root, settings) as fleet:
            platform = await a_platform(fleet, tmp_path / "posts", posts=10, accounts=20, seed=1)
            await fleet.license("traced")
            author = next(
                account
                for account in platform.accounts[1:]
                if account.noticed and not account.state and account.jurisdiction == "US"
            )
            post = Post(
                id=1, author_id=author.id, kind=1, media_flags=0, language="en", posted_at_us=1, embeds=()
            )
            client = LicensingClient(fleet.address("licensing"), token_source(state, None, PIPELINE))
            request = pb.DecideRequest(
                request_id=fleet.new_id(),
                license_id="traced",
                purpose=Purpose.PURPOSE_AI_TRAINING_GENERATIVE,
                columns=columns_of([post]),
            )

            decision = await client.decide(request)
            spans = await collector.trace(decision.trace_id, 10)
            await client.close()

    assert decision.outcome == pb.OUTCOME_RELEASED
    assert claims_of(decision.receipt)["trace_id"] == decision.trace_id
    assert lineage(spans) == {
        ("licensing", DECIDE, ""),
        ("licensing", CHECK, DECIDE),
        ("consent", CHECK, CHECK),
        ("licensing", RESERVE, DECIDE),
        ("metering", RESERVE, RESERVE),
        # And down to the databases.
        ("licensing", "read licensing", DECIDE),
        ("consent", "read consent", CHECK),
        ("metering", "write metering", RESERVE),
        ("licensing", "write licensing", DECIDE),
    }
    assert work_of(spans) == [
        ("sqlite", "services.licensing.storage.ledger.LedgerStore.read"),
        ("sqlite", "services.licensing.storage.contracts.ContractStore.read"),
        ("sqlite", "services.consent.storage.register.SqlRegister.follow"),
        ("sqlite", "services.metering.storage.books.SqlBooks._post_all"),
        ("sqlite", "services.licensing.storage.ledger.LedgerStore.write"),
    ]
    assert str(author.id) not in "".join(str(span.span) for span in spans)
    assert not list((state.root / "traces").glob("*.jsonl"))
