"""`sluice licensee`: the parties that may receive posts."""

from typing import Annotated

import typer

from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import plain
from services.console.output import give_json, say, show, table
from sluice.licensing.v1 import contract_service_pb2 as contracts
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.license_pb2 import Licensee

PAGE = 200

app = typer.Typer(help="Licensees: the parties that may receive posts.", no_args_is_help=True)


@app.callback()
def licensees() -> None:
    """Licensees: the parties that may receive posts."""


@app.command("create")
def create(
    licensee_id: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Lower-case letters, digits, dots, underscores, dashes.",
            parser=options.name_id,
        ),
    ],
    *,
    name: Annotated[str, typer.Option(help="Its name for people.")],
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Create a licensee."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    answer = connections.run(lambda connections: create_licensee(connections, licensee_id, name))
    if as_json:
        give_json(plain(answer.licensee))
        return
    say(f"Licensee {answer.licensee.licensee_id} ({answer.licensee.display_name}) is created.")


@app.command("list")
def list_(
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the licensees, by id."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    found = connections.run(all_licensees)
    if as_json:
        give_json([plain(licensee) for licensee in found])
        return
    rows = [
        (licensee.licensee_id, licensee.display_name, clock_face(licensee.created_at)) for licensee in found
    ]
    show(table(("licensee", "name", "created at"), rows))


async def create_licensee(connections: Connections, id: str, name: str) -> contracts.CreateLicenseeResponse:
    """Creates it under a fresh request id; raises Refusal."""
    peer = connections.peer("licensing")
    request = contracts.CreateLicenseeRequest(
        request_id=connections.new_id(), licensee=Licensee(licensee_id=id, display_name=name)
    )
    return await peer.call(ContractServiceStub(peer.channel).CreateLicensee, request)


async def all_licensees(connections: Connections, *, at_most_us: int | None = None) -> list[Licensee]:
    """Every licensee, by id; each page within `at_most_us` microseconds. Raises Refusal."""
    peer = connections.peer("licensing")
    stub = ContractServiceStub(peer.channel)
    found: list[Licensee] = []
    token = ""
    while True:
        request = contracts.ListLicenseesRequest(page_size=PAGE, page_token=token)
        page = await peer.call(stub.ListLicensees, request, at_most_us=at_most_us)
        found += page.licensees
        token = page.next_page_token
        if not token:
            return found
