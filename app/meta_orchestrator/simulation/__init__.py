"""A software team in a discrete-event simulation (SimPy), whose truth we own.

The team speaks only contract messages and obeys only a configuration: it does not know who controls it. So what the
meta-orchestrator achieves is measured by the team's own books (`truth.py`), never by the controller's metrics.

`conditions.py` how the team is · `scenarios.py` what befalls it · `flow.py` the life of one task: start reading there ·
`team.py` puts it together · `orchestrator.py` the one that obeys · `alone.py` the team with nobody to obey: what would
have been under another configuration, with the same luck.
"""
