"""How thoroughly random inputs are searched: `make test` looks briefly, `make test-all` for long."""

from hypothesis import HealthCheck, settings

for name, examples in (("quick", 30), ("thorough", 200)):
    # A loaded machine is slow now and then; that is no fault of the code.
    settings.register_profile(
        name, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile("quick")
