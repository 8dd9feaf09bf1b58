"""The three services as real processes under the real supervisor, with times so short that tests can wait.

What a test does to them goes through the command line's own functions, or through the command line itself.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from services.chassis.clock import SystemClock
from services.chassis.ids import uuid7
from services.chassis.refusals import Refusal
from services.console import moments
from services.console.choices import import_choices
from services.console.connections import Connections
from services.console.credentials import OPERATOR, token_source
from services.console.documents import parse_document
from services.console.installation import StateFolder
from services.console.license_calls import activate_license, create_license
from services.console.licensees import create_licensee
from services.console.policies import GIVEN_BY_CONSENT, all_policies, publish_policy
from services.console.programs import local_services
from services.console.subjects import import_subjects
from services.console.supervisor import Patience, Supervisor
from sluice.consent.v1.policy_pb2 import Policy
from sluice.licensing.v1.contract_service_pb2 import CreateLicenseRequest
from tests.support.agreement import check_agreement
from tests.support.commands import Command, Ending

PERMIT_US = 2_000_000
SOON_US = 300_000
"""Until the policy takes effect; it may not be announced for the past."""
DRAIN_SECONDS = 60.0
"""On a busy machine it takes a while to send the last spans; who is killed meanwhile loses them."""
PURPOSE = "ai_training_generative"
NOTICE = "ab" * 32
"""Digest of the notice that subjects were served."""

Settings = Mapping[str, Mapping[str, str]]
"""By service and name of the setting."""

_DRAINING = {"drain_grace": "0", "drain_seconds": "1"}
_SETTINGS = {
    "consent": {**_DRAINING, "permit_seconds": "2"},
    "metering": _DRAINING,
    "directory": _DRAINING,
    "licensing": {
        **_DRAINING,
        "permit_seconds": "2",
        "sweep_age_seconds": "1",
        "sweep_interval_seconds": "0.5",
        "peer_deadline_seconds": "2",
    },
}

_REGIMES = {"opt_out": ("US", "GB", "IN", "BR", "JP"), "opt_in": ("DE", "FR"), "prohibited": ("NO",)}


class Fleet:
    """Consent, metering and licensing, each a process that is started again when it dies."""

    def __init__(self, state: StateFolder, settings: Settings, *, directory: bool = False) -> None:
        """`settings` come on top of the short times. Needs an event loop; nothing runs before `start`.

        With `directory` there is a post directory too.
        """
        self.state = state
        self.said: list[str] = []
        """What the supervisor reported."""
        of_each = {service: {**short, **settings.get(service, {})} for service, short in _SETTINGS.items()}
        self._programs = local_services(state, state.prepare(), {}, of_each, directory=directory)
        self._supervisor = Supervisor(self._programs, self.said.append, Patience(drain=DRAIN_SECONDS))
        self._commands: list[Command] = []

    async def start(self) -> None:
        """Returns when all three can be used."""
        await self._supervisor.start()
        addresses = {program.name: program.address for program in self._programs}
        self.operator = Connections(addresses, token_source(self.state, None, OPERATOR))

    async def stop(self) -> None:
        """Drains all three."""
        await self.operator.__aexit__(None, None, None)
        await self._supervisor.stop()

    async def command(self, *arguments: str) -> Command:
        """Starts a command of `sluice` against this fleet."""
        self._commands.append(await Command.start(self.state.root, *arguments))
        return self._commands[-1]

    async def end_commands(self) -> None:
        """Kills the commands that still run."""
        while self._commands:
            await self._commands.pop().killed()

    def address(self, service: str) -> str:
        """Where a service is."""
        return next(program.address for program in self._programs if program.name == service)

    def database(self, service: str) -> Path:
        """The SQLite file of a service."""
        return self.state.database(service)

    def pid(self, service: str) -> int:
        """The process that a service runs as now."""
        pid = self._supervisor.pid(service)
        assert pid is not None
        return pid

    def kill(self, service: str) -> None:
        """SIGKILL; the supervisor starts it again."""
        self._supervisor.kill(service)

    async def recovered(self) -> None:
        """Waits until all can be used again."""
        for program in self._programs:
            await self._supervisor.until_ready(program.name)

    async def sluice(self, *arguments: str) -> Ending:
        """Runs a command of `sluice` against this fleet to its end."""
        return await (await self.command(*arguments)).ending()

    def new_id(self) -> str:
        """A fresh request id."""
        return uuid7(SystemClock().now_us())

    async def publish_policy(self) -> None:
        """One policy for training: opt-out in some places, opt-in in others, forbidden in one."""
        rules = [
            f"  - {{jurisdiction: {place}, purpose: {purpose}, regime: {regime}}}"
            for regime, places in _REGIMES.items()
            for place in places
            for purpose in ("third_party_sharing", PURPOSE)
        ]
        text = "\n".join([f"text_digest: {NOTICE}", f"notice_digests: [{NOTICE}]", "rules:", *rules])
        await self._publish(text, SOON_US)
        while not any(known.HasField("activated_at") for known in await all_policies(self.operator)):
            continue

    async def _publish(self, text: str, lead_us: int) -> None:
        effective_at = moments.from_us(SystemClock().now_us() + lead_us)
        given = {"effective_at": effective_at}
        policy = parse_document(text.encode(), "policy.yaml", Policy, GIVEN_BY_CONSENT, given)
        try:
            await publish_policy(self.operator, policy)
        except Refusal as refusal:
            # The machine may have been busy for so long.
            if refusal.reason != "POLICY_IN_THE_PAST" or lead_us > SOON_US:
                raise
            await self._publish(text, 10 * lead_us)

    async def license(self, name: str) -> None:
        """A licensee with an active license, both of this name: a million posts in 24 hours."""
        text = f"""
            license_id: {name}
            terms:
              licensee_id: {name}
              template: commercial
              purposes: [{PURPOSE}]
              kinds: [post, reply, quote, repost]
              languages: ["*"]
              author_jurisdictions: ["*"]
              territory: ["*"]
              term_from: 2020-01-01
              term_until: 2100-01-01
              allowances:
                - {{per: license, window: rolling_day, limit: 1000000}}
                - {{per: licensee, window: term, limit: 1000000}}
              contract_digest: 1f7a6c2e9b3d4f58a0c1e2d3b4a5968778695a4b3c2d1e0f0123456789abcdef
              obligations: {{recall_deadline_days: 30, no_reidentification: true}}
        """
        request = parse_document(text.encode(), f"{name}.yaml", CreateLicenseRequest, ("request_id",))
        await create_licensee(self.operator, name, name.title())
        draft = await create_license(self.operator, request)
        await activate_license(self.operator, draft, "a test")

    async def import_subjects(self, file: Path) -> None:
        """Takes over subjects from a CSV file; every row must be good."""
        assert not (await import_subjects(self.operator, file)).bad

    async def import_choices(self, file: Path) -> None:
        """Takes over choices from a CSV file; every row must be good."""
        assert not (await import_choices(self.operator, file)).bad


@contextlib.asynccontextmanager
async def a_fleet(
    folder: Path, settings: Settings | None = None, *, directory: bool = False
) -> AsyncIterator[Fleet]:
    """A running fleet with a policy in effect; its state is in `folder`."""
    fleet = Fleet(StateFolder(folder), settings or {}, directory=directory)
    await fleet.start()
    try:
        await fleet.publish_policy()
        yield fleet
        # Whatever was done to it: all that it did agrees in the end.
        await fleet.recovered()
        await check_agreement(fleet.state.root)
    finally:
        await fleet.stop()
