"""The laws here are about what is read, not how fast: a busy machine must not make them fail."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
