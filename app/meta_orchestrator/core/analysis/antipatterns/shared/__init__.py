"""What the detectors share: books of the past, and tests of the present against it."""
