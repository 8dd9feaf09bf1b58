"""What tests of the switches say to the page and to the services."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
from cryptography.fernet import Fernet
from playwright.async_api import Browser
from starlette.types import ASGIApp

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.console.settings_page.app import settings_app
from services.console.settings_page.switches import TRAINING
from services.console.settings_page.texts import Texts
from services.console.web.calling import Services
from services.console.web.sessions import Seal
from sluice.consent.v1 import choice_pb2, policy_pb2
from sluice.consent.v1 import consent_service_pb2 as pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.licensing.v1 import contract_service_pb2, license_pb2, release_service_pb2
from sluice.type.v1 import purpose_pb2
from tests.support.browser import Watched, watched
from tests.support.cluster import Cluster, a_post, some_terms
from tests.support.page_texts import NOTICES, a_page_policy, digest_of, some_texts
from tests.support.pages import ORIGIN, Seen, Visitor
from tests.support.pages_world import PagesWorld
from tests.support.served_pages import served

GENERATIVE, OTHER = TRAINING
SHARING = purpose_pb2.PURPOSE_THIRD_PARTY_SHARING
OPT_IN, OPT_OUT = policy_pb2.REGIME_OPT_IN, policy_pb2.REGIME_OPT_OUT
PROHIBITED = policy_pb2.REGIME_PROHIBITED
EVERYTHING = (1, 2, 3, 4, 5, 6, 7)
ALL_TRAINING = "AI training, for everyone"
YES = "Say yes to this"
SERVED = digest_of(NOTICES["en"])


async def a_policy(
    cluster: Cluster,
    regime: policy_pb2.Regime = OPT_OUT,
    others: Mapping[int, policy_pb2.Regime] | None = None,
    **more: Any,
) -> None:
    """A policy with this regime for everything but `others`, a moment later than whatever came before."""
    cluster.clock.advance(1)
    regimes = {**dict.fromkeys(EVERYTHING, regime), **(others or {})}
    await cluster.publish(a_page_policy(cluster.clock, regimes, **more))


async def an_informed(cluster: Cluster, subject_id: int = 7, **fields: Any) -> None:
    """A subject in the US who was served the notice."""
    await cluster.know(subject_id, **{"notice_digests": [SERVED], **fields})


async def a_licensee(cluster: Cluster, licensee_id: str, name: str, **terms: Any) -> None:
    """A licensee with a license to train, in force, that is called ID-training."""
    licensee = license_pb2.Licensee(licensee_id=licensee_id, display_name=name)
    await cluster.contracts(
        "CreateLicensee",
        contract_service_pb2.CreateLicenseeRequest(request_id=cluster.new_id(), licensee=licensee),
    )
    created = await cluster.contracts(
        "CreateLicense",
        contract_service_pb2.CreateLicenseRequest(
            request_id=cluster.new_id(),
            license_id=f"{licensee_id}-training",
            terms=some_terms(licensee_id=licensee_id, **terms),
        ),
    )
    await cluster.activate(created.license)


async def released(cluster: Cluster, licensee_id: str = "acme", author_id: int = 7) -> bool:
    """Whether the next decision releases a post of somebody to a licensee."""
    decision = await cluster.decide([a_post(1, author_id)], license_id=f"{licensee_id}-training")
    return decision.outcome == release_service_pb2.OUTCOME_RELEASED


async def in_consent(
    cluster: Cluster, stub: Callable[[grpc.aio.Channel], Any], method: str, request: Any
) -> Any:
    """Calls consent as an operator."""
    token = cluster.licensing.token(PrincipalKind.OPERATOR, "ada", ["admin"])
    peer = Peer(cluster.consent_address, lambda: token, name="consent")
    try:
        return await peer.call(getattr(stub(peer.channel), method), request)
    finally:
        await peer.close()


async def on_record(cluster: Cluster, subject_id: int = 7) -> list[choice_pb2.RecordedChoice]:
    """All choices of a subject, the newest first."""
    request = pb.ListChoiceHistoryRequest(subject_id=subject_id)
    return list((await in_consent(cluster, ConsentServiceStub, "ListChoiceHistory", request)).choices)


async def say(cluster: Cluster, stance: choice_pb2.Stance, **fields: Any) -> None:
    """What subject 7 says elsewhere about all training of generative models, a moment later; or `fields`."""
    cluster.clock.advance(1)
    scope: dict[str, Any] = {"everyone": True, "purpose": GENERATIVE, "notice_digest": SERVED, **fields}
    choice = choice_pb2.Choice(subject_id=7, stance=stance, **scope)
    request = pb.RecordChoiceRequest(request_id=cluster.new_id(), choice=choice)
    await in_consent(cluster, ConsentServiceStub, "RecordChoice", request)


class Fragile(Services):
    """The services, some of which can be gone."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__({"consent": cluster.consent_address, "licensing": cluster.licensing.address})
        self._nobody = Services({"consent": "127.0.0.1:1", "licensing": "127.0.0.1:1"})
        self.gone = set[str]()
        """By name."""

    def peer(self, name: str) -> Peer:
        """The connection to one, or to nobody in its place."""
        return self._nobody.peer(name) if name in self.gone else super().peer(name)

    async def close(self) -> None:
        """Closes every connection."""
        await super().close()
        await self._nobody.close()


def a_settings_page(
    world: PagesWorld, services: Services, texts: Texts, origin: str = ORIGIN, **more: Any
) -> ASGIApp:
    """A settings page of its own, which people come into by the links of the world; `more` is for the app."""
    return settings_app(
        name="Example",
        services=services,
        seal=Seal([Fernet.generate_key()], world.cluster.clock),
        clock=world.cluster.clock,
        origin=origin,
        texts=texts,
        links=world.links,
        **more,
    )


@contextlib.asynccontextmanager
async def fragile_page(
    world: PagesWorld, folder: Path, *, texts: Texts | None = None
) -> AsyncIterator[tuple[Visitor, Seen, Fragile]]:
    """Subject 7 on a page of their own whose services can go; with these texts instead of the usual ones."""
    services = Fragile(world.cluster)
    app = a_settings_page(world, services, some_texts(folder / "texts") if texts is None else texts)
    async with Visitor(app) as visitor:
        token = world.cluster.licensing.token(PrincipalKind.SUBJECT, "7")
        yield visitor, await visitor.sign_in(world.links.make(token)), services
    await services.close()


@contextlib.asynccontextmanager
async def page_in_a_browser(
    world: PagesWorld, folder: Path, browser: Browser, subject_id: int = 7, **options: Any
) -> AsyncIterator[Watched]:
    """A subject who has come in with a real browser; `options` are those of `watched`."""
    services, texts = Fragile(world.cluster), some_texts(folder / "texts")
    token = world.cluster.licensing.token(PrincipalKind.SUBJECT, str(subject_id))
    async with (
        served(lambda origin: a_settings_page(world, services, texts, origin)) as origin,
        watched(browser, origin, **options) as seen,
    ):
        await seen.open(f"/sign-in/link?code={world.links.make(token)}")
        await seen.page.locator("form[action='/sign-in/link'] button").click()
        await seen.page.wait_for_load_state()
        yield seen


async def agree(visitor: Visitor, page: Seen, button: str) -> Seen:
    """Presses a button that leads to a yes, and says it under the notice that is shown there."""
    return await visitor.press(await visitor.press(page, button), YES)
