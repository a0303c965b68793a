"""What runs of two builds say about each other. Nothing here measures anything."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

#: A smaller difference between two medians is none.
LIMIT = 0.05


class Kind(Enum):
    """What a figure is, and whether more of it is better."""

    MICROSECONDS = "µs"
    MILLISECONDS = "ms"
    RATE = "/s"
    MEMORY = "MiB"
    KIBIBYTES = "KiB"
    #: Of two figures of one run. It is shown and not judged: it is worse, too, when only the lower one has become better.
    RATIO = "x"

    @property
    def more_is_better(self) -> bool:
        return self is Kind.RATE


class Verdict(Enum):
    SAME = "same"
    BETTER = "better"
    WORSE = "WORSE"
    #: Different by more than the limit, but two runs of one build were as different.
    UNSTEADY = "unsteady"
    #: One build could not be measured.
    MISSING = "no figure"
    NONE = ""


@dataclass(frozen=True)
class Comparison:
    """One row: the runs of both builds in the order they were made, and two runs of one and the same build."""

    title: str
    kind: Kind
    that: Sequence[float]
    this: Sequence[float]
    same: Sequence[float]

    @property
    def medians(self) -> tuple[float, float]:
        """Of that build and of this one."""
        return statistics.median(self.that), statistics.median(self.this)

    @property
    def ratio(self) -> float:
        """This build to that one."""
        that, this = self.medians
        return ratio(this, that)

    @property
    def spread(self) -> float:
        """How far apart two runs of the same build are: 0.1 when the larger is a tenth more than the smaller."""
        return ratio(max(self.same), min(self.same)) - 1

    @property
    def verdict(self) -> Verdict:
        if not self.that or not self.this or not self.same:
            return Verdict.MISSING
        if self.kind is Kind.RATIO:
            return Verdict.NONE
        that, this = self.medians
        # How much worse this build is, as a factor; and how much better.
        worse, better = ratio(this, that), ratio(that, this)
        if self.kind.more_is_better:
            worse, better = better, worse
        for factor, verdict in ((worse, Verdict.WORSE), (better, Verdict.BETTER)):
            if factor > 1 + LIMIT:
                return verdict if factor - 1 > self.spread else Verdict.UNSTEADY
        return Verdict.SAME


def ratio(one: float, other: float) -> float:
    if other:
        return one / other
    return math.inf if one else 1.0
