"""A whole installation with both pages, as `sluice up --console` runs it, and people of the platform."""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.console import moments
from services.console.connections import Connections
from services.console.credentials import OPERATOR, PIPELINE, minter
from services.console.documents import parse_document
from services.console.installation import StateFolder
from services.console.license_calls import activate_license, create_license
from services.console.licensees import create_licensee
from services.console.policies import GIVEN_BY_CONSENT, all_policies, publish_policy
from services.console.web.links import Links
from sluice.consent.v1 import consent_service_pb2, subject_pb2
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.consent.v1.policy_pb2 import Policy
from sluice.licensing.v1 import post_pb2
from sluice.licensing.v1 import release_service_pb2 as releases_pb
from sluice.licensing.v1.contract_service_pb2 import CreateLicenseRequest
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.type.v1.purpose_pb2 import PURPOSE_AI_TRAINING_GENERATIVE
from tests.support.browser import Watched, watched
from tests.support.cluster import a_post
from tests.support.up import Up, up

SETTINGS, CONSOLE = "settings-page", "console"
PEOPLE = range(1, 40)
LICENSEES = {
    "acme": "Acme Models",
    "beta": "Beta <script>alert(1)</script> Labs",
    "gamma": "Gamma, which is suspended",
}
"""By id; the name of the second is text wherever it is shown."""
ROLES = ("admin", "finance", "legal", "trust")
SOON_US = 1_000_000
POLICY = "Posts may be used to train models unless their author says no.\n"
NOTICES = {
    "en": "We would like to share your posts.\n\nYou can say no at any time.\n",
    "de": "Wir möchten Ihre Beiträge weitergeben.\n\nSie können jederzeit Nein sagen.\n",
    "es": "Queremos compartir sus publicaciones.\n\nPuede decir que no en cualquier momento.\n",
}


class PagesFleet:
    """What tests do to it, and how people come into the pages."""

    def __init__(self, running: Up) -> None:
        self.up = running
        self.state = StateFolder(running.state)
        self._started = running.services()
        self._minted = minter(self.state)

    def origin(self, page: str) -> str:
        """Of one of the pages."""
        return f"http://{self._started[page]['address']}"

    def pid(self, program: str) -> int:
        """The process that a program runs as now, also after it was started again."""
        first: int = self._started[program]["pid"]
        said = self.up.last_said(f"{program} is running again, as process ")
        return first if said is None else int(said.rpartition(" ")[2].rstrip("."))

    def connections(self, kind: PrincipalKind, party: str, roles: Sequence[str] = ()) -> Connections:
        """The services themselves, as somebody."""
        addresses = {name: each["address"] for name, each in self._started.items()}
        return Connections(addresses, lambda: self._minted.mint(kind, party, roles))

    def operator(self) -> Connections:
        """As an operator of all roles."""
        return self.connections(OPERATOR.kind, OPERATOR.party, OPERATOR.roles)

    def link(
        self, page: str, kind: PrincipalKind, party: str, roles: Sequence[str] = (), subjects: Any = ()
    ) -> str:
        """The path that signs somebody in once."""
        token = self._minted.mint(kind, party, roles, subjects=frozenset(subjects))
        return f"/sign-in/link?code={Links(self.state.links(page), SystemClock()).make(token)}"

    @contextlib.asynccontextmanager
    async def subject(self, browser: Browser, subject: int, **how: Any) -> AsyncIterator[Watched]:
        """The settings page, with a subject who has come in."""
        async with watched(browser, self.origin(SETTINGS), **how) as page:
            await _come_in(page, self.link(SETTINGS, PrincipalKind.SUBJECT, str(subject)))
            yield page

    @contextlib.asynccontextmanager
    async def agent(self, browser: Browser, *subjects: int, **how: Any) -> AsyncIterator[Watched]:
        """The settings page, with an agent who has come in."""
        async with watched(browser, self.origin(SETTINGS), **how) as page:
            await _come_in(page, self.link(SETTINGS, PrincipalKind.AGENT, "helper", subjects=subjects))
            yield page

    @contextlib.asynccontextmanager
    async def operates(
        self, browser: Browser, party: str = "ada", roles: Sequence[str] = ROLES, **how: Any
    ) -> AsyncIterator[Watched]:
        """The console, with an operator who has come in."""
        async with watched(browser, self.origin(CONSOLE), **how) as page:
            await _come_in(page, self.link(CONSOLE, PrincipalKind.OPERATOR, party, roles))
            yield page

    async def decide(self, license: str, *authors: int) -> releases_pb.Decision:
        """What a pipeline is answered that asks for a post of each author; nothing of it is kept back."""
        posts = [a_post(1_000 * (author + 1), author) for author in authors]
        async with self.connections(PIPELINE.kind, PIPELINE.party) as pipeline:
            peer = pipeline.peer("licensing")
            request = releases_pb.DecideRequest(
                request_id=pipeline.new_id(),
                license_id=license,
                purpose=PURPOSE_AI_TRAINING_GENERATIVE,
                posts=post_pb2.PostList(posts=posts),
            )
            return (await peer.call(ReleaseServiceStub(peer.channel).Decide, request)).decision


