"""Fields, rules and paths of contracts, as OpenAPI has them: each kind of them that a contract can have."""

from typing import Any

import pytest

from services.console.gateway.openapi.document import openapi
from tests.support.contract_images import a_contract

RPC = """
// Serves trials. Reasons of refusal that every RPC can return: INTERNAL, QUEUE_FULL (with a time); those
// that write also REQUEST_ID_REUSED. ListTrials asks twice, and can return PEER_REFUSED too. Those with a
// stream also TOO_MANY_STREAMS.
service TrialService {
  // Tries it. Idempotent by request_id. Reasons: STATS_BUSY (RESOURCE_EXHAUSTED).
  rpc Try(TryRequest) returns (TryResponse) {
    option (sluice.type.v1.admission) = {kinds: [CALLER_KIND_SUBJECT]};
    option (google.api.http) = {RULE};
  }
}
// Tries.
message TryRequest {
FIELDS
}
// What came of it.
message TryResponse {
  // One of its own kind.
  TryResponse inner = 1;
}
// A thing.
message Thing {
  // Its name.
  string name = 1 [(buf.validate.field).string.min_len = 1];
  // Its size.
  uint32 size = 2;
}
"""
POST = 'post: "/v1/trials" body: "*"'


def a_document(fields: str, rule: str = POST) -> dict[str, Any]:
    return openapi(a_contract(RPC.replace("RULE", rule).replace("FIELDS", fields)))


def request_schema(fields: str) -> dict[str, Any]:
    schema: dict[str, Any] = a_document(fields)["components"]["schemas"]["sluice.trial.v1.TryRequest"]
    return schema


