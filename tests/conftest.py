"""What all tests share: how Hypothesis searches, and an environment without the host's settings."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "mooring",
    deadline=None,  # a busy machine is not a failing law
    derandomize=bool(os.environ.get("CI")),
    max_examples=int(os.environ.get("MOORING_EXAMPLES", "100")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("mooring")


@pytest.fixture(autouse=True)
def _no_settings_of_the_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the person's own data folder, or a key that would reach a paid model."""
    for name in list(os.environ):
        if name.startswith("MOORING_") or name.endswith(("_API_KEY", "HF_TOKEN")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user-data"))
