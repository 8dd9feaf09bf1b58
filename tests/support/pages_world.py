"""Both pages over the three real services in one process, with a clock that is turned by hand."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from starlette.types import ASGIApp

from services.chassis.identity import PrincipalKind
from services.console.operations.app import console_app
from services.console.settings_page.app import settings_app
from services.console.web.calling import Services
from services.console.web.links import Links
from services.console.web.sessions import Seal
from tests.support.cluster import Cluster
from tests.support.page_texts import some_texts
from tests.support.pages import ORIGIN, Seen, Visitor

ALL_ROLES = ("admin", "finance", "legal", "trust")


@dataclass
class PagesWorld:
    """The applications, and who comes in."""

    cluster: Cluster
    settings: ASGIApp
    console: ASGIApp
    links: Links

    @contextlib.asynccontextmanager
    async def subject(self, subject_id: int, language: str = "en-GB") -> AsyncIterator[tuple[Visitor, Seen]]:
        """A subject who has come in, and the page that they see then."""
        token = self.cluster.licensing.token(PrincipalKind.SUBJECT, str(subject_id))
        async with self._come_in(self.settings, token, language) as come_in:
            yield come_in

    @contextlib.asynccontextmanager
    async def agent(self, *subjects: int, language: str = "en-GB") -> AsyncIterator[tuple[Visitor, Seen]]:
        """An agent of some subjects."""
        token = self.cluster.licensing.token(PrincipalKind.AGENT, "helper", subjects=subjects)
        async with self._come_in(self.settings, token, language) as come_in:
            yield come_in

    @contextlib.asynccontextmanager
    async def operator(
        self, party: str = "ada", roles: Sequence[str] = ALL_ROLES, language: str = "en-GB"
    ) -> AsyncIterator[tuple[Visitor, Seen]]:
        """An operator who has come into the console."""
        token = self.cluster.licensing.token(PrincipalKind.OPERATOR, party, roles)
        async with self._come_in(self.console, token, language) as come_in:
            yield come_in

    @contextlib.asynccontextmanager
    async def _come_in(self, app: ASGIApp, token: str, language: str) -> AsyncIterator[tuple[Visitor, Seen]]:
        async with Visitor(app, language=language) as visitor:
            # In the words of the language, which tests of other languages do not know beforehand.
            page = await visitor.get(f"/sign-in/link?code={self.links.make(token)}")
            form = next(each for each in page.forms if each.action == "/sign-in/link")
            yield visitor, await visitor.send(form, form.fields)


@contextlib.asynccontextmanager
async def pages_over(cluster: Cluster, folder: Path) -> AsyncIterator[PagesWorld]:
    """The pages over services that run already."""
    seal, links = Seal([Fernet.generate_key()]), Links(folder / "links", cluster.clock)
    targets = {
        "consent": cluster.consent_address,
        "metering": cluster.metering_address,
        "licensing": cluster.licensing.address,
    }
    behind_gateway, inside = Services(targets), Services(targets)
    settings = settings_app(
        name="Example",
        services=behind_gateway,
        seal=seal,
        clock=cluster.clock,
        origin=ORIGIN,
        texts=some_texts(folder / "texts"),
        links=links,
    )
    console = console_app(services=inside, seal=seal, clock=cluster.clock, origin=ORIGIN, links=links)
    try:
        yield PagesWorld(cluster, settings, console, links)
    finally:
        await behind_gateway.close()
        await inside.close()
