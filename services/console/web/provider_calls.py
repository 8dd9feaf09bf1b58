"""Calls to a provider of sign-ins: in bounded time, of bounded size, and without going where it points.

What does not come, or is not what was asked for, is one Refusal: nobody is signed in by it.
"""

import asyncio
import ssl
from collections.abc import Mapping

import httpx
import structlog

from services.chassis.refusals import Refusal, unavailable

DEADLINE_SECONDS = 5.0
"""From the name to the last byte of one call."""
LARGEST_BYTES = 256 * 1024
"""Of one answer: some hundred keys with their certificates."""

_log = structlog.get_logger(__name__)


class ProviderCalls:
    """Calls over connections that are not kept: somebody signs in now and then."""

    def __init__(self, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._deadline_seconds = deadline_seconds
        self._tls = ssl.create_default_context()

    async def document(self, url: str) -> bytes:
        """What lies there; raises Refusal (unavailable, PROVIDER_UNAVAILABLE)."""
        response = await self.exchange("GET", url, {"accept": "application/json"})
        if response.status_code != httpx.codes.OK:
            raise of_no_use(f"a document has the status {response.status_code}")
        return response.content

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None = None
    ) -> httpx.Response:
        """An answer of any status, read to its end; raises Refusal (unavailable, PROVIDER_UNAVAILABLE)."""
        # What comes packed could be far larger than what is read of it.
        sent = {**headers, "accept-encoding": "identity"}
        try:
            async with (
                asyncio.timeout(self._deadline_seconds),
                self._client() as client,
                client.stream(method, url, headers=sent, content=body) as response,
            ):
                content = await _read(response)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            # By its kind alone: the text may have the address of a call, with what it carries.
            raise of_no_use(f"there was no answer: {type(error).__name__}") from error
        return httpx.Response(response.status_code, content=content, request=response.request)

    def _client(self) -> httpx.AsyncClient:
        # Whom it calls is for the settings of the page to say, and for nothing else of this machine.
        return httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=self._deadline_seconds)


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > LARGEST_BYTES:
            raise of_no_use(f"an answer is larger than {LARGEST_BYTES} bytes")
    return bytes(content)


def of_no_use(why: str) -> Refusal:
    """Has the log say why, and whoever wants to sign in that it cannot be done now."""
    _log.warning("the provider of sign-ins is of no use", why=why)
    return unavailable("PROVIDER_UNAVAILABLE", "where people sign in there was no answer that is of use")
