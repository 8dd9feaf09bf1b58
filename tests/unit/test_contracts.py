"""Every RPC of every contract says whom it admits, is safe to repeat, and names its reasons of refusal."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from services.chassis.action_requests import SUBJECT, fields_within
from services.chassis.identity import AdmissionTable, PrincipalKind
from services.chassis.recording import changes_something, is_action
from services.consent.rpc.admissions import ADMISSIONS as OF_CONSENT
from services.console.gateway.rendering import ALONE
from services.console.gateway.routes import contracts as gateway_contracts
from services.console.gateway.routes import routes
from services.directory.rpc.admissions import ADMISSIONS as OF_DIRECTORY
from services.licensing.rpc.admissions import ADMISSIONS as OF_LICENSING
from services.licensing.rpc.admissions import BEHIND_THE_GATEWAY
from services.metering.rpc.admissions import ADMISSIONS as OF_METERING

GENERATED = Path(__file__).resolve().parents[2] / "protos" / "python"
READS = ("Get", "List", "Check", "Explain", "Watch", "Export", "Query", "Max", "Audit", "Preview", "Read")
GATEWAY = {"envoy.service.auth": "sluice.licensing", "envoy.service.ratelimit": "sluice.metering"}
"""Envoy's own contracts (protos/gateway), by package, and who keeps them."""
TABLES: dict[str, AdmissionTable] = {
    "sluice.consent": OF_CONSENT,
    "sluice.directory": OF_DIRECTORY,
    "sluice.licensing": OF_LICENSING,
    "sluice.metering": OF_METERING,
}


def contracts() -> Iterator[ServiceDescriptor]:
    for path in sorted(
        (*(GENERATED / "sluice").rglob("*_pb2.py"), *(GENERATED / "gateway").rglob("*_pb2.py"))
    ):
        name = ".".join(path.relative_to(GENERATED).with_suffix("").parts)
        yield from importlib.import_module(name).DESCRIPTOR.services_by_name.values()


def keeper_of(service: ServiceDescriptor) -> str:
    package = service.full_name.rpartition(".v")[0]
    return GATEWAY.get(package, package)


def rpcs(keeper: str) -> set[str]:
    return {
        f"/{service.full_name}/{method.name}"
        for service in contracts()
        if keeper_of(service) == keeper
        for method in service.methods
    }


def test_every_rpc_has_a_line_in_the_table_of_its_service_and_no_line_is_left_over() -> None:
    for package, table in TABLES.items():
        assert set(table) == rpcs(package)


def test_no_contract_is_without_a_service_that_keeps_it() -> None:
    assert {keeper_of(service) for service in contracts()} == set(TABLES)


def test_licensing_knows_every_rpc_that_the_gateway_asks_it_about() -> None:
    led = {route.path for route in routes(gateway_contracts()) if route.upstream not in ALONE}

    assert led <= set(BEHIND_THE_GATEWAY)


def test_only_reads_are_open_to_every_kind_of_caller() -> None:
    for table in TABLES.values():
        for method, admission in table.items():
            everyone = admission.kinds == frozenset(PrincipalKind)
            assert not everyone or method.rpartition("/")[2].startswith(READS), method


def test_an_agent_may_call_what_a_subject_may_and_nothing_else() -> None:
    for table in TABLES.values():
        for method, admission in table.items():
            both = {PrincipalKind.SUBJECT, PrincipalKind.AGENT} & admission.kinds
            assert len(both) != 1, method


def test_what_is_known_of_one_subject_is_open_to_them_and_to_operators_who_look_after_it_alone() -> None:
    kinds = {PrincipalKind.SUBJECT, PrincipalKind.AGENT, PrincipalKind.OPERATOR, PrincipalKind.PIPELINE}
    about_one = {
        f"/{service.full_name}/{method.name}": TABLES[".".join(service.full_name.split(".")[:2])]
        for service in contracts()
        for method in service.methods
        if "subject_id" in method.input_type.fields_by_name
    }
    assert len(about_one) >= 8
    for method, table in about_one.items():
        assert table[method].kinds <= kinds, method
        assert table[method].roles and "finance" not in table[method].roles, method


def test_c11_what_an_operator_changes_names_a_subject_in_consent_alone_which_erases_them() -> None:
    naming = {
        f"/{service.full_name}/{method.name}"
        for service in contracts()
        for method in service.methods
        if any(field.name in {SUBJECT, "author_id"} for field in fields_within(method.input_type))
    }
    actions = {
        method
        for table in TABLES.values()
        for method, admission in table.items()
        if is_action(method, admission)
    }

    of_consent = "/sluice.consent.v1"
    assert naming & actions == {
        f"{of_consent}.ConsentService/ImportSubjects",
        f"{of_consent}.ConsentService/RecordChoice",
        f"{of_consent}.ConsentService/RecordChoices",
        f"{of_consent}.ConsentService/RecordSignals",
        f"{of_consent}.StateService/RecordStates",
        f"{of_consent}.SubjectService/EraseSubject",
    }


