"""Why has a metric moved? Who and what explains the difference, and which change of the configuration precedes it."""
