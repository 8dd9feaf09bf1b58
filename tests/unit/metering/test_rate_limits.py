"""Which limit a descriptor has, and what a file of limits may say."""

from pathlib import Path

import pytest
import yaml

from services.chassis.refusals import Refusal
from services.metering.domain.rates.callers import by_prefix, prefix_of
from services.metering.domain.rates.documents import described, limits_of
from services.metering.domain.rates.limits import RateLimit, RateLimits, Unit, Unlimited, limited
from services.metering.limits_file import read_limits
from tests.support.rate_limits import YAML, a_rate_limit

SHIPPED = Path(__file__).resolve().parents[3] / "deploy" / "envoy" / "limits.yaml"
ACME, ORBIT = ("principal", "licensee:acme"), ("principal", "licensee:orbit")


def the_limits() -> RateLimits:
    return limits_of(yaml.safe_load(YAML))


def name_of(*descriptor: tuple[str, str], domain: str = "gateway") -> str | None:
    found = the_limits().find(domain, descriptor)
    return found.name if isinstance(found, RateLimit) else None


def test_a_line_of_a_key_alone_is_for_every_value_and_each_has_a_limit_of_its_own() -> None:
    assert name_of(ACME) == name_of(ORBIT) == "one caller"
    assert limited("gateway", (ACME,), a_rate_limit()) != limited("gateway", (ORBIT,), a_rate_limit())


def test_a_descriptor_has_the_limit_of_its_last_entry_and_not_of_those_before() -> None:
    assert name_of(ACME, ("method", "/a/Slow")) == "slow method"
    assert name_of(ACME, ("method", "/a/Quick")) is None
    assert name_of(("method", "/a/Slow")) is None


def test_a_line_with_the_value_goes_before_one_of_the_key_alone() -> None:
    limits = limits_of(
        yaml.safe_load(
            """
            domain: gateway
            descriptors:
              - {key: kind, rate_limit: {unit: second, requests_per_unit: 1}}
              - {key: kind, value: agent, rate_limit: {unit: day, requests_per_unit: 7}}
            """
        )
    )

    assert limits.find("gateway", (("kind", "agent"),)) == RateLimit("kind=agent", 7, Unit.DAY)
    assert limits.find("gateway", (("kind", "subject"),)) == RateLimit("kind", 1, Unit.SECOND)


def test_another_domain_and_a_line_without_limit_have_none() -> None:
    assert name_of(ACME, domain="elsewhere") is None
    assert the_limits().find("gateway", (("kind", "auditor"),)) is Unlimited.UNLIMITED


def test_a_limit_keeps_its_key_when_its_number_changes_and_begins_anew_with_another_unit() -> None:
    key = limited("gateway", (ACME,), a_rate_limit(2)).key

    assert limited("gateway", (ACME,), a_rate_limit(5)).key == key
    assert limited("gateway", (ACME,), a_rate_limit(2, Unit.MINUTE)).key != key
    assert limited("other", (ACME,), a_rate_limit(2)).key != key


def test_entries_that_run_together_are_other_entries() -> None:
    one = limited("gateway", (("a", "b"), ("c", "d")), a_rate_limit())
    other = limited("gateway", (("a", 'b"],["c'), ("c", "d")), a_rate_limit())

    assert one.key != other.key


LINE = "domain: gateway\ndescriptors:\n  - {key: kind, rate_limit: {unit: second, requests_per_unit: 1}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "the file is to be a mapping"),
        ("descriptors: []", "domain is to be a text"),
        ("domain: gateway", "descriptors is to be a list"),
        (
            LINE.replace("second", "fortnight"),
            "descriptors[0].rate_limit.unit is one of second, minute, hour, day",
        ),
        (
            LINE.replace("second", "month"),
            "descriptors[0].rate_limit.unit is one of second, minute, hour, day",
        ),
        (LINE.replace(": 1}", ": -1}"), "requests_per_unit is a whole number"),
        (LINE.replace(": 1}", ": true}"), "requests_per_unit is a whole number"),
        (LINE.replace(": 1}", ": 10001}"), "is over 10,000: each call is remembered"),
        (LINE.replace("kind,", "kind, value: 7,"), "put quotes around a number"),
        (LINE.replace("kind,", 'kind, value: "licen*",'), "a line without a value is for every value"),
        (LINE.replace("kind,", "kind, replaces: [],"), "has replaces, which is not known here"),
        (LINE.replace("{unit:", "{unlimited: true, unit:"), "is unlimited and says a limit"),
        (LINE.replace("unit:", "name: 'a \"b\"', unit:", 1), "a name of ASCII without quotes"),
        (LINE + "  - {key: kind}\n", "a second line for kind"),
        (LINE + "  - {key: other}\n", "says no limit"),
        (
            LINE + "  - {key: other, shadow_mode: true, descriptors: []}\n",
            "goes with a limit of the same line",
        ),
    ],
)
def test_what_the_file_does_not_mean_is_refused_by_the_name_of_its_part(text: str, message: str) -> None:
    with pytest.raises(Refusal, match="LIMITS_FILE_INVALID") as refused:
        limits_of(yaml.safe_load(text))

    assert message in refused.value.message


def test_a_member_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text(LINE.replace(": 1}", ": 1, requests_per_unit: 9}"))

    with pytest.raises(Refusal, match="line 3 says requests_per_unit twice"):
        read_limits(file)


def test_the_shipped_file_is_good_and_strictest_with_strangers_who_ask_for_tokens() -> None:
    limits = read_limits(SHIPPED)
    stranger = ("remote_prefix", "192.0.2.0/24")
    token = ("method", "/sluice.licensing.v1.TokenService/GetToken")

    assert limits.domain == "gateway"
    assert len(described(limits)) >= 8
    any_call, for_token = limits.find("gateway", (stranger,)), limits.find("gateway", (stranger, token))
    assert isinstance(any_call, RateLimit)
    assert isinstance(for_token, RateLimit)
    assert for_token.unit == any_call.unit
    assert for_token.calls < any_call.calls


@pytest.mark.parametrize("kind", ["licensee", "subject", "agent", "operator", "auditor", "stranger"])
def test_the_shipped_file_says_something_of_every_kind_and_of_every_method_of_it(kind: str) -> None:
    limits, own = read_limits(SHIPPED), ("kind", kind)

    assert limits.find("gateway", (own,)) is not None
    assert limits.find("gateway", (own, ("method", "/a/B"))) is not None


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("2001:DB8:1:2::9", "2001:db8:1::/48"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("192.0.0.0/16", "192.0.0.0/16"),
        ("no address", "no address"),
    ],
)
def test_callers_are_told_apart_by_network_however_their_address_is_written(
    address: str, prefix: str
) -> None:
    assert prefix_of(address) == prefix


def test_an_address_that_envoy_sends_is_counted_as_a_prefix_and_other_entries_stay() -> None:
    assert by_prefix((("remote_address", "2001:db8::1"), ("method", "/a/B"))) == (
        ("remote_prefix", "2001:db8::/48"),
        ("method", "/a/B"),
    )