def test_what_is_open_to_strangers_is_what_makes_them_known_and_nothing_else() -> None:
    tokens = "/sluice.licensing.v1.TokenService"
    found = {method for table in TABLES.values() for method, admission in table.items() if admission.anyone}

    assert found == {f"{tokens}/GetToken", f"{tokens}/GetJwks"}


def test_the_sandbox_is_open_to_a_pipelines_question_and_a_licensees_reads_of_licenses_and_no_more() -> None:
    of_licenses = "/sluice.licensing.v1.ContractService"
    found = {
        method: set(admission.sandbox)
        for table in TABLES.values()
        for method, admission in table.items()
        if admission.sandbox
    }

    assert found == {
        "/sluice.licensing.v1.ReleaseService/Decide": {PrincipalKind.PIPELINE},
        f"{of_licenses}/GetLicense": {PrincipalKind.LICENSEE},
        f"{of_licenses}/ListLicenses": {PrincipalKind.LICENSEE},
        f"{of_licenses}/ListLicenseVersions": {PrincipalKind.LICENSEE},
    }


def test_what_an_operator_can_call_says_that_it_has_no_side_effects_where_it_only_reads() -> None:
    open_to_operators = {
        method
        for table in TABLES.values()
        for method, admission in table.items()
        if PrincipalKind.OPERATOR in admission.kinds
    }
    reads = {method for method in open_to_operators if not changes_something(method)}

    assert reads == {method for method in open_to_operators if method.rpartition("/")[2].startswith(READS)}


def test_secrets_are_marked_in_the_contracts_so_that_nothing_keeps_or_prints_them() -> None:
    fields = [
        field
        for service in contracts()
        for method in service.methods
        for message in (method.input_type, method.output_type)
        for field in message.fields
        if field.message_type is None
        and re.fullmatch(r"(.*_)?(secret|password|token|api_key)", field.name)
        and not field.name.endswith("page_token")
    ]

    assert sorted(field.full_name.removeprefix("sluice.licensing.v1.") for field in fields) == [
        "CreateApiKeyResponse.secret",
        "GetTokenRequest.api_key",
        "GetTokenResponse.token",
        "PutRecallWebhookResponse.secret",
        "RotateRecallWebhookSecretResponse.secret",
    ]
    assert all(field.GetOptions().debug_redact for field in fields)


def test_every_write_carries_an_id_that_makes_it_safe_to_repeat() -> None:
    keys = {"request_id", "reservation_id", "decision_id", "recall_id"}
    # Envoy's own have no room for one.
    for service in (each for each in contracts() if keeper_of(each) == each.full_name.rpartition(".v")[0]):
        for method in service.methods:
            if not method.name.startswith(READS):
                assert keys & fields_of(method), method.full_name


def fields_of(method: MethodDescriptor) -> set[str]:
    """The fields of its input; of one that wraps a single request, those of the request."""
    fields = method.input_type.fields_by_name
    if list(fields) == ["request"] and (wrapped := fields["request"].message_type) is not None:
        fields = wrapped.fields_by_name
    return set(fields)


