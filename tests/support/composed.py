"""What deploy/compose.yaml describes, run as processes of this machine instead of containers.

Commands, variables and mounted files are those of the file. Only places differ: a folder stands for each
volume, a port of 127.0.0.1 for each address, and a database server of the tests' own for PostgreSQL's image.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from services.console.gateway.binary import envoy_binary
from tests.support.composition import FILE, composition, filled_in, memory_folders, mounts
from tests.support.ports import a_free_port
from tests.support.postgres import BINARIES, PostgresServer
from tests.support.waiting import PATIENCE_SECONDS

HOST = "127.0.0.1"
IMAGE_STATE = "/var/lib/sluice"
"""SLUICE_STATE of the image."""
LOOK_EVERY_SECONDS = 0.05
MEMORY = "memory"
"""Stands for what is mounted and is neither a volume nor a file."""


class Composed:
    """The services of the file by their names, each startable as a process."""

    def __init__(self, folder: Path, memory: Path, postgres: PostgresServer) -> None:
        """`memory` has a short path, for that of a socket in it has at most 107 bytes."""
        self._folder = folder
        self._memory = memory
        self._postgres = postgres
        self._services: dict[str, dict[str, Any]] = composition(filled_in())["services"]
        self._ports: dict[tuple[str, str], int] = {("postgres", "5432"): postgres.port}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "empty").mkdir()
        for part in ("run", "certs/authority"):
            # Volumes that lie in a folder of another one.
            volume, place = self._volume(part.split("/")[-1]), self._volume("installation") / part
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(volume)

    def environment(self, name: str) -> dict[str, str]:
        """The whole environment of a service of ours, as if it were in its container."""
        own = self._services[name].get("environment", {})
        imports = os.pathsep.join(path for path in sys.path if path)
        translated = {variable: self._here(name, value) for variable, value in own.items()}
        usual = {"PATH": os.defpath, "PYTHONPATH": imports, "SLUICE_STATE": self._here(name, IMAGE_STATE)}
        return {**usual, **translated}

    def make_databases(self) -> None:
        """Runs what PostgreSQL's image runs when its volume is new."""
        assert BINARIES is not None
        placed = mounts(self._services["postgres"])
        (script,) = [source for target, (source, _) in placed.items() if "initdb.d" in target]
        own = self._services["postgres"]["environment"]
        there = {"PGHOST": HOST, "PGPORT": str(self._postgres.port)}
        path = os.pathsep.join([str(BINARIES), os.defpath])
        subprocess.run([str(FILE.parent / script)], env={"PATH": path, **there, **own}, check=True)

    def run(self, *names: str) -> None:
        """Runs some that end by themselves, side by side; each must succeed."""
        self._spawn(names)
        for name in names:
            assert self._processes[name].wait(PATIENCE_SECONDS) == 0, f"{name}: {self._said(name)}"
            del self._processes[name]

    def start(self, *names: str) -> None:
        """Starts some that run on, and returns when their healthchecks say that they are well."""
        self._spawn(names)
        until = time.monotonic() + PATIENCE_SECONDS
        for name in names:
            while not self._is_well(name):
                assert self._processes[name].poll() is None, self._said(name)
                assert time.monotonic() < until, f"{name} does not become well"
                time.sleep(LOOK_EVERY_SECONDS)

    def stop(self) -> dict[str, int]:
        """Ends all by SIGTERM; the exit codes by name."""
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        return {name: process.wait(PATIENCE_SECONDS) for name, process in self._processes.items()}

    def kill(self) -> None:
        """Ends what is left."""
        for process in self._processes.values():
            process.kill()
            process.wait()

    def published(self, name: str) -> str:
        """http://host:port at which a browser of this machine finds it."""
        (line,) = self._services[name]["ports"]
        return f"http://{self._here(name, line.rpartition(':')[0])}"

    def address(self, name: str, port: str) -> str:
        """host:port of this machine for a port that others of the file know it by."""
        return self._here(name, f"0.0.0.0:{port}")

    def _is_well(self, name: str) -> bool:
        announced = self._volume("run") / f"{name}.addr"
        if name != "gateway" and not announced.exists():
            # It cannot be: each look is a process of its own.
            return False
        kind, *command = self._services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        tested = [self._here(name, word) for word in command]
        ended = subprocess.run(
            _as_here(tested), env=self.environment(name), cwd=self._folder / "empty", check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return ended.returncode == 0

    def _command(self, name: str) -> list[str]:
        service = self._services[name]
        words = [*service.get("entrypoint", []), *service["command"]]
        return _as_here([self._here(name, word) for word in words])

    def _spawn(self, names: Sequence[str]) -> None:
        for name in names:
            with self._log(name).open("wb") as out:
                self._processes[name] = subprocess.Popen(
                    self._command(name), env=self.environment(name), cwd=self._folder / "empty",
                    stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                )  # fmt: skip

    def _here(self, name: str, text: str) -> str:
        """The text with the places of a container made places of this machine."""
        placed = {target: source for target, (source, _) in mounts(self._services[name]).items()}
        placed |= dict.fromkeys(memory_folders(self._services[name]), MEMORY)
        # All at once, for a folder of this machine may have the name of one of the container in it.
        targets = "|".join(re.escape(target) for target in sorted(placed, key=len, reverse=True))
        if targets:
            text = re.sub(
                rf"(?<![\w./-])({targets})(?=[/\s]|$)",
                lambda found: str(self._source(name, placed[found[1]])),
                text,
            )
        return _ADDRESS.sub(lambda found: self._address(name, found), text)

    def _address(self, name: str, found: re.Match[str]) -> str:
        host, between, port = found.groups()
        if host not in self._services:
            host = next((each for each in self._services if self._publishes(each, port)), name)
        key = (host, port)
        if key not in self._ports:
            self._ports[key] = a_free_port()
        return f"{HOST}{between}{self._ports[key]}"

    def _publishes(self, name: str, port: str) -> bool:
        return any(line.endswith(f":{port}") for line in self._services[name].get("ports", []))

    def _source(self, name: str, source: str) -> Path:
        """What is mounted: a volume, memory, or a copy of a file that speaks of this machine."""
        if source == MEMORY:
            memory = self._memory / name
            memory.mkdir(exist_ok=True)
            return memory
        if not source.startswith("."):
            return self._volume(source)
        original = (FILE.parent / source).resolve()
        if name == "cli":
            return original
        copy = self._folder / "mounted" / name / source
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            if original.is_dir():
                shutil.copytree(original, copy)
            else:
                shutil.copy(original, copy)
            # The values of the gateway and its secrets name places as the gateway itself sees them.
            for file in copy.rglob("*.yaml") if copy.is_dir() else [copy]:
                file.write_text(self._here("gateway", file.read_text(encoding="utf-8")), encoding="utf-8")
        return copy

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _said(self, name: str) -> str:
        return self._log(name).read_text(encoding="utf-8")[-4_000:]

    def _volume(self, name: str) -> Path:
        volume = self._folder / "volumes" / name
        volume.mkdir(mode=0o700, parents=True, exist_ok=True)
        return volume


_NAMES = ("postgres", "consent", "metering", "licensing", "directory", "gateway", "otel-collector", "0.0.0.0")
_ADDRESS = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, (*_NAMES, HOST)))})([:/])(\d+)(?!\d)")


def _as_here(command: Sequence[str]) -> list[str]:
    """The command with the programs of the images made those of this machine."""
    program, *arguments = command
    if program == "sluice":
        return [sys.executable, "-P", "-m", "services.console", *arguments]
    found: Mapping[str, str] = {"python": sys.executable, "envoy": str(envoy_binary())}
    return [found.get(program, program), *arguments]


@contextlib.contextmanager
def composed(folder: Path, postgres: PostgresServer) -> Iterator[Composed]:
    """All of it; nothing runs yet, and nothing runs any more when the context is left."""
    with tempfile.TemporaryDirectory() as memory:
        everything = Composed(folder, Path(memory), postgres)
        try:
            yield everything
        finally:
            everything.kill()
