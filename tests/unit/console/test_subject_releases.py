"""`sluice subjects releases`, against a licensing that answers as it is told."""

import struct

from services.console.moments import read
from sluice.licensing.v1 import disclosure_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2 import DeliveryState
from tests.support.command_line import Cli
from tests.support.scripted import Script

NEWER = pb.SubjectRelease(
    decision_id="0197f2d1-0000-7000-8000-000000000002",
    receipt_number=1_234,
    licensee_id="acme",
    licensee_name="Acme",
    license_id="acme-training",
    purpose=2,  # type: ignore[arg-type]
    decided_at=read("2026-01-31T12:00:00Z"),
    delivery=DeliveryState.DELIVERY_STATE_CONFIRMED,
    posts=3,
    posts_delivered=2,
    posts_undelivered=1,
    post_ids=struct.pack("<3Q", 1_880_000_000_000_000_001, 7, 2**64 - 1),
    receipt="header.claims.signature",
)
OLDER = pb.SubjectRelease(
    decision_id="0197f2d1-0000-7000-8000-000000000001",
    receipt_number=7,
    licensee_id="beta",
    license_id="beta-search",
    purpose=99,  # type: ignore[arg-type]
    decided_at=read("2026-01-30T12:00:00Z"),
    delivery=DeliveryState.DELIVERY_STATE_EXPIRED,
    posts=1,
    posts_unconfirmed=1,
)
SUM = pb.SubjectReleaseSum(
    licensee_id="acme",
    licensee_name="Acme",
    purpose=2,  # type: ignore[arg-type]
    releases=4,
    posts=9,
    posts_unconfirmed=9,
    first_decided_at=read("2026-01-30T12:00:00Z"),
    last_decided_at=read("2026-01-31T12:00:00Z"),
)


def answer_pages(script: Script) -> None:
    script.answer(
        "ListSubjectReleases",
        pb.ListSubjectReleasesResponse(releases=[NEWER], next_page_token="more"),
        pb.ListSubjectReleasesResponse(releases=[OLDER]),
    )


def test_releases_are_a_table_with_deliveries_told_apart_over_all_pages(script: Script, cli: Cli) -> None:
    answer_pages(script)

    lines = cli("subjects", "releases", "11").splitlines()

    assert [" ".join(line.split()) for line in lines[1:3]] == [
        "1,234 2026-01-31 12:00 acme ai_training_generative 3 2 1 0",
        "7 2026-01-30 12:00 beta 99 1 0 0 1",
    ]
    assert [asked.subject_id for asked in script.asked["ListSubjectReleases"]] == [11, 11]
    assert [asked.page_token for asked in script.asked["ListSubjectReleases"]] == ["", "more"]


def test_releases_are_json_with_the_receipt_and_post_ids_as_texts(script: Script, cli: Cli) -> None:
    answer_pages(script)

    newer, older = cli.json("subjects", "releases", "11")

    assert newer["receipt"] == "header.claims.signature"
    assert newer["post_ids"] == ["1880000000000000001", "7", "18446744073709551615"]
    assert older["post_ids"] == []
    assert (older["posts_delivered"], older["delivery"]) == (0, "expired")


def test_who_nobody_got_posts_of_is_told_so(script: Script, cli: Cli) -> None:
    script.answer("ListSubjectReleases", pb.ListSubjectReleasesResponse())

    assert cli("subjects", "releases", "11").endswith("No release held anything of theirs.\n")


def test_sums_are_by_licensee_and_purpose(script: Script, cli: Cli) -> None:
    script.answer("GetSubjectSummary", pb.GetSubjectSummaryResponse(sums=[SUM]))

    line = cli("subjects", "releases", "11", "--sum").splitlines()[1]

    assert " ".join(line.split()) == "acme ai_training_generative 4 9 0 0 9 2026-01-30 2026-01-31"
    assert cli.json("subjects", "releases", "11", "--sum")[0]["posts_delivered"] == 0


def test_the_index_is_made_anew(script: Script, cli: Cli) -> None:
    script.answer("RebuildReleaseIndex", pb.RebuildReleaseIndexResponse(up_to_receipt_number=1_000))

    assert cli("subjects", "reindex") == "The index is made anew, up to receipt 1,000 at least.\n"
    assert cli.json("subjects", "reindex") == {"up_to_receipt_number": 1_000}