MAKERS = {
    *("invalid", "not_found", "precondition", "already_exists", "unavailable", "forbidden", "exhausted"),
    *("unauthenticated", "Refusal", "_out_of_range"),
}
AT_START_ONLY = {
    *("ADDRESS_IN_USE", "DATABASE_IN_USE", "DATABASE_URL_INVALID", "DURABILITY_OFF", "KEY_UNREADABLE"),
    "KEYS_MISSING",
    *("SCHEMA_BEHIND", "MIGRATION_BUSY", "MIGRATION_FAILED", "TABLE_IN_USE", "EARLIER_RELEASE_CONNECTED"),
    "MIGRATION_UNCONFIRMED",
    *("SCHEMA_BROKEN", "NOT_GUARDED", "SCHEMA_UNKNOWN", "SETTING_UNKNOWN", "INDEX_EMPTY"),
    *("DATABASE_RESTORED", "LOG_DIR_MISSING", "LOG_FOLDER_EMPTY", "LOG_FOLDER_THERE", "RESTORE_DIVERGES"),
    *("HEAD_DAMAGED", "HEAD_DIR_MISSING", "HEAD_MISSING", "HEAD_OF_ANOTHER_DATABASE"),
    *("HEAD_OF_ANOTHER_SERVICE", "HEAD_UNREADABLE", "HEAD_UNWRITABLE", "NOT_RESTORED"),
    *("CERTIFICATE_UNUSABLE", "PLAINTEXT_EXPOSED", "TLS_INCOMPLETE"),
    *("LIMITS_FILE_INVALID", "LIMITS_FILE_UNREADABLE"),
    *("OTLP_CA_UNUSABLE", "TOKEN_ISSUERS_WRONG", "WORKERS_NEED_POSTGRESQL", "WORKER_FAILED"),
}
"""Refusals of a service to start, and of a shape of RPC that no contract has; no caller hears them."""
OF_ROTATION = {
    *("KEYS_UNREADABLE", "ROTATION_UNDER_WAY", "KEY_RETIRED", "KEY_SIGNS", "KEY_UNKNOWN"),
    "SINCE_IN_FUTURE",
}
"""Of a command that works on the files of keys; no service does."""
OF_ONE_SERVICE = {"PEER_UNAVAILABLE", "DEADLINE_TOO_SHORT"}
"""Of the chassis, but only for a service that calls others."""
OF_STREAMS = {"READER_TOO_SLOW", "TOO_MANY_STREAMS"}
"""Of the chassis, but only for a service with streams."""
OF_APPROVALS = {"PROPOSAL_UNKNOWN", "PROPOSAL_DECIDED", "SAME_OPERATOR"}
"""Of the chassis, but only for a service in which two operators decide."""

OF_ACTIONS = {"PAGE_TOKEN_INVALID"}
"""Of the chassis, but only for a service that lists what operators did."""

OF_THE_LOG = {"CHECKPOINT_MALFORMED", "NOTE_MALFORMED", "TILE_PATH_MALFORMED"}
"""Of reading the files of the log, which is done for no caller: a test below notices when it is."""


def reasons(part: str) -> set[str]:
    """Every reason that a refusal is raised with in a part of services/."""
    found: set[str] = set()
    for path in sorted((GENERATED.parents[1] / "services" / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MAKERS:
                said = [str(each.value) for each in node.args if isinstance(each, ast.Constant)]
                found.update(word for word in said if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", word))
    return found


def words(part: str) -> set[str]:
    """Every word in the contracts of a service, and in those of Envoy's, which some service answers."""
    files = [
        *(GENERATED.parent / "sluice" / part).rglob("*.proto"),
        *(GENERATED.parent / "gateway").glob("*.proto"),
    ]
    return set(re.findall(r"[A-Z_]{4,}", "\n".join(path.read_text(encoding="utf-8") for path in files)))


@pytest.mark.parametrize("part", ["consent", "directory", "metering", "licensing"])
def test_every_reason_of_refusal_is_named_in_the_contract(part: str) -> None:
    of_some = OF_ONE_SERVICE | OF_STREAMS | OF_APPROVALS | OF_ACTIONS
    everybody = reasons("chassis") - AT_START_ONLY - OF_ROTATION - of_some
    if part == "metering":  # whose writes carry a reservation's id instead
        everybody = {reason for reason in everybody if not reason.startswith("REQUEST_ID_")}

    assert len(everybody) >= 8
    assert sorted((reasons(part) | everybody) - AT_START_ONLY - OF_THE_LOG - words(part)) == []


def test_no_caller_of_licensing_has_files_of_the_log_read_for_them() -> None:
    licensing = GENERATED.parents[1] / "services" / "licensing"
    reading = ("parse_note", "parse_checkpoint", "tile_at", "log_folder")
    for path in (licensing / "proving.py", licensing / "storage" / "log.py", licensing / "rpc" / "log.py"):
        assert not [name for name in reading if name in path.read_text(encoding="utf-8")], path


def test_a_service_that_calls_others_names_the_reasons_of_calling() -> None:
    assert words("licensing") >= OF_ONE_SERVICE


@pytest.mark.parametrize("part", ["consent", "metering", "licensing"])
def test_a_service_with_streams_names_the_reasons_of_streams(part: str) -> None:
    assert words(part) >= OF_STREAMS


def test_a_service_in_which_two_operators_decide_names_the_reasons_of_approvals() -> None:
    assert words("metering") >= OF_APPROVALS


@pytest.mark.parametrize("part", ["consent", "metering", "licensing"])
def test_a_service_that_lists_what_operators_did_names_the_reasons_of_that(part: str) -> None:
    assert words(part) >= OF_ACTIONS
