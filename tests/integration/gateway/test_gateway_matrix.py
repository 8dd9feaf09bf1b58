"""Every RPC of every contract, every kind of caller, what is theirs and what is not, in each of three ways.

Whom an RPC lets in is computed from what its contract says and from which kinds come from outside; the
services and Envoy are the real ones.
"""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.descriptor import Descriptor

from services.chassis.identity import PrincipalKind
from tests.support.matrix.callers import ACME, BEN, UMBRELLA, Caller, refusal_of
from tests.support.matrix.holdings import NOTHING, Holdings
from tests.support.matrix.methods import Rpc, every_rpc
from tests.support.matrix.requests import NAMES_SOMEBODYS, a_request, fields_of
from tests.support.matrix.sameness import are_the_same
from tests.support.matrix.ways import Answer
from tests.support.matrix.world import Matrix, a_matrix

AT_ONCE = 8
ROUNDS = 5
"""So often an answer is asked for again that was another meanwhile: releases are counted beside the calls."""
OWNERS = {PrincipalKind.LICENSEE, PrincipalKind.SUBJECT, PrincipalKind.AGENT}
UNDECIDED = {2, 4, 13, 14}
"""Codes of UNKNOWN, DEADLINE_EXCEEDED, INTERNAL and UNAVAILABLE: nobody has decided anything."""
DOORS = {"NOT_ADMITTED", "TOKEN_MISSING", "TOKEN_EXPIRED", "TOKEN_INVALID"}
OF_NOBODY = {
    "consent.v1.ConsentService/GetCaller": "whose it is is the caller",
    "consent.v1.ConsentService/ListPolicies": "all see the same",
    "licensing.v1.ContractService/ListRecipients": "all see the same",
    "licensing.v1.LogService/GetCheckpoint": "all see the same",
    "licensing.v1.LogService/GetConsistencyProof": "all see the same",
}
"""What partners and users call that does not ask for somebody's."""
FOR_OTHERS = {
    "licensing.v1.ExplanationService/ExplainRelease",
    "licensing.v1.RecallService/GetRecallProgress",
    "licensing.v1.RecallService/ListReleaseGaps",
    "licensing.v1.ReleaseService/ConfirmDelivery",
    "licensing.v1.ReleaseService/Decide",
    "licensing.v1.ReleaseService/GetReleasedPosts",
    "licensing.v1.ReleaseService/ListDecisions",
    "licensing.v1.StatisticsService/GetDecisionStats",
    "licensing.v1.TokenService/GetJwks",
    "licensing.v1.TokenService/GetToken",
}
"""What has a path in JSON and no partner or user calls by a token: a contract that loses a kind is seen."""
NAMES_ALL = {"licensing.v1.ContractService/ListRecipients": ("licensee_id", "party_id", "group_id")}
"""Names that all are told who ask for them: who may receive posts. A group of one has its member's id."""
NO_OWNER = {
    "request_id": "the caller's own word",
    "choice.licensee_id": "for whom a choice is meant",
}
"""Ids in their requests that do not say whose something is."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def matrix(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Matrix]:
    async with a_matrix(tmp_path_factory.mktemp("matrix")) as matrix:
        yield matrix


def of(matrix: Matrix, caller: Caller) -> Holdings:
    """What the caller has, or asks for: an agent what is the subject's that it acts for."""
    acme = matrix.holdings[ACME]
    return Holdings({**acme.fields, "subject_id": BEN}) if caller.kind is PrincipalKind.AGENT else acme


def is_owner_of(rpc: Rpc, caller: Caller) -> bool:
    return caller.kind in OWNERS and refusal_of(rpc, caller) is None and not rpc.admission.anyone


