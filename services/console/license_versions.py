"""`sluice license`: what makes another version of a license, and what differs between two."""

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import invalid, not_found, precondition
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.documents import Document, read_located
from services.console.license_calls import (
    all_versions,
    amend_license,
    check_terms,
    get_license,
    withdraw_amendment,
)
from services.console.license_facts import as_plain, differences
from services.console.licenses import LicenseId, Why, tell
from services.console.moments import clock_face
from services.console.names import complete, words
from services.console.output import give_json, say, show, table
from sluice.licensing.v1.contract_service_pb2 import CreateLicenseRequest
from sluice.licensing.v1.license_pb2 import LicenseTemplate, LicenseTerms, LicenseVersion

LicenseFile = Annotated[Path, typer.Argument(help="YAML file.", exists=True, dir_okay=False)]


def read_license(file: Path) -> Document[CreateLicenseRequest]:
    """A license as it stands in a file; raises Refusal (invalid, DOCUMENT_INVALID) and OSError."""
    return read_located(file, CreateLicenseRequest, ("request_id",))


def template(
    name: Annotated[str, typer.Argument(help="commercial, api_tier, research or internal.")] = "commercial",
) -> None:
    """Print a license of some sort to start from: sluice license template api_tier > license.yaml."""
    known = list(words(LicenseTemplate.DESCRIPTOR))
    if name not in known:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(known)}", param_hint="NAME")
    file = resources.files("services.console").joinpath("license_templates", f"{name}.yaml")
    say(file.read_text(encoding="utf-8").rstrip())


def check(
    file: LicenseFile,
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Check the terms in a file, storing nothing; a fault is named with its line and field."""
    document = read_license(file)
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    with document.located():
        digest = connections.run(lambda connections: check_terms(connections, document.message.terms))
    if as_json:
        give_json({"license_id": document.message.license_id, "terms_digest": digest.hex()})
    else:
        say(f"{file} holds good terms. Their digest, which receipts would name: {digest.hex()}")


def amend(
    file: LicenseFile,
    *,
    reason: Why = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Draft the next version of a license; what is in force stays so until the draft is activated.

    The file is as for `license create`, with all of the new terms. See what would change with `license diff`.
    """
    document = read_license(file)
    asked = document.message
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})

    async def work(connections: Connections) -> None:
        standing = await get_license(connections, asked.license_id)
        with document.located():
            amended = await amend_license(connections, standing, asked.terms, reason)
        tell(amended, as_json=as_json)

    connections.run(work)


def withdraw(
    license_id: LicenseId,
    version: Annotated[
        int, typer.Argument(help="The version that is not in force yet.", min=1, max=2**31 - 1)
    ],
    *,
    reason: Why = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Take back an amendment that is not in force yet, or the time that was set for a draft."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    license = connections.run(
        lambda connections: withdraw_amendment(connections, license_id, version, reason)
    )
    tell(license, as_json=as_json)


def versions(
    license_id: LicenseId,
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the versions of a license, newest first."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    found = connections.run(lambda connections: all_versions(connections, license_id))
    if as_json:
        give_json([complete(version) for version in found])
        return
    rows = [
        (each.version, _since(each), each.created_by, each.reason, each.terms_digest.hex()[:16])
        for each in found
    ]
    show(table((">version", "in force from", "drafted by", "reason", "=terms digest"), rows))


def diff(
    license_id: LicenseId,
    *,
    before: Annotated[
        int | None, typer.Option("--from", help="A version. Else the one before the other.", min=1)
    ] = None,
    after: Annotated[
        int | None, typer.Option("--to", help="A version. Else the newest that was not withdrawn.", min=1)
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="Compare with this file instead of --to.", exists=True, dir_okay=False),
    ] = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what differs between two versions of a license, or between one and a file for the same license."""
    if file is not None and after is not None:
        raise typer.BadParameter("cannot be given together with --to", param_hint="--file")
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    found = connections.run(lambda connections: all_versions(connections, license_id))
    standing = [each for each in found if not each.HasField("withdrawn_at")]
    if file is not None:
        terms, name = _terms_for(license_id, file), file.name
        old = _version(found, before) if before else standing[0]
    else:
        new = _version(found, after) if after else standing[0]
        terms, name = new.terms, f"version {new.version}"
        old = _version(found, before) if before else _one_before(standing, new)
    changes = differences(old.terms, terms)
    if as_json:
        give_json({"from": f"version {old.version}", "to": name, "differences": as_plain(changes)})
        return
    if not changes:
        say(f"Version {old.version} and {name} say the same.")
        return
    rows = [(change.fact, change.words()) for change in changes]
    show(table(("fact", f"version {old.version} -> {name}"), rows))


def _terms_for(license_id: str, file: Path) -> LicenseTerms:
    """The terms in a file that is for this license; raises Refusal (invalid, LICENSE_DIFFERS)."""
    document = read_license(file)
    with document.located():
        if document.message.license_id != license_id:
            what = f"the file is for {document.message.license_id}, not for {license_id}"
            raise invalid("LICENSE_DIFFERS", what, field="license_id")
    return document.message.terms


def _one_before(standing: list[LicenseVersion], version: LicenseVersion) -> LicenseVersion:
    """The version before another; raises Refusal (precondition, VERSION_ALONE)."""
    for earlier in standing:
        if earlier.version < version.version:
            return earlier
    what = f"there is no version before {version.version} to compare it with"
    raise precondition("VERSION_ALONE", what)


def _version(found: list[LicenseVersion], number: int) -> LicenseVersion:
    for version in found:
        if version.version == number:
            return version
    raise not_found("VERSION_UNKNOWN", f"there is no version {number} of this license")


def _since(version: LicenseVersion) -> str:
    if version.HasField("withdrawn_at"):
        return f"withdrawn {clock_face(version.withdrawn_at)}"
    return clock_face(version.effective_from) if version.HasField("effective_from") else "a draft"
