"""Settings of the whole suite."""

import pytest
from hypothesis import HealthCheck, settings

# Nothing is timed: a slow machine fails nobody.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def sagemaker_emulator_options() -> list[str]:
    """One emulator serves the session: jobs start at once, and one that is stopped ends at once."""
    return ["--cold-start", "0.1", "--warm-start", "0", "--stop-grace", "1"]
