"""The figures of a run, and the one table they are printed in."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

HEADINGS = ("measured", "figure", "target", "beside it in the same run")


class Figure(Struct, frozen=True):
    """`target` is what the project promises; `reference` is a figure of the same run and unit."""

    what: str
    value: float
    unit: str
    target: float | None = None
    better: Literal["lower", "higher"] = "lower"
    reference: float | None = None
    of: str = ""
    """What the reference is."""
    target_ratio: float | None = None
    """The target as a multiple of the reference, on the machine where it was agreed: that travels
    to other machines, and the absolute one does not."""

    @property
    def shown(self) -> str:
        return f"{_number(self.value)} {self.unit}"

    @property
    def goal(self) -> str:
        goals = []
        if self.target is not None:
            goals.append(self._against(self.value, self.target))
        if self.target_ratio is not None and self.reference:
            goals.append(self._against(self.value / self.reference, self.target_ratio, " ×"))
        return "; ".join(goals)

    def _against(self, value: float, target: float, unit: str = "") -> str:
        sign, met = ("≤", value <= target) if self.better == "lower" else ("≥", value >= target)
        return f"{sign} {_number(target)}{unit}{'' if met else '  MISSED'}"

    @property
    def beside(self) -> str:
        if self.reference is None:
            return self.of
        ratio = f"{_number(self.value / self.reference)} × " if self.reference else ""
        return f"{ratio}{self.of} ({_number(self.reference)} {self.unit})"


def rendered(figures: Sequence[Figure]) -> str:
    rows = [HEADINGS, *((f.what, f.shown, f.goal, f.beside) for f in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def _number(value: float) -> str:
    """Three digits that mean something."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"
