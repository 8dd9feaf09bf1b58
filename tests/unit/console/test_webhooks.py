"""`sluice webhook list`, against a licensing that answers as it is told."""

from services.console.moments import read
from sluice.licensing.v1 import webhook_service_pb2 as pb
from tests.support.command_line import Cli
from tests.support.scripted import Script


def test_every_column_of_the_list_has_a_heading_and_it_says_until_when_the_old_secret_signs(
    script: Script, cli: Cli
) -> None:
    webhook = pb.RecallWebhook(
        licensee_id="acme",
        url="https://a.example/",
        enabled=True,
        old_secret_until=read("2026-02-01T12:00:00Z"),
        waiting=3,
        next_try_at=read("2026-01-31T12:00:00Z"),
        last_fault=pb.WEBHOOK_FAULT_STATUS,
        last_status=503,
    )
    script.answer("ListRecallWebhooks", pb.ListRecallWebhooksResponse(webhooks=[webhook]))

    heads, line = (" ".join(line.split()) for line in cli("webhook", "list").splitlines())

    assert heads == "licensee url sending old secret until last arrived waiting next try last fault given up"
    assert line == "acme https://a.example/ on 2026-02-01 12:00 - 3 2026-01-31 12:00 status 503 0"
