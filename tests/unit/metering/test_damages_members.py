"""D3, D4, M6: whose accesses are assessed, and when, moment by moment."""

from hypothesis import given
from hypothesis import strategies as st

from services.metering.domain.allowances import Account, Scope
from services.metering.domain.damages.members import AssessmentScope, PartyStretch, belonging
from services.metering.domain.parties import Described, Known, Membership, Party, Timeline

END = 12
NUMBERS = st.integers(0, 40)
TIMES = st.integers(0, END)


@st.composite
def known_parties(draw: st.DrawFn) -> dict[str, Known]:
    """What was said of up to three parties, in any order, also twice for the same time."""
    found = {}
    for party_id in draw(st.sets(st.sampled_from("abc"), min_size=1)):
        groups = st.sampled_from(["red", "blue", ""])
        moves = draw(st.lists(st.tuples(TIMES, NUMBERS, groups), unique_by=lambda each: each[1], max_size=5))
        said = draw(
            st.lists(st.tuples(TIMES, NUMBERS, st.booleans()), unique_by=lambda each: each[1], max_size=4)
        )
        found[party_id] = Known(
            tuple(
                Described(at, number, Party(party_id, vetted_research=vetted)) for at, number, vetted in said
            ),
            Timeline.of(Membership(at, number, group) for at, number, group in moves),
        )
    return found


@given(
    known_parties(),
    st.tuples(TIMES, TIMES).filter(lambda times: times[0] < times[1]),
    st.sampled_from([Account(Scope.GROUP, "red"), Account(Scope.LICENSEE, "a")]),
)
def test_each_moment_is_assessed_exempt_or_neither(
    known: dict[str, Known], range_us: tuple[int, int], of: Account
) -> None:
    if of.scope is Scope.LICENSEE:
        known = {"a": known.get("a", Known.nothing())}
    scope = AssessmentScope(of, *range_us, 0, "", ())

    members, exempt = belonging(scope, known)

    for party_id, theirs in known.items():
        for at in range(-1, END + 2):
            belongs = of.scope is Scope.LICENSEE or theirs.timeline.group_at(at) == "red"
            inside = range_us[0] <= at < range_us[1] and belongs
            vetted = theirs.at(party_id, at).vetted_research
            assert covers(members, party_id, at) == (inside and not vetted)
            assert covers(exempt, party_id, at) == (inside and vetted)
    assert all(not each.is_empty for each in (*members, *exempt))


def covers(stretches: list[PartyStretch], party_id: str, at: int) -> int:
    """How many hold the moment."""
    return sum(each.party_id == party_id and each.since_us <= at < each.until_us for each in stretches)
