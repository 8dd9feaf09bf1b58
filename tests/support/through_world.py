"""Who is there behind the gateway of `support.through`: people, posts, licensees and their licenses."""

from services.chassis.clock import SystemClock
from services.console import moments
from services.console.choices import record_choice
from services.console.connections import Connections
from services.console.directory import put_posts
from services.console.documents import parse_document
from services.console.license_calls import activate_license, create_license
from services.console.licensees import create_licensee
from services.console.policies import GIVEN_BY_CONSENT, all_policies, publish_policy
from sluice.consent.v1 import choice_pb2, consent_service_pb2, state_service_pb2, subject_pb2
from sluice.consent.v1 import state_change_pb2 as states
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.consent.v1.policy_pb2 import Policy
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub
from sluice.licensing.v1.contract_service_pb2 import CreateLicenseRequest
from sluice_gate.columns import columns_of
from sluice_gate.posts import Post
from tests.support.fleet import NOTICE
from tests.support.through import LICENSE, Through

PURPOSE = "ai_training_generative"
SOON_US = 1_500_000
POSTED_AT_US = 1_600_000_000_000_000
LICENSEES = {
    "acme": (LICENSE, "commercial"),
    "reader": ("reader-api", "api_tier"),
    "lab": ("lab-research", "research"),
}
"""License and template of each licensee."""
WILLING = range(11, 40)
"""People whose posts may go; the post of each is `post_of` them."""
OPTED_OUT, MINOR, DEACTIVATED, PROTECTED, DELETED, WITHHELD, UNASKED = range(41, 48)
"""People whose posts may not go, each for a reason of their own; UNASKED lives where it has to be asked."""
KINDS = {
    MINOR: states.STATE_CHANGE_KIND_MINOR,
    DEACTIVATED: states.STATE_CHANGE_KIND_DEACTIVATE,
    PROTECTED: states.STATE_CHANGE_KIND_PROTECT,
    DELETED: states.STATE_CHANGE_KIND_DELETE,
}


def post_of(author: int) -> int:
    """The one post of somebody; three digits, as all ids here have."""
    return 100 + author


async def settle(through: Through) -> None:
    """Puts all of it there; returns when the policy is in effect."""
    async with through.operator() as operator:
        await _publish_policy(operator)
        await _import_subjects(operator)
        for licensee, (license, template) in LICENSEES.items():
            await create_licensee(operator, licensee, licensee.title())
            await _license(operator, license, licensee, template)
        await opt_out(operator, OPTED_OUT)
        changes = [states.StateChange(subject_id=who, kind=kind) for who, kind in KINDS.items()]
        withheld = states.STATE_CHANGE_KIND_WITHHELD
        changes.append(states.StateChange(post_id=post_of(WITHHELD), kind=withheld, countries=["XX"]))
        await change_states(operator, *changes)
        while not any(known.HasField("activated_at") for known in await all_policies(operator)):
            continue
    await put(through, *((post_of(who), who) for who in (*WILLING, *range(OPTED_OUT, UNASKED + 1))))


async def put(through: Through, *posts: tuple[int, int]) -> None:
    """Posts, each with its author, into the directory."""
    known = [
        Post(
            id=id,
            author_id=author,
            kind=1,
            media_flags=0,
            language="en",
            posted_at_us=POSTED_AT_US,
            embeds=(),
        )
        for id, author in posts
    ]
    async with through.as_pipeline() as pipeline:
        await put_posts(pipeline, columns_of(known))


async def opt_out(operator: Connections, subject: int) -> None:
    """Somebody denies everyone everything."""
    deny = choice_pb2.Choice(
        subject_id=subject, stance=choice_pb2.STANCE_DENY, everyone=True, all_purposes=True
    )
    await record_choice(operator, deny)


async def change_states(operator: Connections, *changes: states.StateChange) -> None:
    """People or posts are not any more what they were."""
    rows = [
        state_service_pb2.RecordStatesRequest.Row(line=line, change=change)
        for line, change in enumerate(changes, 1)
    ]
    page = state_service_pb2.RecordStatesRequest(request_id=operator.new_id(), rows=rows)
    peer = operator.peer("consent")
    async with peer.open(StateServiceStub(peer.channel).RecordStates) as stream:
        await stream.send(page)
        assert (await stream.receive()).accepted == len(rows)


async def _publish_policy(operator: Connections) -> None:
    rules = [
        f"  - {{jurisdiction: {place}, purpose: {purpose}, regime: {regime}}}"
        for place, regime in (("US", "opt_out"), ("DE", "opt_in"))
        for purpose in ("third_party_sharing", PURPOSE)
    ]
    text = "\n".join([f"text_digest: {NOTICE}", f"notice_digests: [{NOTICE}]", "rules:", *rules])
    effective_at = moments.from_us(SystemClock().now_us() + SOON_US)
    policy = parse_document(
        text.encode(), "policy.yaml", Policy, GIVEN_BY_CONSENT, {"effective_at": effective_at}
    )
    await publish_policy(operator, policy)


async def _import_subjects(operator: Connections) -> None:
    people = (*WILLING, *range(OPTED_OUT, UNASKED + 1))
    rows = [
        consent_service_pb2.ImportSubjectsRequest.Row(
            line=line,
            subject=subject_pb2.Subject(
                subject_id=who,
                jurisdiction="DE" if who == UNASKED else "US",
                notice_digests=[bytes.fromhex(NOTICE)],
            ),
        )
        for line, who in enumerate(people, 1)
    ]
    request = consent_service_pb2.ImportSubjectsRequest(request_id=operator.new_id(), rows=rows)
    peer = operator.peer("consent")
    answer = await peer.call(ConsentServiceStub(peer.channel).ImportSubjects, request)
    assert not answer.rejected


async def _license(operator: Connections, id: str, licensee: str, template: str) -> None:
    text = f"""
        license_id: {id}
        terms:
          licensee_id: {licensee}
          template: {template}
          purposes: [{"vetted_research" if template == "research" else PURPOSE}]
          kinds: [post, reply, quote, repost]
          languages: ["*"]
          author_jurisdictions: ["*"]
          territory: ["*"]
          term_from: 2020-01-01
          term_until: 2100-01-01
          contract_digest: {NOTICE}
          obligations: {{recall_deadline_days: 30, no_reidentification: true}}
          allowances: [{{per: license, window: second, limit: 10000}}]
          price: {{currency: USD, period: month, time_zone: UTC, charges: [{{name: Fee, flat: 1.00 USD}}]}}
    """
    request = parse_document(text.encode(), f"{id}.yaml", CreateLicenseRequest, ("request_id",))
    await activate_license(operator, await create_license(operator, request), "a test")
