"""C1 and C8: which headers object, and that none that is malformed does, or raises."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.consent.domain.purposes import Signal
from services.consent.rpc.signals import LONGEST_USAGE, objections
from tests.support.vectors import vectors

NOTHING: frozenset[Signal] = frozenset()
TRAIN_AI = frozenset({Signal.AIPREF_TRAIN_AI})
SEARCH = frozenset({Signal.AIPREF_SEARCH})
BOTH = TRAIN_AI | SEARCH
KEYS = {"train-ai": TRAIN_AI, "search": SEARCH}

texts = st.text() | st.binary().map(lambda octets: octets.decode("latin-1"))
well_formed = {
    "n": True,
    "n;why": True,
    'n; why="because";n=y': True,
    "y": False,
    "N": False,
    "no": False,
    '"n"': False,
    '%"n"': False,
    ":bg==:": False,
    "?0": False,
    "0": False,
    "1.5": False,
    "@1700000000": False,
    "(n)": False,
    "(n);n": False,
    "()": False,
    "y;train-ai=n": False,
}
malformed = [
    "",
    "n n",
    "n=n",
    " n",
    "(n",
    '"n',
    "n;",
    "%n",
    "-",
    "@1.5",
    ":bg",
    "n\N{NO-BREAK SPACE}",
    "\x00",
]


@pytest.mark.parametrize("sec_gpc", ["1", " 1", "1\t", " \t1 \t"])
def test_c1_sec_gpc_of_1_objects(sec_gpc: str) -> None:
    assert objections(sec_gpc, []) == {Signal.GPC}


@pytest.mark.parametrize(
    "sec_gpc", ["", " ", "0", "01", "1.0", "11", "1 1", "1, 1", "1;a", "?1", '"1"', "true"]
)
def test_c8_any_other_sec_gpc_says_nothing(sec_gpc: str) -> None:
    assert objections(sec_gpc, []) == NOTHING


@pytest.mark.parametrize(
    "sec_gpc",
    ["1\n", "\x001", "\N{NO-BREAK SPACE}1", "\N{FULLWIDTH DIGIT ONE}", "\N{ARABIC-INDIC DIGIT ONE}"],
)
def test_c8_what_only_looks_like_1_says_nothing(sec_gpc: str) -> None:
    assert objections(sec_gpc, []) == NOTHING


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ("train-ai=n", TRAIN_AI),
        ("search=n", SEARCH),
        ("train-ai=n, search=n", BOTH),
        ("\t train-ai=y,search=n \t", SEARCH),
        ("else=(1 2), train-ai=n;because=?1", TRAIN_AI),
    ],
)
def test_c1_a_content_usage_objects_to_what_it_gives_the_token_n(
    usage: str, expected: frozenset[Signal]
) -> None:
    assert objections("", [usage]) == expected


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("value", "objects"), well_formed.items())
def test_c1_only_the_token_n_objects(key: str, value: str, objects: bool) -> None:
    assert objections("", [f"{key}={value}"]) == (KEYS[key] if objects else NOTHING)


@pytest.mark.parametrize("usage", ["", "ai=n", "train-ai", "*train-ai=n", "train-ai-n", "train_ai=n", "n"])
def test_c8_a_content_usage_about_anything_else_says_nothing(usage: str) -> None:
    assert objections("", [usage]) == NOTHING


@pytest.mark.parametrize("value", malformed)
def test_c8_a_content_usage_malformed_anywhere_says_nothing_as_a_whole(value: str) -> None:
    assert objections("", [f"train-ai=n, other={value}, search=n"]) == NOTHING


def test_c8_a_malformed_preference_silences_no_other() -> None:
    assert objections("?", ["train-ai=n,", "search=n", "Train-AI=n"]) == SEARCH


def test_c1_any_disallow_wins_among_preferences_attached_apart() -> None:
    usages = ["train-ai=y, search=n", "train-ai=n, search=y", "train-ai=y, search=y"]

    assert objections("1", usages) == BOTH | {Signal.GPC}


def test_c1_within_a_dictionary_the_last_value_counts() -> None:
    assert objections("", ["train-ai=n, search=y, train-ai=y, search=n"]) == SEARCH


def test_c8_an_overlong_content_usage_says_nothing() -> None:
    longest = "train-ai=n".ljust(LONGEST_USAGE)

    assert objections("", [longest]) == TRAIN_AI
    assert objections("", [longest + " "]) == NOTHING


@given(texts, st.lists(texts, max_size=3))
@example("1", ["train-ai=@999999999999999", "search=n"])
@example("1", ['search=%"%ff"', "search=n"])
@example("1", ["\udcff", "search=n"])
def test_c8_whatever_comes_a_gpc_and_a_preference_beside_it_still_count(
    noise: str, usages: list[str]
) -> None:
    found = objections(noise, [*usages, "search=n"])

    assert found >= SEARCH
    assert (Signal.GPC in found) == (noise.strip(" \t") == "1")


@given(st.text('n=,;()"\\%:@?*-.1yt \t\x7f\xe9'))
def test_c8_no_text_of_the_grammars_own_characters_raises_or_objects(text: str) -> None:
    assert objections("", [text, f"train-ai={text}"]) <= TRAIN_AI


@given(st.lists(st.tuples(st.sampled_from([*KEYS, "other"]), st.sampled_from([*well_formed, *malformed]))))
def test_c1_c8_a_dictionary_objects_where_all_is_well_formed_and_the_last_value_is_n(
    members: list[tuple[str, str]],
) -> None:
    usage = ", ".join(f"{key}={value}" for key, value in members)

    found = objections("", [usage])

    expected = {key for key, value in dict(members).items() if well_formed.get(value)}
    if any(value in malformed for _, value in members):
        expected = set()
    assert found == NOTHING.union(*(KEYS[key] for key in expected & KEYS.keys()))


@given(st.lists(st.sampled_from(["train-ai=n", "train-ai=y", "search=n", "search=y,", "", "\x80"])))
def test_c1_preferences_together_object_to_what_each_alone_does(usages: list[str]) -> None:
    assert objections("", usages) == NOTHING.union(*(objections("", [usage]) for usage in usages))


def test_c1_c8_the_published_preferences_are_read_as_published() -> None:
    for case in vectors("aipref/aipref_examples.json")["dictionary_cases"]:
        expected = NOTHING.union(*(KEYS[key] for key in KEYS if case[key] == "disallow"))

        assert objections("1", [case["field"]]) == expected | {Signal.GPC}, case


@pytest.mark.parametrize("name", ["dictionary", "param-dict"])
def test_c8_published_dictionaries_that_must_fail_silence_what_stands_before_them(name: str) -> None:
    for case in vectors(f"structured-fields/{name}.json"):
        usage = ", ".join(["search=n", *filter(None, case["raw"])])

        assert objections("", case["raw"]) == NOTHING, case
        assert objections("", [usage]) == (NOTHING if case.get("must_fail") else SEARCH), case


def test_c8_published_tokens_are_read_and_are_no_n() -> None:
    for case in vectors("structured-fields/token.json"):
        (token,) = case["raw"]

        assert objections("", [f"search=n, train-ai={token}"]) == SEARCH, case


@pytest.mark.parametrize("name", ["dictionary", "param-dict"])
def test_c1_members_of_published_dictionaries_object_where_they_are_the_token_n(name: str) -> None:
    """The fields with their tokens turned into `n`, and each key in turn into `search`."""
    for case in vectors(f"structured-fields/{name}.json"):
        for key, (value, _) in case.get("expected", []):
            usage = ", ".join(_renamed(line, key) for line in case["raw"])

            assert objections("", [usage]) == (SEARCH if _is_token(value) else NOTHING), case


def _renamed(line: str, key: str) -> str:
    members = [member.strip() for member in line.split(",")]
    renamed = [
        "search" + member.removeprefix(key) if member.startswith(key) else member for member in members
    ]
    return ", ".join(renamed).replace("=b;", "=n;").replace("=e;", "=n;")


def _is_token(value: Any) -> bool:
    return isinstance(value, dict) and value["__type"] == "token"
