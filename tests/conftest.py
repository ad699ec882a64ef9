"""What all tests share: how Hypothesis searches, and an environment without the host's settings."""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.faults.quick import QuickPart

settings.register_profile(
    "mooring",
    deadline=None,  # a busy machine is not a failing law
    derandomize=bool(os.environ.get("CI")),
    max_examples=int(os.environ.get("MOORING_EXAMPLES", "100")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("mooring")

# A test that waits by letting all else run keeps the interpreter's lock; the store's threads get
# it once in such an interval, and need it many times for one commit.
sys.setswitchinterval(0.0001)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(QuickPart())


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_the_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads the person's own data folder, or a key that would reach a paid model."""
    with pytest.MonkeyPatch.context() as environment:
        for name in list(os.environ):
            if name.startswith("MOORING_") or name.endswith(("_API_KEY", "HF_TOKEN")):
                environment.delenv(name)
        environment.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("user-data")))
        yield
