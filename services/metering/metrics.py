"""The figures that metering keeps beside those of every service. Labels are names in the file of limits."""

from prometheus_client import Counter, Gauge

LIMITED_CALLS = Counter(
    "sluice_limited_calls",
    "Calls from outside by the name of a limit and what it said of them: allowed, denied, or would_deny where"
    " it is only tried out. A call that one limit denies is allowed by none.",
    ["limit", "outcome"],
)
UNLIMITED_CALLS = Counter(
    "sluice_unlimited_calls",
    "Descriptors of calls that no line of the file of limits is for.",
)
LIMITS_FILE_GOOD = Gauge(
    "sluice_limits_file_good",
    "1 while the limits are those of the file, 0 while it is wrong and the ones before it are kept.",
    multiprocess_mode="livemin",
)
