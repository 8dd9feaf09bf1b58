"""Tokens for an API key, renewed before they expire, for jobs that run longer than any token."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import grpc

from sluice.licensing.v1.token_service_pb2 import GetTokenRequest, GetTokenResponse
from sluice.licensing.v1.token_service_pb2_grpc import TokenServiceStub
from sluice_gate.clocks import SystemClock
from sluice_gate.errors import AnswerInvalid, CallRefused
from sluice_gate.statuses import refused
from sluice_gate.targets import balancing, is_this_machine, naming

EXCHANGE_SECONDS = 5.0
RETRY_US = 1_000_000
"""Between two tries to renew a token that is still valid, so that an outage is not made worse."""

_OPTIONS = (
    # What is not encrypted goes where it says, and not by way of a proxy that the environment names.
    ("grpc.enable_http_proxy", 0),
)

Exchange = Callable[[], GetTokenResponse]
"""Gets a token for a key. Raises CallRefused."""


class Elapsed(Protocol):
    """The one clock that matters here; see `clocks`."""

    def elapsed_us(self) -> int:
        """Microseconds since some fixed moment; never set, never goes back."""
        ...


@dataclass(frozen=True)
class _Held:
    text: str
    renew_us: int
    """By `elapsed_us`: from here on another one is wanted."""
    end_us: int
    """By `elapsed_us`: from here on it is worth nothing."""
    sandbox: bool


class ApiKeyTokens:
    """Gives the token of the moment when it is called, as `LicensingClient` calls it.

    From half of its life on a token is renewed beside the caller, who gets the old one meanwhile. Only where
    there is no valid one, at the beginning and after a long outage, does the caller wait.
    """

    def __init__(self, exchange: Exchange, clock: Elapsed | None = None) -> None:
        """Gets the first token at once. Raises CallRefused (API_KEY_INVALID, for one) and AnswerInvalid."""
        self._exchange = exchange
        self._clock = clock or SystemClock()
        self._renewing = threading.Lock()
        self._held = self._exchanged()

    def __call__(self) -> str:
        """A token that is valid now. Raises CallRefused and AnswerInvalid where there is none to be had."""
        held, now_us = self._held, self._clock.elapsed_us()
        if now_us >= held.end_us:
            return self._wait_for_another()
        if now_us >= held.renew_us and self._renewing.acquire(blocking=False):
            threading.Thread(target=self._renew, name="token", daemon=True).start()
        return held.text

    @property
    def sandbox(self) -> bool:
        """Whether the key is one of the sandbox: nothing is ever released with it."""
        return self._held.sandbox

    def renewed(self, refused: str) -> str:
        """Another token than `refused`, which was not believed although its time is not over.

        That happens when the key that signed it counts no more. Waits for the exchange; of many callers whose
        token was refused, one has it exchanged. Raises CallRefused and AnswerInvalid.
        """
        with self._renewing:
            if self._held.text == refused:
                self._held = self._exchanged()
            return self._held.text

    def _wait_for_another(self) -> str:
        with self._renewing:
            # Somebody else may have waited for it just now.
            if self._clock.elapsed_us() >= self._held.end_us:
                self._held = self._exchanged()
            return self._held.text

    def _renew(self) -> None:
        """Runs with the lock held, and lets go of it."""
        try:
            self._held = self._exchanged()
        except Exception:
            # Whatever it was, there is a valid token. Whoever calls when there is none asks themselves, and
            # hears of it.
            held = self._held
            self._held = replace(held, renew_us=self._clock.elapsed_us() + RETRY_US)
        finally:
            self._renewing.release()

    def _exchanged(self) -> _Held:
        # Taken before the call: the validity in its answer counts from when it was sent.
        sent_us = self._clock.elapsed_us()
        response = self._exchange()
        valid_us = response.valid_for.ToMicroseconds()
        if not response.token or valid_us <= 0:
            raise AnswerInvalid("TOKEN_NOT_VALID", "the token that came for the API key is not valid")
        return _Held(response.token, sent_us + valid_us // 2, sent_us + valid_us, response.holder.sandbox)


def exchanging(
    target: str,
    api_key: Callable[[], str],
    credentials: grpc.ChannelCredentials | None = None,
    *,
    insecure: bool = False,
    server_name: str | None = None,
) -> Exchange:
    """Exchanges at licensing; `api_key` is called each time, so that a changed key file is noticed.

    Without `credentials` the connection is not encrypted, and it carries the key: it goes to this machine
    alone, unless `insecure` says that the network in between is trusted. With them the certificate of
    licensing has to carry `server_name` where that is given, else the host. Raises CallRefused (PLAINTEXT).
    """
    if credentials is None and not insecure and not is_this_machine(target):
        message = f"an API key is not sent to {target} unencrypted: others could read it on its way"
        raise CallRefused("PLAINTEXT", message, passing=False)

    def exchange() -> GetTokenResponse:
        options = balancing(target)
        channel = (
            grpc.insecure_channel(target, options=(*_OPTIONS, *options))
            if credentials is None
            else grpc.secure_channel(target, credentials, options=(*options, *naming(server_name)))
        )
        # A channel for each: renewals are minutes apart, and a connection idle for so long breaks unseen.
        with channel:
            stub: Any = TokenServiceStub(channel)
            try:
                answer: GetTokenResponse = stub.GetToken(
                    GetTokenRequest(api_key=api_key()), timeout=EXCHANGE_SECONDS
                )
            except grpc.RpcError as error:
                failed: Any = error  # what a call raises is a Call too, which its annotation does not say
                raise refused(failed) from error
            return answer

    return exchange
