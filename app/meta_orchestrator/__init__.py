"""Watches a team of agents through Kafka and tunes its orchestrator, one small, tested, reversible change at a time."""

__version__ = "0.1.0"
