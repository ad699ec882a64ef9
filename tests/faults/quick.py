"""How long the part of the faults that every test run has took, which is promised to be short."""

import os

import pytest

FOLDER = "tests/faults/"
PROMISED = 120.0
"""Seconds of a wall clock: `make test` has two workers, which share what the tests take."""
WORKERS = 2
FAR_BEYOND = 8.0
"""So many times the promise means that something has got stuck: a slow machine that others work
on takes three times, and fails no run in which each test passed."""


class QuickPart:
    """A plugin: sums up, tells at the end, and fails a run on CI that is far beyond."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.tests: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid.startswith(FOLDER):
            self.seconds += report.duration
            self.tests.add(report.nodeid)

    @property
    def took(self) -> float:
        """Of a wall clock, were nothing else run."""
        return self.seconds / WORKERS

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.tests:
            terminalreporter.write_line(
                f"faults: {len(self.tests)} tests, {self.seconds:.0f} s together, so"
                f" {self.took:.0f} s by {WORKERS} workers; {PROMISED:.0f} s are promised"
            )

    @property
    def broken(self) -> bool:
        return self.took > PROMISED * FAR_BEYOND

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.broken and os.environ.get("CI"):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
