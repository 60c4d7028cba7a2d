# SPDX-License-Identifier: MIT
"""What many runs of a campaign showed, as a table."""
import statistics
from dataclasses import dataclass, field

RECOVERY_SECONDS = 5
FAULTS = ("lost", "doubled", "off", "wrong")


@dataclass
class Sum:
    """What happened in all runs of a kind."""

    runs: int = 0
    promotions: int = 0
    acknowledged: int = 0
    unknown: int = 0  # answers, before a repeat under the same key settled them
    cuts: int = 0
    lost: list = field(default_factory=list)
    doubled: list = field(default_factory=list)
    off: list = field(default_factory=list)  # followers
    wrong: list = field(default_factory=list)
    recoveries: list = field(default_factory=list)

    def take(self, verdict, log):
        """What the checker said, and the answers."""
        self.acknowledged, self.lost, self.doubled, self.wrong = (
            verdict.acknowledged, verdict.lost, verdict.doubled, verdict.wrong)
        self.unknown = log.statuses().get("503 outcome_unknown", 0)

    def add(self, other):
        """One more run, or all of another kind."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def cell(self, name):
        """Of a row of the table."""
        value = getattr(self, name)
        if name != "recoveries":
            return f"{len(value) if isinstance(value, list) else value:,}"
        return f"{statistics.median(value):.2f} s, {max(value):.2f} s" if value else "–, –"

    def faults(self):
        """Whatever must not be, one line each."""
        return [f"{name}: {what}" for name in FAULTS for what in getattr(self, name)]

    def is_good(self):
        """Nothing was lost, doubled or wrong, and writes came back in time."""
        return not self.faults() and max(self.recoveries, default=0) <= RECOVERY_SECONDS


def total(sums):
    """Of all kinds."""
    everything = Sum()
    for one in sums.values():
        everything.add(one)
    return everything


def table(sums, columns):
    """In Markdown. `columns`: what stands above each, and which it is."""
    rows = [("fault", *columns), ("---",) * (1 + len(columns))]
    rows += [(kind, *(one.cell(name) for name in columns.values())) for kind, one in [*sums.items(), ("all", total(sums))]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
