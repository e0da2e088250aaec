"""The whole loop on this machine, with no other software: embedded broker, worker, team, orchestrator, live view.

`show.py` starts and ends everything: start reading there.
"""


def run(for_s: float | None = None) -> int:
    """Until Ctrl-C, or for so many seconds. 0; 1 if it was to end by itself and no change was applied by then."""
    from meta_orchestrator.demo.show import run_show

    return run_show(for_s)
