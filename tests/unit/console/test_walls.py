"""`sluice wall`, against a licensing that answers as it is told."""

import pytest

from services.console.moments import read
from sluice.licensing.v1 import wall_service_pb2 as pb
from tests.support.command_line import Cli
from tests.support.scripted import Script

UP = pb.WallChange(
    number=2,
    raised=True,
    tiers=[pb.WALL_TIER_API, pb.WALL_TIER_RESEARCH],
    reason="scraping",
    until=read("2026-01-31T14:00:00Z"),
    changed_by="operator:ada",
    changed_at=read("2026-01-31T12:00:00Z"),
)
DOWN = pb.WallChange(
    number=3, reason="over", changed_by="operator:ada", changed_at=read("2026-01-31T13:00:00Z")
)


def test_a_wall_is_raised_for_a_time_and_it_is_said_who_passes(script: Script, cli: Cli) -> None:
    script.answer("RaiseWall", pb.RaiseWallResponse(change=UP))

    said = cli("wall", "raise", "--reason", "scraping", "--for", "2h", "--open", "api", "--open", "research")

    assert "until 2026-01-31 14:00:00.000 UTC; open to those who have signed in, api, research." in said
    (request,) = script.asked["RaiseWall"]
    assert (request.reason, request.lasts.seconds) == ("scraping", 7_200)
    assert list(request.tiers) == [pb.WALL_TIER_API, pb.WALL_TIER_RESEARCH]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (pb.GetWallResponse(), "There is no wall: it was never raised."),
        (
            pb.GetWallResponse(up=True, last=UP),
            "The wall is up since 2026-01-31 12:00:00.000 UTC, until 2026-01-31 14:00:00.000 UTC;"
            " open to those who have signed in, api, research. Why: scraping",
        ),
        (
            pb.GetWallResponse(last=UP),
            "There is no wall: the last came down by itself, 2026-01-31 14:00:00.000 UTC.",
        ),
        (
            pb.GetWallResponse(last=DOWN),
            "There is no wall: it was lowered 2026-01-31 13:00:00.000 UTC. Why: over",
        ),
    ],
)
def test_it_is_said_how_the_wall_stands_and_why(
    script: Script, cli: Cli, found: pb.GetWallResponse, said: str
) -> None:
    script.answer("GetWall", found)

    assert cli("wall", "show").strip() == said


def test_every_change_is_listed_over_all_pages(script: Script, cli: Cli) -> None:
    script.answer(
        "ListWallChanges",
        pb.ListWallChangesResponse(changes=[DOWN], next_page_token="more"),
        pb.ListWallChangesResponse(changes=[UP]),
    )

    lines = [" ".join(line.split()) for line in cli("wall", "history").splitlines()]

    assert lines == [
        "change wall open to until at by reason",
        "3 lowered - - 2026-01-31 13:00:00 operator:ada over",
        "2 raised api, research 2026-01-31 14:00:00 2026-01-31 12:00:00 operator:ada scraping",
    ]


def test_programs_get_the_change_as_it_is_on_record(script: Script, cli: Cli) -> None:
    script.answer("LowerWall", pb.LowerWallResponse(change=DOWN))

    answer = cli.json("wall", "lower", "--reason", "over")

    assert (answer["number"], answer["raised"], answer["tiers"]) == (3, False, [])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--reason", "x", "--for", "2h", "--until", "2027-01-01"], "not both"),
        (["--reason", "x", "--for", "soon"], "a duration like"),
        (["--reason", "x", "--until", "soon"], "a time like"),
        (["--reason", " "], "A wall needs a reason"),
        (["--reason", "x" * 1_001], "at most 1000 characters"),
        (["--reason", "x", "--open", "everyone"], "'everyone' is not one of"),
        ([], "Missing option '--reason'"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anybody_is_asked(
    script: Script, cli: Cli, options: list[str], said: str
) -> None:
    assert said in cli.wrong("wall", "raise", *options)
    assert not script.asked
