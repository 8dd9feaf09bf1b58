"""Which way things point: the import rules of ARCHITECTURE.md, read from the source itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("consent", "metering", "licensing", "directory")
RECIPES = {
    *("acknowledging", "custodian", "freshness", "registrar", "watching"),
    *("id_table", "index", "places", "post_states", "profiles"),
    *(
        "assessor",
        "audit",
        "disputes",
        "imports",
        "limiter",
        "meter",
        "projector",
        "roster",
        "usage",
        "watches",
    ),
    *("affiliates", "billing", "contracts", "desk", "finisher", "highest", "ledger", "outbox", "sealing"),
    *("sweeper", "api_keys", "evaluation", "forgetting", "pacing", "sandbox", "tokens"),
    *("following", "issuing", "recalls", "rechecking", "scanning"),
    *("announcing", "recall_watching", "recalling", "webhooks"),
    *("countersigning", "explaining", "outlook", "statistics", "publishing", "proving", "restores"),
    *("auditing", "listing", "manifest_proofs", "requesting", "serving", "shelf"),
    *("admitting", "backlogs", "network_counting", "wall_watching", "walls"),
}
TECHNOLOGIES = {"grpc", "sqlalchemy", "sqlmodel", "alembic", "google", "sluice", "pydantic", "os"}
EDGES = {"rpc", "storage", "peers", "signing"}


def sources(*below: str) -> Iterator[Path]:
    for folder in below:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def strays(path: Path, allowed: tuple[str, ...]) -> set[str]:
    """Project modules that the file imports and may not."""
    ours = {name for name in imports(path) if name.split(".")[0] in {"services", "sluice", "sluice_gate"}}
    return {name for name in ours if not name.startswith(allowed)}


def part_of(path: Path) -> str:
    """The part of its service that a file belongs to: "rpc" for services/x/rpc.py and services/x/rpc/y.py."""
    return path.relative_to(ROOT).parts[2].removesuffix(".py")


def test_a_domain_imports_only_its_own_domain_and_refusals() -> None:
    for service in SERVICES:
        for path in sources(f"services/{service}/domain"):
            assert not strays(path, (f"services.{service}.domain.", "services.chassis.refusals.")), path
            assert TECHNOLOGIES.isdisjoint(name.split(".")[0] for name in imports(path)), path


def test_a_recipe_knows_no_technology() -> None:
    for path in sources(*(f"services/{service}" for service in SERVICES)):
        if part_of(path) in RECIPES:
            assert TECHNOLOGIES.isdisjoint(name.split(".")[0] for name in imports(path)), path


def test_the_edges_of_a_service_do_not_know_each_other() -> None:
    for service in SERVICES:
        for path in sources(f"services/{service}"):
            part = part_of(path)
            others = tuple(f"services.{service}.{edge}" for edge in EDGES - {part})
            if part in EDGES:
                assert not [name for name in imports(path) if name.startswith(others)], path


def test_no_service_imports_another() -> None:
    for service in (*SERVICES, "console"):
        for path in sources(f"services/{service}"):
            allowed = (f"services.{service}.", "services.chassis.", "sluice.")
            assert not strays(path, (*allowed, "sluice_gate") if service == "console" else allowed), path


def test_the_chassis_imports_no_service_and_knows_no_contract() -> None:
    for path in sources("services/chassis"):
        assert not strays(path, ("services.chassis.",)), path


def test_the_gate_speaks_through_the_contracts_alone() -> None:
    for path in sources("sluice_gate"):
        assert not strays(path, ("sluice_gate", "sluice.")), path


def test_only_main_and_settings_read_settings() -> None:
    for service in SERVICES:
        for path in sources(f"services/{service}"):
            if part_of(path) not in {"__main__", "assembly", "settings"}:
                assert not [name for name in imports(path) if ".settings" in name], path
                assert "os.environ" not in path.read_text(encoding="utf-8"), path


def test_nothing_that_is_cancelled_goes_on() -> None:
    # Up to Python 3.11 a wait_for that is cancelled as it comes to its end forgets that it was:
    # the task goes on, and whoever ends it waits for ever.
    for path in sources("services", "sluice_gate"):
        assert "asyncio.wait_for(" not in path.read_text(encoding="utf-8"), path
