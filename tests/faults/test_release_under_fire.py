"""A job of forty batches; its client and the services are killed with -9 at random moments."""

import pytest

from services.console.installation import SERVICES
from tests.support.job_checks import MakeJob, Undisturbed, check_as_if_nothing_had_happened
from tests.support.shots import CLIENT, a_shot, run_under_fire

pytestmark = pytest.mark.asyncio(loop_scope="session")

VICTIMS = (CLIENT, *SERVICES)
MOMENTS = range(1, 6)


async def test_a_job_to_which_nothing_happens_is_billed_what_it_writes(undisturbed: Undisturbed) -> None:
    await check_as_if_nothing_had_happened(undisturbed.job, undisturbed)

    assert 0 < undisturbed.output.count(b"\n") < undisturbed.job.posts.read_bytes().count(b"\n")


async def test_a_kill_of_the_client_and_of_each_service_changes_neither_output_nor_bill(
    make_job: MakeJob, undisturbed: Undisturbed, seed: int
) -> None:
    job = await make_job("shot")
    shots = [a_shot(victim, seed) for victim in VICTIMS]
    print(f"FAULT_SEED={seed}: {sorted(shots)}")

    ending = await run_under_fire(job, shots, undisturbed.size)

    assert ending.status == 0, ending.err
    await check_as_if_nothing_had_happened(job, undisturbed)


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("victim", VICTIMS)
async def test_a_kill_at_a_random_moment_changes_neither_output_nor_bill(
    make_job: MakeJob, undisturbed: Undisturbed, victim: str, moment: int, seed: int
) -> None:
    job = await make_job(f"shot-{victim}-{moment}")
    shot = a_shot(victim, f"{seed} {moment}")
    print(f"FAULT_SEED={seed}: {shot}")

    ending = await run_under_fire(job, [shot], undisturbed.size)

    assert ending.status == 0, ending.err
    await check_as_if_nothing_had_happened(job, undisturbed)


@pytest.mark.long
async def test_twenty_kills_of_one_job_change_neither_output_nor_bill(
    make_job: MakeJob, undisturbed: Undisturbed, seed: int
) -> None:
    job = await make_job("shot-twenty-times")
    shots = [a_shot(victim, f"{seed} many {moment}") for victim in VICTIMS for moment in MOMENTS]
    print(f"FAULT_SEED={seed}: {sorted(shots)}")

    ending = await run_under_fire(job, shots, undisturbed.size)

    assert ending.status == 0, ending.err
    await check_as_if_nothing_had_happened(job, undisturbed)
