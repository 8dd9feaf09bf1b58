"""`sluice license`: who may receive which posts, for what, and how many."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from services.console import moments, options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.documents import read_document
from services.console.names import plain, word_of
from services.console.output import give_json, say, show, table
from sluice.licensing.v1 import contract_service_pb2 as contracts
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.license_pb2 import License, LicenseState

PAGE = 200

app = typer.Typer(help="Licenses: who may receive which posts, for what, and how many.", no_args_is_help=True)

LicenseId = Annotated[str, typer.Argument(metavar="ID", help="The license.")]
Why = Annotated[str, typer.Option("--reason", help="Why, for the record.")]


@app.command("create")
def create(
    file: Annotated[Path, typer.Argument(help="YAML file.", exists=True, dir_okay=False)],
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Create a license as a draft; nothing goes out under it before it is activated.

    Fields: license_id, and terms with licensee_id, template (commercial, api_tier, research, internal),
    purposes, kinds (post, reply, quote, repost), languages, author_jurisdictions, territory ("*" alone is
    all), posted_from, posted_before, term_from, term_until, allowances (a list of per: license or licensee,
    window: second, minute, rolling_day or term, and limit) and obligations (recall_deadline_days,
    no_reidentification). What is not listed is not licensed.
    """
    request = read_document(file, contracts.CreateLicenseRequest, ("request_id",))
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    _tell(connections.run(lambda connections: create_license(connections, request)), as_json=as_json)


@app.command("activate")
def activate(
    license_id: LicenseId,
    *,
    reason: Why = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Put a draft into force."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    _tell(
        connections.run(lambda connections: activate_license(connections, license_id, reason)),
        as_json=as_json,
    )


@app.command("suspend")
def suspend(
    license_id: LicenseId,
    *,
    reason: Why = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Stop an active license; every decision that concludes after the answer sees it."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    _tell(
        connections.run(lambda connections: suspend_license(connections, license_id, reason)), as_json=as_json
    )


@app.command("resume")
def resume(
    license_id: LicenseId,
    *,
    reason: Why = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Let a suspended license go on."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    _tell(
        connections.run(lambda connections: resume_license(connections, license_id, reason)), as_json=as_json
    )


@app.command("terminate")
def terminate(
    license_id: LicenseId,
    *,
    reason: Why = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """End a license for good."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    _tell(
        connections.run(lambda connections: terminate_license(connections, license_id, reason)),
        as_json=as_json,
    )


@app.command("show")
def show_one(
    license_id: LicenseId,
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show a license with its terms."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    license = connections.run(lambda connections: get_license(connections, license_id))
    if as_json:
        give_json(plain(license))
        return
    say(_headline(license))
    show(table(("field", "value"), _lines(plain(license.terms))))


@app.command("list")
def list_(
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the licenses, by id."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    licenses = connections.run(all_licenses)
    if as_json:
        give_json([plain(license) for license in licenses])
        return
    rows = [
        (
            license.license_id,
            license.version,
            _state(license),
            license.terms.licensee_id,
            moments.clock_face(license.terms.term_until)[:10],
        )
        for license in licenses
    ]
    show(table(("license", ">version", "state", "licensee", "term until"), rows))


async def create_license(connections: Connections, request: contracts.CreateLicenseRequest) -> License:
    """Creates the draft under a fresh request id; raises Refusal."""
    request.request_id = connections.new_id()
    peer = connections.peer("licensing")
    return (await peer.call(ContractServiceStub(peer.channel).CreateLicense, request)).license


async def activate_license(connections: Connections, id: str, reason: str) -> License:
    """Raises Refusal, as the three below do."""
    return await _change(
        connections, id, reason, contracts.ActivateLicenseRequest, lambda s: s.ActivateLicense
    )


async def suspend_license(connections: Connections, id: str, reason: str) -> License:
    """Raises Refusal."""
    return await _change(connections, id, reason, contracts.SuspendLicenseRequest, lambda s: s.SuspendLicense)


async def resume_license(connections: Connections, id: str, reason: str) -> License:
    """Raises Refusal."""
    return await _change(connections, id, reason, contracts.ResumeLicenseRequest, lambda s: s.ResumeLicense)


async def terminate_license(connections: Connections, id: str, reason: str) -> License:
    """Raises Refusal."""
    return await _change(
        connections, id, reason, contracts.TerminateLicenseRequest, lambda s: s.TerminateLicense
    )


async def get_license(connections: Connections, id: str, *, at_most_us: int | None = None) -> License:
    """Within `at_most_us` microseconds; raises Refusal."""
    peer = connections.peer("licensing")
    request = contracts.GetLicenseRequest(license_id=id)
    stub = ContractServiceStub(peer.channel)
    return (await peer.call(stub.GetLicense, request, at_most_us=at_most_us)).license


async def all_licenses(connections: Connections) -> list[License]:
    """Every license the caller may see, by id; raises Refusal."""
    peer = connections.peer("licensing")
    stub = ContractServiceStub(peer.channel)
    licenses: list[License] = []
    token = ""
    while True:
        page = await peer.call(
            stub.ListLicenses, contracts.ListLicensesRequest(page_size=PAGE, page_token=token)
        )
        licenses += page.licenses
        token = page.next_page_token
        if not token:
            return licenses


async def _change(
    connections: Connections, id: str, reason: str, request: Any, method: Callable[[ContractServiceStub], Any]
) -> License:
    peer = connections.peer("licensing")
    asked = request(request_id=connections.new_id(), license_id=id, reason=reason)
    answer = await peer.call(method(ContractServiceStub(peer.channel)), asked)
    license: License = answer.license
    return license


def _tell(license: License, *, as_json: bool) -> None:
    if as_json:
        give_json(plain(license))
    else:
        say(_headline(license))


def _headline(license: License) -> str:
    text = f"License {license.license_id}, version {license.version}, of {license.terms.licensee_id}:"
    reason = f" ({license.state_reason})" if license.state_reason else ""
    return f"{text} {_state(license)}{reason} since {moments.clock_face(license.state_changed_at)}."


def _state(license: License) -> str:
    return word_of(LicenseState.DESCRIPTOR, license.state)


def _lines(terms: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, _written(value)) for name, value in terms.items()]


def _written(value: Any) -> str:
    if isinstance(value, list):
        return (
            "\n".join(_written(element) for element in value)
            if _nested(value)
            else ", ".join(map(str, value))
        )
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_written(inner)}" for name, inner in value.items())
    return f"{value:,}" if type(value) is int else str(value)


def _nested(values: list[Any]) -> bool:
    return any(isinstance(value, dict) for value in values)
