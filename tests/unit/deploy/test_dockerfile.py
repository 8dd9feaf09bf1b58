"""The image is pinned, small and unprivileged, and is made of nothing but what the program needs."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.dockerfile import is_left_out, patterns_of, read_dockerfile

ROOT = Path(__file__).parents[3]
FILE = read_dockerfile((ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8"))
BUILD, IMAGE = FILE.stages
IGNORED = patterns_of(ROOT / ".dockerignore")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNS = [each.text for stage in FILE.stages for each in stage.named("RUN")]
SECRET = re.compile(r"password|secret|token|credential|(?<!_)key", re.IGNORECASE)


def files_below(*paths: str) -> list[str]:
    """Files of the repository, caches left out."""
    found = [
        each
        for path in paths
        for each in ((ROOT / path).rglob("*") if (ROOT / path).is_dir() else [ROOT / path])
    ]
    return [str(each.relative_to(ROOT)) for each in found if each.is_file() and each.suffix != ".pyc"]


def test_every_stage_is_built_on_a_digest_that_has_no_default() -> None:
    arguments = {each.text.partition("=")[0]: each.text for each in FILE.arguments}

    assert [each.base for each in FILE.stages] == ["${PYTHON_IMAGE}@${PYTHON_DIGEST}"] * 2
    assert arguments["PYTHON_DIGEST"] == "PYTHON_DIGEST"
    assert re.fullmatch(r"PYTHON_IMAGE=\S+:3\.11-slim-bookworm", arguments["PYTHON_IMAGE"])


def test_the_image_runs_as_a_number_that_is_not_root() -> None:
    users = [each.text for each in IMAGE.named("USER")]

    assert users == ["10001:10001"]


def test_what_volumes_are_put_on_belongs_to_that_user() -> None:
    (made,) = [text for text in RUNS if "install -d" in text]

    assert "install -d -o 10001 -g 10001 -m 0700" in made
    assert {"/var/lib/sluice", "/var/lib/sluice-heads", "/var/lib/sluice-log"} <= set(made.split())


def test_nothing_is_fetched_but_what_the_lock_names() -> None:
    assert [each for stage in FILE.stages for each in stage.named("ADD")] == []
    assert not any(tool in text for text in RUNS for tool in ("curl", "wget", "apt-get", "git ", "http"))
    fetching = [text for text in RUNS if "pip install" in text and "--no-index" not in text]
    assert len(fetching) == 1
    assert "--require-hashes" in fetching[0]
    assert "--only-binary=:all:" in fetching[0]


def test_neither_pip_nor_what_builds_the_project_is_left() -> None:
    (lasting,) = [text for text in RUNS if "pip uninstall" in text]
    (build_only,) = [each.words[0].partition("=")[2] for each in BUILD.named("ARG")]
    wanted = (ROOT / "build-requirements.in").read_text(encoding="utf-8").splitlines()

    assert {name for name in wanted if not name.startswith("#")} <= set(build_only.split())
    assert lasting.endswith("uninstall --yes pip setuptools")
    assert lasting.index("${BUILD_ONLY}") < lasting.index("pip check") < lasting.index("--yes pip")


def test_no_secret_is_an_argument_or_a_variable() -> None:
    settings = [*FILE.arguments, *(each for stage in FILE.stages for each in stage.named("ARG", "ENV"))]
    names = [word.partition("=")[0] for each in settings for word in each.words]

    assert "SLUICE_STATE" in names
    assert [name for name in names if SECRET.search(name)] == []


def test_every_path_that_is_copied_is_in_the_repository_and_in_the_context() -> None:
    copied = [each.words[:-1] for each in BUILD.named("COPY")]
    paths = [path for paths in copied for path in paths]

    assert [path for path in paths if not files_below(path)] == []
    assert [path for path in paths if is_left_out(path, IGNORED)] == []
    assert [each.flags for each in IMAGE.named("COPY")] == [{"from": "build"}]


def test_all_that_the_wheel_is_made_of_is_copied() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [*wheel["packages"], *wheel["force-include"], PROJECT["project"]["readme"], "pyproject.toml"]
    copied = [path for each in BUILD.named("COPY") for path in each.words[:-1]]

    assert [path for path in needed if not any(Path(path).is_relative_to(each) for each in copied)] == []


@pytest.mark.parametrize(
    "path",
    [
        ".git/HEAD", ".venv/bin/python", ".sluice/keys/token-signing.pem", ".env", "deploy/compose/.env",
        "tests/conftest.py", "bench/consent.py", "docs/tls.md", "requirements-dev.lock",
        "services/console/__pycache__/app.cpython-311.pyc", "services/.sluice/keys/token-signing.pem",
        "protos/generate.py", "deploy/compose.yaml", "build/contracts.binpb", "demo-out/x.jsonl",
    ],
)  # fmt: skip
def test_what_does_not_belong_into_an_image_is_not_even_in_the_context(path: str) -> None:
    assert is_left_out(path, IGNORED)


def test_every_file_of_the_program_is_in_the_context() -> None:
    needed = files_below(
        "services", "sluice_gate", "protos/python", "deploy/envoy", "pyproject.toml", "requirements.lock"
    )

    assert len(needed) > 1_000
    assert [path for path in needed if is_left_out(path, IGNORED)] == []


def test_the_extras_of_the_image_are_those_of_the_lock() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    resolved = re.search(r"--extra (\S+) -o requirements\.lock", makefile)
    assert resolved is not None
    assert resolved[1] == "console"
    for need in PROJECT["project"]["optional-dependencies"]["console"]:
        assert f"\n{need.partition('>')[0]}==" in lock


def test_the_image_has_the_version_of_the_project() -> None:
    versions = [each.text for each in IMAGE.named("ARG") if each.text.startswith("VERSION=")]

    assert versions == [f"VERSION={PROJECT['project']['version']}"]


def test_process_1_is_the_program_itself() -> None:
    (command,) = [each.text for each in IMAGE.named("CMD")]

    assert IMAGE.named("ENTRYPOINT", "HEALTHCHECK") == []
    assert [each.text for each in IMAGE.named("STOPSIGNAL")] == ["SIGTERM"]
    assert command == '["sluice", "--help"]'
