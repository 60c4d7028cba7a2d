"""One row of "What was promised", and how its numbers are written."""
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class Check:
    """One promise: what it is about, what was promised, what was measured, and whether it holds."""
    what: str
    promised: str
    measured: str
    met: bool


def microseconds(value):
    if value >= 99_500:
        return f"{value / 1e6:.2f} s"
    if value >= 1_000:
        return f"{value / 1e3:.1f} ms"
    return f"{value:.0f} µs"
