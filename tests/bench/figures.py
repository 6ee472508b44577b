"""Medians, ranges, ratios, and the table that a person reads.

A ratio is taken within a round, where both contenders stood next to each
other, and the median of these counts; figures of different runs do not."""

from dataclasses import dataclass
from statistics import median

from contenders import PEER, PRODUCT
from load import Sample
from workloads import Workload

DISTURBED = 0.15


@dataclass(frozen=True)
class Figure:
    """The median of the rounds, and between what they lie."""

    mid: float
    low: float
    high: float

    @classmethod
    def of(cls, values) -> "Figure":
        values = list(values)
        return cls(median(values), min(values), max(values))

    def text(self, places: int) -> str:
        mid, low, high = (f"{value:.{places}f}"
                          for value in (self.mid, self.low, self.high))
        return f"{mid} ({low}-{high})"


def places(value: float) -> int:
    """Three digits are what such a figure is good for."""
    return 0 if value >= 100 else 1 if value >= 10 else 2


class Results:
    """The samples of one workload, by contender, in the order of rounds."""

    def __init__(self, workload: Workload):
        self.workload = workload
        self.samples: dict[str, list[Sample]] = {}

    def add(self, name: str, sample: Sample) -> None:
        self.samples.setdefault(name, []).append(sample)

    def order(self, names: list[str]) -> None:
        """As they are listed, not as the rounds took them."""
        self.samples = {name: self.samples[name] for name in names}

    def failures(self, name: str) -> int:
        return sum(sample.failures for sample in self.samples[name])

    def usable(self, name: str) -> bool:
        return all(sample.requests for sample in self.samples.get(name, [])
                   ) and bool(self.samples.get(name))

    def figure(self, name: str, what: str) -> Figure:
        return Figure.of(getattr(sample, what)
                         for sample in self.samples[name])

    def ratio(self, name: str, what: str) -> Figure | None:
        if not (self.usable(PEER) and self.usable(name)):
            return None
        return Figure.of(getattr(mine, what) / getattr(theirs, what)
                         for mine, theirs in zip(self.samples[name],
                                                 self.samples[PEER]))

    def disturbed(self) -> float:
        return max((sample.others for samples in self.samples.values()
                    for sample in samples), default=0.0)

    # The table

    def row(self, name: str) -> list[str]:
        failures = self.failures(name)
        mark = f"{failures} FAILED" if failures else "0"
        if not self.usable(name):
            return [name, *["-"] * 6, mark]
        figures = [self.figure(name, what)
                   for what in ("cpu", "rate", "p50", "p99")]
        cpu, rate, p50, p99 = (figure.text(places(figure.mid))
                               for figure in figures)
        ratio = self.ratio(name, "cpu")
        return [name, cpu, ratio.text(2) if ratio else "-", self.goal(name),
                rate, p50, p99, mark]

    def goal(self, name: str) -> str:
        ratio = self.ratio(name, "cpu")
        if name != PRODUCT or not ratio:
            return ""
        goal = self.workload.debian_goal
        return f"{goal:.2f} {verdict(ratio.mid <= goal)}"

    def more_goals(self) -> list[str]:
        """What is asked besides CPU: the tail, and for some the rate."""
        if not self.usable(PRODUCT) or not self.usable(PEER):
            return []
        mine = self.figure(PRODUCT, "p99").mid
        theirs = self.figure(PEER, "p99").mid
        says = [f"p99 {mine:.2f} ms, mod_wsgi's {theirs:.2f}: "
                f"{verdict(mine <= theirs)}"]
        if self.workload.p99_ms:
            says.append(f"p99 at most {self.workload.p99_ms:.0f} ms: "
                        f"{verdict(mine <= self.workload.p99_ms)}")
        if self.workload.rate:
            rate = self.ratio(PRODUCT, "rate").mid
            # The same number as the peer's is the same within the noise.
            met = rate >= self.workload.rate * 0.98
            says.append(f"requests/s {rate:.2f} of mod_wsgi's, goal "
                        f"{self.workload.rate:.1f}: {verdict(met)}")
        return says

    def text(self) -> str:
        load = self.workload
        head = ["contender", f"CPU, {load.unit}", "of mod_wsgi d.", "goal",
                "requests/s", "p50, ms", "p99, ms", "failed"]
        rows = [head, *(self.row(name) for name in self.samples)]
        lines = [f"{load.title}, {load.connections} connections"
                 f" [{load.name}; {load.setup.text}]", *columns(rows)]
        lines += [f"  goal: {says}" for says in self.more_goals()]
        if self.disturbed() > DISTURBED:
            lines.append(f"  DISTURBED: other programs took up to "
                         f"{self.disturbed():.0%} of the machine")
        return "\n".join(lines) + "\n"

    def as_json(self) -> dict:
        return {"title": self.workload.title, "unit": self.workload.unit,
                "connections": self.workload.connections,
                "setup": self.workload.setup.text,
                "goal": self.workload.debian_goal,
                "contenders": {name: self.one_as_json(name)
                               for name in self.samples}}

    def one_as_json(self, name: str) -> dict:
        ratio = self.ratio(name, "cpu")
        medians = {what: self.figure(name, what).mid
                   for what in ("cpu", "rate", "p50", "p99")}
        return {"medians": medians, "ratio": ratio and ratio.mid,
                "failed": self.failures(name),
                "rounds": [sample.as_json()
                           for sample in self.samples[name]]}


def verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def columns(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows)
              for column in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(width) if column == 0
                             else cell.rjust(width)
                             for column, (cell, width)
                             in enumerate(zip(row, widths))).rstrip()
            for row in rows]
