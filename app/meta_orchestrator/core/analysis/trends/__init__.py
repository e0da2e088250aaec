"""Does a metric rise or fall steadily over hours or days? Slower than any drift detector sees, and dated as a whole."""
