"""How thoroughly random inputs are searched: `make test` looks briefly, `make test-all` for long."""

from hypothesis import HealthCheck, settings

# A loaded machine is slow now and then; that is no fault of the code.
ALWAYS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("quick", max_examples=30, **ALWAYS)
settings.register_profile("thorough", max_examples=200, **ALWAYS)
settings.load_profile("quick")
