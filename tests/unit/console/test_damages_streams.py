"""Streams of `sluice damages assess` that are lost on the way: when they are asked for again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.chassis.refusals import Refusal
from services.console.damages_assess import worked_out
from services.console.pages import LOST_TRIES
from sluice.metering.v1 import damages_pb2
from sluice.metering.v1 import damages_service_pb2 as pb
from tests.support.assessments import an_assessment

ANSWER = pb.PreviewAssessmentResponse(assessment=an_assessment())


def going_on(stage: pb.AssessmentStage, done: int) -> pb.PreviewAssessmentResponse:
    progress = pb.AssessmentProgress(stage=stage, done=done, of=64)
    return pb.PreviewAssessmentResponse(progress=progress)


async def test_a_stream_that_ends_without_an_answer_is_asked_for_again() -> None:
    progress = going_on(pb.ASSESSMENT_STAGE_READINGS, 1)
    told: list[Any] = []

    found, slept = await worked_out_from([[progress], [progress, ANSWER]], told)

    assert found == an_assessment()
    assert told == [("Looking for the periods under each reading", 1, 64)] * 2
    assert slept == [0.1]


async def test_streams_that_come_further_each_time_are_asked_for_again_and_again() -> None:
    steps = [
        going_on(stage, done)
        for stage in (pb.ASSESSMENT_STAGE_READINGS, pb.ASSESSMENT_STAGE_EVIDENCE)
        for done in range(1, 2 * LOST_TRIES)
    ]

    found, slept = await worked_out_from([*([step] for step in steps), [ANSWER]], [])

    assert found == an_assessment()
    assert slept == [0.1] * len(steps)


async def test_streams_that_are_lost_at_one_place_are_given_up() -> None:
    step = going_on(pb.ASSESSMENT_STAGE_READINGS, 7)

    with pytest.raises(Refusal) as refused:
        await worked_out_from([[step]] * (LOST_TRIES + 2), [])

    assert refused.value.reason == "PEER_UNAVAILABLE"


async def worked_out_from(
    streams: list[list[Any]], told: list[Any]
) -> tuple[damages_pb2.Assessment, list[float]]:
    """The answer, and the seconds of each pause: from one stream after the other, each lost at its end."""
    left, slept = iter(streams), list[float]()

    @asynccontextmanager
    async def open_stream() -> AsyncIterator[AsyncIterator[Any]]:
        steps = next(left)

        async def answers() -> AsyncIterator[Any]:
            for step in steps:
                yield step

        yield answers()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    return await worked_out(open_stream, lambda *step: told.append(step), sleep), slept