@contextlib.contextmanager
def a_pages_fleet(folder: Path) -> Iterator[PagesFleet]:
    """All of it, with nothing on record."""
    texts = folder / "texts"
    texts.mkdir()
    (texts / "policy-2026.en.txt").write_text(POLICY, encoding="utf-8")
    for language, text in NOTICES.items():
        (texts / f"notice-2026.{language}.txt").write_text(text, encoding="utf-8")
    asked = ("--console", "--platform-name", "Chirp", "--texts", str(texts))
    with up(folder / "state", *asked) as running:
        yield PagesFleet(running)


async def settle(fleet: PagesFleet) -> None:
    """People, a policy that is in effect when this returns, and a license for each licensee."""
    async with fleet.operator() as operator:
        await _publish_policy(operator)
        await _know_people(operator)
        for licensee, name in LICENSEES.items():
            await create_licensee(operator, licensee, name)
            await _license(operator, licensee)
        while not any(known.HasField("activated_at") for known in await all_policies(operator)):
            continue


def license_of(licensee: str) -> str:
    """The id of its license."""
    return f"{licensee}-training"


async def _come_in(page: Watched, link: str) -> None:
    await page.open(link)
    # In whatever language: it is the one button of that form.
    await page.page.locator("form[action='/sign-in/link'] button").click()
    await page.page.wait_for_url(f"{page.origin}/**")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def _publish_policy(operator: Connections) -> None:
    rules = [
        f"  - {{jurisdiction: {place}, purpose: {purpose}, regime: {regime}}}"
        for place, regime in (("US", "opt_out"), ("DE", "opt_in"))
        for purpose in ("third_party_sharing", "ai_training_generative", "ai_training_other")
    ]
    notices = ", ".join(_digest(text) for text in NOTICES.values())
    text = "\n".join([f"text_digest: {_digest(POLICY)}", f"notice_digests: [{notices}]", "rules:", *rules])
    effective_at = moments.from_us(SystemClock().now_us() + SOON_US)
    policy = parse_document(
        text.encode(), "policy.yaml", Policy, GIVEN_BY_CONSENT, {"effective_at": effective_at}
    )
    await publish_policy(operator, policy)


async def _know_people(operator: Connections) -> None:
    served = [bytes.fromhex(_digest(NOTICES["en"]))]
    rows = [
        consent_service_pb2.ImportSubjectsRequest.Row(
            line=who,
            subject=subject_pb2.Subject(subject_id=who, jurisdiction="US", notice_digests=served),
        )
        for who in PEOPLE
    ]
    request = consent_service_pb2.ImportSubjectsRequest(request_id=operator.new_id(), rows=rows)
    peer = operator.peer("consent")
    assert not (await peer.call(ConsentServiceStub(peer.channel).ImportSubjects, request)).rejected


async def _license(operator: Connections, licensee: str) -> None:
    text = f"""
        license_id: {license_of(licensee)}
        terms:
          licensee_id: {licensee}
          template: commercial
          purposes: [ai_training_generative]
          kinds: [post, reply, quote, repost]
          languages: ["*"]
          author_jurisdictions: ["*"]
          territory: ["*"]
          term_from: 2020-01-01
          term_until: 2100-01-01
          contract_digest: {_digest(licensee)}
          obligations: {{recall_deadline_days: 30, no_reidentification: true}}
          allowances: [{{per: license, window: rolling_day, limit: 10000}}]
          price:
            currency: USD
            period: month
            time_zone: UTC
            charges: [{{name: Posts, per_unit: {{unit_price: "0.25", per: "1"}}}}]
    """
    request = parse_document(text.encode(), f"{licensee}.yaml", CreateLicenseRequest, ("request_id",))
    await activate_license(operator, await create_license(operator, request), "a test")
