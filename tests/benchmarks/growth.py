"""How a figure grows with a number: flat, in step with it, or worse."""

import math
import statistics
from collections.abc import Mapping

from tests.benchmarks.table import Figure

LINEAR = 1.1
"""The largest exponent that passes for linear: measurements scatter."""


def growth(what: str, points: Mapping[int, float]) -> Figure:
    """The exponent of the power of the number that fits best: 0 is flat, 1 is linear."""
    numbers = [math.log(number) for number in points]
    figures = [math.log(figure) for figure in points.values()]
    exponent = statistics.linear_regression(numbers, figures).slope
    seen = " · ".join(f"{number:,}: {figure:.3g}" for number, figure in points.items())
    return Figure(f"growth of {what}", exponent, "exponent", LINEAR, of=seen)
