"""What a local gateway is told of certificates is what a cluster's is told."""

from pathlib import Path

import pytest
import yaml

from services.console.gateway.secrets import write_secrets
from services.console.installation import StateFolder

SDS = Path(__file__).parents[4] / "deploy" / "envoy" / "sds"


@pytest.mark.parametrize(("value", "shipped"), [("certificate", "gateway"), ("authorities", "authorities")])
def test_a_local_gateway_finds_its_certificates_as_one_of_a_cluster_does(
    tmp_path: Path, value: str, shipped: str
) -> None:
    state = StateFolder(tmp_path)
    state.prepare()

    written = write_secrets(state)[value]

    of_cluster = (SDS / f"{shipped}.yaml").read_text(encoding="utf-8")
    expected = yaml.safe_load(of_cluster.replace("/etc/sluice/certs", f"{tmp_path}/certs"))
    assert yaml.safe_load(written.read_text(encoding="utf-8")) == expected
