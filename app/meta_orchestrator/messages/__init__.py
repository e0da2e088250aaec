"""Every record that crosses Kafka: the one source of `schemas/`."""
