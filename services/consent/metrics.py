"""The figures that consent keeps beside those of every service. No label holds an id of anybody."""

from prometheus_client import Counter, Gauge, Histogram

WAIT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
EFFECT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
DATABASE = "consent"

INDEX_LAG = Gauge(
    "sluice_consent_index_lag_revisions",
    "Revisions by which the index was behind the head at the last look, which brought it there.",
    multiprocess_mode="livemax",
)
INDEX_CURRENT = Gauge(
    "sluice_consent_index_current_timestamp_seconds",
    "When the last look began that brought the index to the head, seconds since the epoch.",
    ["database"],
    # No process has it before its first look, so that the oldest is that of one that has looked.
    multiprocess_mode="livemin",
)
INDEX_WAIT_SECONDS = Histogram(
    "sluice_consent_index_wait_seconds",
    "Seconds that a check waits until the index is at a head that was read after the check arrived.",
    buckets=WAIT_BUCKETS,
)
CHOICE_TO_EFFECT_SECONDS = Histogram(
    "sluice_choice_to_effect_seconds",
    "Seconds from the commit of a choice until the index of the process that recorded it has it. A check that"
    " comes in between waits for it, there and in every other process.",
    buckets=EFFECT_BUCKETS,
)
CHOICES = Counter(
    "sluice_choices",
    "Live choices and objections recorded, or told again to who repeats a request.",
    ["form"],
)
for _form in ("choice", "objection"):
    CHOICES.labels(_form)
