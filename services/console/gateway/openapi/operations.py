"""RPCs as operations of OpenAPI: what they take and answer, who may call them and why they are refused."""

from google.protobuf.descriptor import MethodDescriptor

from services.console.gateway.openapi.callers import Callers, callers_of
from services.console.gateway.openapi.examples import answer_example, body_example, parameter_examples
from services.console.gateway.openapi.image import Contracts
from services.console.gateway.openapi.paths import Binding, Parameter, parameter_object, parameters_of
from services.console.gateway.openapi.reasons import Manner, general_reasons, is_write, own_reasons
from services.console.gateway.openapi.rules import Json
from services.console.gateway.openapi.schemas import Schemas
from services.console.gateway.openapi.statuses import status_of

REFUSALS = {
    "400": ("Invalid", "What was sent breaks a rule, or what it asks for cannot be done as things stand."),
    "401": ("NotSignedIn", "No token, or one that is not good or has expired."),
    "403": ("NotAdmitted", "Not for callers of this kind or role."),
    "404": ("NotThere", "There is no such thing, or it is not the caller's: which of the two is not told."),
    "409": ("Differs", "It is there already, and differs; or another call came first."),
    "429": ("TooMuch", "Too many calls, or too much under way: try again at the time that is told."),
    "500": ("Fault", "A fault of the platform's, told without its text."),
    "503": ("Unavailable", "What it takes is out of reach just now. Try the same again, with the same id."),
    "504": ("TooLate", "It took too long. What was written, if anything, is found by the same call again."),
}
"""Statuses of HTTP by name and meaning, as the gateway makes them of those of gRPC."""
OF_THE_GATEWAY = "OfTheGateway"
"""What the gateway answers with itself, under these statuses and others."""
WITHOUT_TOKEN = {"401", "403"}
"""Statuses that nobody meets where no token is asked for."""
A_STREAM = "A stream: one JSON object a line, as it comes. An error after the first line ends the stream."


class Operations:
    """Makes the operations of one document."""

    def __init__(self, contracts: Contracts, schemas: Schemas) -> None:
        """`schemas` gets to know the messages that the operations name."""
        self._contracts = contracts
        self._schemas = schemas

    def operation(self, binding: Binding, number: int) -> Json:
        """One way to an RPC; `number` counts its ways from 1, for each operation has an id of its own."""
        method, callers = binding.method, callers_of(binding.method)
        comment = self._contracts.comment(method)
        shown: Json = {
            "operationId": f"{service_name(method)}_{method.name}{f'_{number}' if number > 1 else ''}",
            "summary": _first_sentence(comment),
            "description": f"{comment}\n\n{callers.in_words()}",
            "tags": [service_name(method), *(view(kind) for kind in callers.kinds)],
            "parameters": [self._parameter(each, binding) for each in parameters_of(binding)],
            "responses": self._responses(method, callers),
            "x-sluice-callers": _callers_object(callers),
            "x-sluice-reasons": self._reasons(method, comment),
            "x-sluice-rpc": f"{method.containing_service.full_name}/{method.name}",
        }
        if binding.has_body:
            shown["requestBody"] = self._body(binding)
        return shown | ({"security": []} if callers.anyone else {})

    def _parameter(self, parameter: Parameter, binding: Binding) -> Json:
        shown = parameter_object(parameter, self._schemas)
        values = parameter_examples(binding)
        return shown | ({"example": values[parameter.name]} if parameter.name in values else {})

    def _body(self, binding: Binding) -> Json:
        bound = frozenset(binding.bound)
        message = binding.method.input_type
        schema = self._schemas.message(message, bound) if bound else self._schemas.reference(message)
        return {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": body_example(binding)}},
        }

    def _responses(self, method: MethodDescriptor, callers: Callers) -> Json:
        answer = method.output_type
        good = {
            "description": A_STREAM if method.server_streaming else self._contracts.comment(answer),
            "content": {
                "application/json": {
                    "schema": self._schemas.reference(answer),
                    "example": answer_example(method),
                }
            },
        }
        refused = {
            status: {"$ref": f"#/components/responses/{name}"}
            for status, (name, _) in REFUSALS.items()
            if not (callers.anyone and status in WITHOUT_TOKEN)
        }
        return {"200": good, **refused, "default": {"$ref": f"#/components/responses/{OF_THE_GATEWAY}"}}

    def _reasons(self, method: MethodDescriptor, comment: str) -> Json:
        service = method.containing_service
        package = service.full_name.rpartition(".")[0]
        manner = Manner(writes=is_write(comment), streams=method.server_streaming)
        own = own_reasons(comment)
        shared = general_reasons(
            self._contracts.comment(service),
            manner,
            lambda name: self._contracts.comment_of(f"{package}.{name}"),
        )
        general = [reason for reason in shared if reason not in own]
        statuses = {reason: status_of(reason) for reason in (*own, *general)}
        return {"own": own, "general": general, "statuses": statuses}


def service_name(method: MethodDescriptor) -> str:
    """The service without its package: no two of them share a name that have paths over HTTP."""
    return str(method.containing_service.name)


def view(kind: str) -> str:
    """The tag of what a kind of callers may call."""
    return f"for {kind}s"


def _callers_object(callers: Callers) -> Json:
    return {
        "kinds": list(callers.kinds),
        "roles": list(callers.roles),
        "sandbox": list(callers.sandbox),
        "anyone": callers.anyone,
    }


def _first_sentence(comment: str) -> str:
    for at, letter in enumerate(comment):
        if letter in ".?:" and comment[at + 1 : at + 2] in {"", " "}:
            return comment[: at + 1].removesuffix(":").removesuffix(".")
    return comment
