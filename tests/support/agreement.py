"""The product's own reconciler, run over services as an operator runs it."""

import json
from pathlib import Path

from tests.support.commands import sluice


async def check_agreement(state: Path, licensing: str = "", metering: str = "") -> int:
    """Asserts that `sluice reconcile` compares everything and finds nothing; how many decisions it compared.

    `state` has the keys of the services, and where they are, unless their addresses are given.
    """
    addresses = ("--licensing", licensing, "--metering", metering) if licensing else ()
    ending = await sluice(state, "reconcile", "--json", *addresses)
    assert ending.out, ending.err
    checks = json.loads(ending.out)["checks"]
    assert [check for check in checks if check["difference_count"]] == []
    assert ending.status == 0
    compared = {check["check"]: check["compared"] for check in checks}
    return int(compared["Each decision is the conclusion of one attempt"])
