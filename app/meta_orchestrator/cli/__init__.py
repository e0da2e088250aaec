"""The commands, thin: each reads its settings, calls the room that does the work, and prints."""
