"""Arrays as text, exactly: what is stored at every tick should be short, and what is loaded must go on the same."""

from base64 import b64decode, b64encode
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def packed(array: NDArray[Any]) -> str:
    """The bytes of an array in base64."""
    return b64encode(array.tobytes()).decode()


def unpacked(text: str, dtype: DTypeLike, *shape: int) -> NDArray[Any]:
    """The array of what was packed, writable; one dimension where no shape is given."""
    return np.frombuffer(b64decode(text), dtype).reshape(shape or (-1,)).copy()


def packed_floats(values: NDArray[np.float64]) -> str:
    """Two bytes a number where that is exact, eight else; the first letter says which."""
    with np.errstate(over="ignore"):
        short = values.astype(np.float16)
    exact = np.array_equal(short.astype(np.float64), values)
    return f"2{packed(short)}" if exact else f"8{packed(values)}"


def unpacked_floats(text: str) -> NDArray[np.float64]:
    return unpacked(text[1:], np.float16 if text[0] == "2" else np.float64).astype(np.float64)