def test_each_type_is_as_json_has_it() -> None:
    properties = request_schema(
        """
        // Whether.
        bool is_it = 1;
        // How many.
        int32 small = 2;
        // How very many.
        fixed64 large = 3;
        // Bytes.
        bytes raw = 4;
        // When.
        google.protobuf.Timestamp at = 5;
        // How long.
        google.protobuf.Duration lasting = 6;
        // Which fields.
        google.protobuf.FieldMask mask = 7;
        // Anything.
        google.protobuf.Struct anything = 8;
        // By name.
        map<string, int64> by_name = 9;
        // Names.
        repeated string names = 10;
        // What for.
        sluice.type.v1.Purpose purpose = 11;
        // The thing.
        Thing thing = 12;
        // How much.
        double real = 13;
        """
    )["properties"]

    assert properties == {
        "isIt": {"type": "boolean", "description": "Whether."},
        "small": {"type": "integer", "format": "int32", "description": "How many."},
        "large": {
            "type": "string",
            "format": "uint64",
            "pattern": "^[0-9]+$",
            "description": "How very many.",
        },
        "raw": {"type": "string", "contentEncoding": "base64", "description": "Bytes."},
        "at": {"type": "string", "format": "date-time", "description": "When."},
        "lasting": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$", "description": "How long."},
        "mask": {"type": "string", "description": "Which fields."},
        "anything": {"type": "object", "additionalProperties": True, "description": "Anything."},
        "byName": {
            "type": "object",
            "additionalProperties": {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"},
            "description": "By name.",
        },
        "names": {"type": "array", "items": {"type": "string"}, "description": "Names."},
        "purpose": {"$ref": "#/components/schemas/sluice.type.v1.Purpose", "description": "What for."},
        "thing": {"$ref": "#/components/schemas/sluice.trial.v1.Thing", "description": "The thing."},
        "real": {"type": ["number", "string"], "format": "double", "description": "How much."},
    }


def test_an_enum_is_its_names_with_their_sentences() -> None:
    document = a_document("// What for.\nsluice.type.v1.Purpose purpose = 1;")

    purpose = document["components"]["schemas"]["sluice.type.v1.Purpose"]

    assert purpose["enum"][:2] == ["PURPOSE_UNSPECIFIED", "PURPOSE_THIRD_PARTY_SHARING"]
    assert "- `PURPOSE_AI_TRAINING_GENERATIVE`: Training of generative models." in purpose["description"]


@pytest.mark.parametrize(
    ("field", "keywords"),
    [
        ("string a = 1 [(buf.validate.field).string.uuid = true];", {"format": "uuid"}),
        ('string a = 1 [(buf.validate.field).string.pattern = "^[a-z]+$"];', {"pattern": "^[a-z]+$"}),
        (
            "string a = 1 [(buf.validate.field).string = {min_len: 1, max_len: 9}];",
            {"minLength": 1, "maxLength": 9},
        ),
        (
            "int32 a = 1 [(buf.validate.field).int32 = {gte: 1, lt: 9}];",
            {"minimum": 1, "exclusiveMaximum": 9},
        ),
        ("bool a = 1 [(buf.validate.field).bool.const = true];", {"const": True}),
        ("repeated int32 a = 1 [(buf.validate.field).repeated.min_items = 1];", {"minItems": 1}),
        (
            "sluice.type.v1.Purpose a = 1 [(buf.validate.field).enum = {not_in: [0]}];",
            {"not": {"enum": ["PURPOSE_UNSPECIFIED"]}},
        ),
        (
            "sluice.type.v1.Purpose a = 1 [(buf.validate.field).enum = {in: [2]}];",
            {"enum": ["PURPOSE_AI_TRAINING_GENERATIVE"]},
        ),
    ],
)
def test_what_a_rule_refuses_when_it_is_left_out_is_required(field: str, keywords: dict[str, Any]) -> None:
    schema = request_schema(f"// It.\n{field}")

    assert schema["required"] == ["a"]
    assert schema["properties"]["a"].items() >= keywords.items()


@pytest.mark.parametrize(
    "field",
    [
        "optional string a = 1 [(buf.validate.field).string.uuid = true];",
        "string a = 1 [(buf.validate.field) = {string: {uuid: true}, ignore: IGNORE_ALWAYS}];",
        "int32 a = 1 [(buf.validate.field) = {int32: {gt: 1}, ignore: IGNORE_IF_ZERO_VALUE}];",
        'string a = 1 [(buf.validate.field).string.pattern = "^([a-z]+)?$"];',
        "int32 a = 1 [(buf.validate.field).int32.lte = 9];",
        "Thing a = 1;",
    ],
)
def test_what_may_be_left_out_is_not_required(field: str) -> None:
    assert "required" not in request_schema(f"// It.\n{field}")


def test_a_message_or_an_optional_field_is_required_where_its_contract_says_so() -> None:
    schema = request_schema(
        """
        // It.
        Thing a = 1 [(buf.validate.field).required = true];
        // How many.
        optional uint32 b = 2 [(buf.validate.field).required = true];
        """
    )

    assert schema["required"] == ["a", "b"]


def test_rules_without_a_keyword_are_in_words() -> None:
    properties = request_schema(
        """
        // Its digest.
        bytes digest = 1 [(buf.validate.field).bytes.len = 32];
        // How many.
        uint64 count = 2 [(buf.validate.field).uint64 = {gt: 0, lte: 10}];
        // How long.
        google.protobuf.Duration lasting = 3 [(buf.validate.field).duration.lte = {seconds: 9}];
        // Even.
        int32 even = 4 [(buf.validate.field).cel = {id: "e", message: "an even number", expression: "true"}];
        // Headers.
        repeated string headers = 5 [(buf.validate.field).repeated.items.string.max_bytes = 16384];
        """
    )["properties"]

    assert {name: field["description"] for name, field in properties.items()} == {
        "digest": "Its digest. 32 bytes.",
        "count": "How many. At most 10. More than 0.",
        "lasting": "How long. At most 9s.",
        "even": "Even. An even number.",
        "headers": "Headers. Each at most 16,384 bytes in UTF-8.",
    }


def test_a_rule_that_has_no_words_stops_it() -> None:
    with pytest.raises(ValueError, match=r"string\.email has no words"):
        request_schema("// It.\nstring a = 1 [(buf.validate.field).string.email = true];")


def test_of_a_oneof_one_is_there_or_none_and_one_exactly_where_it_is_required() -> None:
    fields = "// A.\nstring a = 1;\n// B.\nstring b = 2; }"
    needed = f"oneof scope {{ option (buf.validate.oneof).required = true;\n{fields}"
    free = f"oneof scope {{\n{fields}"
    each = [{"required": ["a"]}, {"required": ["b"]}]

    assert request_schema(needed)["allOf"] == [{"oneOf": each}]
    assert request_schema(free)["allOf"] == [{"oneOf": [*each, {"not": {"anyOf": each}}]}]
    assert "allOf" not in request_schema("// A.\noptional string a = 1;")


def test_what_is_in_the_path_is_not_in_the_body() -> None:
    document = a_document(
        "// It.\nThing thing = 1;\n// More.\nstring more = 2;",
        'post: "/v1/things/{thing.name}:try" body: "*"',
    )

    tried = document["paths"]["/v1/things/{thing.name}:try"]["post"]
    body = tried["requestBody"]["content"]["application/json"]["schema"]

    assert [(each["name"], each["in"]) for each in tried["parameters"]] == [("thing.name", "path")]
    assert list(body["properties"]) == ["thing", "more"]
    assert list(body["properties"]["thing"]["properties"]) == ["size"]


def test_what_is_not_in_the_path_of_a_get_is_in_its_query() -> None:
    document = a_document(
        """
        // Which.
        string trial_id = 1;
        // The thing.
        Thing thing = 2 [(buf.validate.field).required = true];
        // When.
        google.protobuf.Timestamp at = 3;
        // What for.
        repeated sluice.type.v1.Purpose purposes = 4;
        """,
        'get: "/v1/trials/{trial_id}"',
    )

    parameters = document["paths"]["/v1/trials/{trialId}"]["get"]["parameters"]

    assert [(each["name"], each["in"], each["required"]) for each in parameters] == [
        ("trialId", "path", True),
        ("thing.name", "query", True),
        ("thing.size", "query", False),
        ("at", "query", False),
        ("purposes", "query", False),
    ]
    assert parameters[-1]["explode"] is True


def test_what_is_in_the_path_of_a_get_is_not_in_its_query() -> None:
    document = a_document("// It.\nThing thing = 1;", 'get: "/v1/things/{thing.name}"')

    parameters = document["paths"]["/v1/things/{thing.name}"]["get"]["parameters"]

    assert [(each["name"], each["in"]) for each in parameters] == [
        ("thing.name", "path"),
        ("thing.size", "query"),
    ]


def test_a_list_of_messages_cannot_be_in_a_query() -> None:
    with pytest.raises(ValueError, match="cannot be told in a query"):
        a_document("// Them.\nrepeated Thing things = 1;", 'get: "/v1/trials"')


def test_each_further_path_of_an_rpc_is_an_operation_and_of_a_oneof_one_way_leaves_the_others_out() -> None:
    document = a_document(
        "oneof which {\n// A.\nstring a = 1;\n// B.\nstring b = 2; }",
        'get: "/v1/trials" additional_bindings {get: "/v1/trials/{a}"}',
    )

    first, second = (document["paths"][path]["get"] for path in ("/v1/trials", "/v1/trials/{a}"))

    assert [first["operationId"], second["operationId"]] == ["TrialService_Try", "TrialService_Try_2"]
    assert [each["name"] for each in second["parameters"]] == ["a"]
    assert first["parameters"][0]["description"] == "A. One alone of `a`, `b`."


def test_reasons_are_those_of_the_rpc_and_those_that_its_service_has_for_its_kind() -> None:
    written = a_document("// It.\nstring a = 1;")["paths"]["/v1/trials"]["post"]["x-sluice-reasons"]

    assert written == {
        "own": ["STATS_BUSY"],
        "general": ["INTERNAL", "QUEUE_FULL", "REQUEST_ID_REUSED"],
        "statuses": {"STATS_BUSY": 429, "INTERNAL": 500, "QUEUE_FULL": 429, "REQUEST_ID_REUSED": 409},
    }


def test_what_no_caller_from_outside_may_call_is_left_out() -> None:
    text = RPC.replace("RULE", POST).replace("FIELDS", "").replace("KIND_SUBJECT", "KIND_PIPELINE")

    assert openapi(a_contract(text))["paths"] == {}
