"""`sluice license`: who may receive which posts, for what, and how many."""

from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import precondition
from services.console import moments, options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.documents import read_located
from services.console.license_calls import (
    activate_license,
    all_licenses,
    create_license,
    get_license,
    resume_license,
    suspend_license,
    terminate_license,
)
from services.console.license_facts import differences, facts
from services.console.names import complete, word_of
from services.console.output import give_json, say, show, table
from sluice.licensing.v1 import contract_service_pb2 as contracts
from sluice.licensing.v1.license_pb2 import License, LicenseState

app = typer.Typer(help="Licenses: who may receive which posts, for what, and how many.", no_args_is_help=True)

LicenseId = Annotated[str, typer.Argument(metavar="ID", help="The license.", parser=options.name_id)]
Why = Annotated[str, typer.Option("--reason", help="Why, for the record; the licensee is not told.")]


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
    contract_digest (SHA-256 of the text of the contract), purposes, kinds (post, reply, quote, repost),
    languages, author_jurisdictions, territory ("*" alone is all), posted_from, posted_before, term_from,
    term_until, allowances (a list of per: license, licensee or group, window: second, minute, rolling_day or
    term, and limit), obligations (recall_deadline_days, recall_business_days, recall_calendar,
    recall_time_zone, suspend_when_overdue, no_reidentification) and price (currency, period, time_zone,
    charges, minimum, maximum). What is not listed is not licensed.
    `sluice license template` prints one to start from.
    """
    document = read_located(file, contracts.CreateLicenseRequest, ("request_id",))
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    with document.located():
        license = connections.run(lambda connections: create_license(connections, document.message))
    tell(license, as_json=as_json)


@app.command("activate")
def activate(
    license_id: LicenseId,
    *,
    version: Annotated[
        int | None, typer.Option(help="Only if this is the version that is drafted.", min=1, max=2**31 - 1)
    ] = None,
    at: Annotated[str, typer.Option(metavar="TIME", help="From when. Else at once.")] = "",
    reason: Why = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Put a draft into force: a new license, or an amendment, which replaces the version before."""
    from_when = options.moment(at, "--at")
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})

    async def work(connections: Connections) -> License:
        license = await get_license(connections, license_id)
        drafted = license.next.version if license.HasField("next") else license.version
        if version not in {None, drafted}:
            raise precondition("VERSION_NOT_DRAFTED", f"the newest version is {drafted}, not {version}")
        return await activate_license(connections, license, reason, from_when)

    tell(connections.run(work), as_json=as_json)


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
    tell(
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
    tell(
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
    """End a license for good; what is drafted or waits for its time is withdrawn."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    tell(
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
        give_json(complete(license))
        return
    say(_headline(license))
    show(table(("field", "value"), facts(license.terms).items()))
    if license.HasField("next"):
        rows = [(each.fact, each.words()) for each in differences(license.terms, license.next.terms)]
        show(table(("field", f"with version {license.next.version}"), rows))


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
        give_json([complete(license) for license in licenses])
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


def tell(license: License, *, as_json: bool) -> None:
    """Says how a license stands."""
    if as_json:
        give_json(complete(license))
    else:
        say(_headline(license))


def _headline(license: License) -> str:
    text = f"License {license.license_id}, version {license.version}, of {license.terms.licensee_id}:"
    reason = f" ({license.state_reason})" if license.state_reason else ""
    standing = f"{text} {_state(license)}{reason} since {moments.clock_face(license.state_changed_at)}."
    if not license.HasField("next"):
        return standing
    following = license.next
    if not following.HasField("effective_from"):
        return f"{standing} Version {following.version} is drafted, and waits to be activated."
    since = moments.clock_face(following.effective_from)
    return f"{standing} Version {following.version} is in force from {since}."


def _state(license: License) -> str:
    return word_of(LicenseState.DESCRIPTOR, license.state)
