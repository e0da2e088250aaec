"""How often Python looks for garbage."""

import gc

THRESHOLD = 1_000_000
"""Open panes hold hundreds of thousands of events, none of them garbage; Python's default (700) walks over them again
and again, which halves the throughput, and 50,000 still costs a tenth.
"""


def look_seldom() -> None:
    """Once a process, when it is set up: what is there now is never looked at again, and never freed."""
    gc.freeze()
    gc.set_threshold(THRESHOLD, 10, 10)
