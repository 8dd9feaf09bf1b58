"""Where Prometheus reads the gateway's figures, nothing else of its administration is reached."""

import tempfile
from pathlib import Path

import httpx

from tests.support.envoy import an_envoy, some_values
from tests.support.ports import HOST, a_free_port


async def test_figures_are_read_and_nothing_else_is_done_at_their_port(tmp_path: Path) -> None:
    stats = f"{HOST}:{a_free_port()}"
    others = [
        ("POST", "/quitquitquit"), ("POST", "/stats/prometheus"), ("GET", "/stats"), ("GET", "/config_dump"),
        ("GET", "/stats/prometheus/../../config_dump"),
    ]  # fmt: skip

    # A short path, for that of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory() as short:
        values = some_values(tmp_path, admin_socket=f"{short}/admin.sock", stats_listen=stats)
        async with an_envoy(values, tmp_path), httpx.AsyncClient(base_url=f"http://{stats}") as client:
            figures = await client.get("/stats/prometheus")
            refused = [(await client.request(how, path)).status_code for how, path in others]
            still = await client.get(f"http://{values.listen}/healthz")

    assert 'envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="gateway"}' in figures.text
    assert "envoy_server_live" in figures.text
    assert refused == [404] * 5
    assert still.status_code == 200


async def test_without_an_address_for_them_there_is_no_such_port(tmp_path: Path) -> None:
    values = some_values(tmp_path)

    async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
        answer = await client.get("/stats/prometheus")

    assert answer.status_code == 404
    assert "envoy_" not in answer.text
