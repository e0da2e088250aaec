"""What is wrong with the records of a file, as a person reads it: each complaint once, and where it was met first."""

from collections import Counter
from dataclasses import dataclass, field

MOST = 20
"""Different complaints that are told; of the others only how many there are."""


@dataclass
class Complaints:
    """`first` is where each complaint was met, in the order in which that happened."""

    first: dict[str, str] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    others: int = 0

    def add(self, where: str, why: str) -> None:
        if why in self.first or len(self.first) < MOST:
            self.first.setdefault(why, where)
            self.times[why] += 1
        else:
            self.others += 1

    def lines(self) -> list[str]:
        told = [f"  {where}{_more(self.times[why] - 1)}: {why}" for why, where in self.first.items()]
        return told + ([f"  ... {self.others:,} more"] if self.others else [])


def _more(times: int) -> str:
    return f" and {times:,} more" if times else ""