async def faults_of(
    check: Callable[..., Awaitable[list[str]]], cases: Iterable[tuple[Any, ...]]
) -> list[str]:
    """What a check finds in all cases, some at a time."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(case: tuple[Any, ...]) -> list[str]:
        async with room:
            return await check(*case)

    return [fault for faults in await asyncio.gather(*map(one, cases)) for fault in faults]


def fault_of(rpc: Rpc, caller: Caller, answer: Answer) -> str | None:
    """What is wrong about whom was let in; None where it is as the contract says."""
    expected, was = refusal_of(rpc, caller), (answer.code, answer.reason)
    if expected is not None:
        is_right = was == expected
    elif rpc.admission.anyone:
        is_right = answer.code not in UNDECIDED and answer.reason not in {"NOT_ADMITTED", "TOKEN_MISSING"}
    else:
        is_right = (
            answer.code not in UNDECIDED
            and answer.reason not in DOORS
            and not answer.reason.startswith(("GATEWAY_", "ROUTE_"))
            and bool(answer.reason) == bool(answer.code)
        )
    return (
        None
        if is_right
        else f"{rpc.name}: {caller.name} was told {was}, expected {expected or 'to be let in'}"
    )


async def every_way(matrix: Matrix, rpc: Rpc, request: Any, caller: Caller) -> list[Answer]:
    return [answer for way in matrix.ways.all for answer in await way(rpc, request, caller.headers)]


def cases(matrix: Matrix) -> Iterable[tuple[Rpc, Caller]]:
    return itertools.product(every_rpc(), matrix.callers)


def cases_of_owners(matrix: Matrix) -> list[tuple[Rpc, Caller]]:
    return [(rpc, caller) for rpc, caller in cases(matrix) if is_owner_of(rpc, caller)]


async def steadily(matrix: Matrix, rpc: Rpc, request: Any, caller: Caller) -> list[Answer]:
    """The answers of all ways once they are the same, or of the last try."""
    for _ in range(ROUNDS):
        answers = await every_way(matrix, rpc, request, caller)
        if are_the_same(answers):
            break
    return answers


async def test_each_rpc_lets_in_whom_its_contract_names_and_nobody_else(matrix: Matrix) -> None:
    async def check(turn: int, case: tuple[Rpc, Caller]) -> list[str]:
        rpc, caller = case
        # What has no path in JSON is called in one of the other two.
        way = matrix.ways.all[turn if rpc.rules or turn < 2 else 0]
        answers = await way(rpc, a_request(rpc, of(matrix, caller)), caller.headers)
        return [fault for answer in answers if (fault := fault_of(rpc, caller, answer))]

    faults = await faults_of(check, zip(itertools.cycle(range(3)), cases(matrix), strict=False))

    assert not faults, "\n".join(faults)


@pytest.mark.slow
async def test_all_three_ways_let_in_the_same_callers_and_say_the_same_to_all_others(matrix: Matrix) -> None:
    async def check(rpc: Rpc, caller: Caller) -> list[str]:
        answers = await steadily(matrix, rpc, a_request(rpc, of(matrix, caller)), caller)
        faults = [fault for answer in answers if (fault := fault_of(rpc, caller, answer))]
        return faults if are_the_same(answers) else [*faults, f"{rpc.name}: {caller.name} is told {answers}"]

    faults = await faults_of(check, cases(matrix))

    assert not faults, "\n".join(faults)


async def test_whoever_asks_for_their_own_gets_it_and_the_same_in_all_three_ways(matrix: Matrix) -> None:
    faults = []

    # One after another: what one changes another would see.
    for rpc, caller in cases_of_owners(matrix):
        answers = await steadily(matrix, rpc, a_request(rpc, of(matrix, caller)), caller)
        if not are_the_same(answers) or answers[0].code != 0:
            faults.append(f"{rpc.name}: {caller.name} is told {answers}")

    assert not faults, "\n".join(faults)


async def test_what_is_not_yours_looks_like_what_is_not_there(matrix: Matrix) -> None:
    async def check(rpc: Rpc, caller: Caller) -> list[str]:
        faults = []
        for field in fields_of(rpc):
            holders = (matrix.holdings[UMBRELLA], NOTHING)
            asked = [a_request(rpc, of(matrix, caller), {field: holder[field]}) for holder in holders]
            answers = [answer for each in asked for answer in await every_way(matrix, rpc, each, caller)]
            if not are_the_same(answers) or wrote(rpc, answers):
                faults.append(f"{rpc.name}: by {field} {caller.name} is told {answers}")
        return faults

    faults = await faults_of(check, cases_of_owners(matrix))

    assert not faults, "\n".join(faults)


def wrote(rpc: Rpc, answers: list[Answer]) -> bool:
    """Whether something was changed that is not the caller's."""
    return not any(rule.get for rule in rpc.rules) and any(answer.code == 0 for answer in answers)


def holds(text: str, value: str) -> bool:
    """Whether a message as text has the value in it: a number by itself, for longer ones may have any."""
    if not value.isdecimal():
        return value in text
    return re.search(rf"(?<![\w\\-]){value}(?![\w-])", text) is not None


async def test_no_answer_to_somebody_holds_anything_of_somebody_elses(matrix: Matrix) -> None:
    fields = matrix.holdings[UMBRELLA].fields

    async def check(rpc: Rpc, caller: Caller) -> list[str]:
        told = NAMES_ALL.get(rpc.name, ())
        foreign = [str(value) for name, value in fields.items() if name not in told]
        faults = []
        for theirs in (of(matrix, caller), matrix.holdings[UMBRELLA]):
            (answer,) = await matrix.ways.all[0](rpc, a_request(rpc, theirs), caller.headers)
            if found := [each for each in foreign if holds(str(answer.body), each)]:
                faults.append(f"{rpc.name}: {caller.name} sees {found}")
        return faults

    faults = await faults_of(check, cases_of_owners(matrix))

    assert not faults, "\n".join(faults)


async def test_every_id_that_partners_and_users_ask_by_is_asked_for_in_the_matrix() -> None:
    theirs = [rpc for rpc in every_rpc() if rpc.kinds & OWNERS]

    unknown = {
        (rpc.name, path)
        for rpc in theirs
        for path in ids_of(rpc.method.input_type)
        if path not in NAMES_SOMEBODYS and path not in NO_OWNER
    }
    of_nobody = {rpc.name for rpc in theirs if not fields_of(rpc)}
    for_others = {rpc.name for rpc in every_rpc() if rpc.rules and not rpc.kinds & OWNERS}

    assert unknown == set()
    assert for_others == FOR_OTHERS
    assert of_nobody == set(OF_NOBODY)


def ids_of(message: Descriptor, prefix: str = "") -> Iterable[str]:
    for field in message.fields:
        if field.message_type is not None and field.message_type.file.package.startswith("sluice."):
            yield from ids_of(field.message_type, f"{prefix}{field.name}.")
        elif field.name.endswith("_id"):
            yield f"{prefix}{field.name}"
