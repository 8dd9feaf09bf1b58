"""The moving window of the package `limits` over Redis, to compare with; neither is needed to run a bench."""

import importlib
import importlib.util
import shutil
import socket
import subprocess
import tempfile
import time

MISSING = "not compared with limits over Redis: redis-server, redis and limits are not all installed"
PATIENCE_SECONDS = 10.0


def hits_a_second(parties: int, seconds: float) -> float:
    """Hits a second, one by one, none refused; raises LookupError where something is not installed."""
    server = shutil.which("redis-server")
    if server is None or not all(importlib.util.find_spec(name) for name in ("redis", "limits")):
        raise LookupError(MISSING)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait_for(port)
            return _measure(port, parties, seconds)
        finally:
            process.terminate()
            process.wait()


def _measure(port: int, parties: int, seconds: float) -> float:
    # By name, for nobody has to have them.
    limits = importlib.import_module("limits")
    storage = importlib.import_module("limits.storage").RedisStorage(f"redis://127.0.0.1:{port}")
    window = importlib.import_module("limits.strategies").MovingWindowRateLimiter(storage)
    # Its window has one entry a hit, so that more than a million would be another bench.
    limit = limits.RateLimitItemPerMinute(1_000_000)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        window.hit(limit, f"party-{done % parties}")
        done += 1
    return done / (time.perf_counter() - started)


def _wait_for(port: int) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
