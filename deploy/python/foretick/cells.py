"""The cells of a column as an array of numpy.

A column of few different texts (a dictionary) never goes through pyarrow's own `to_numpy`: that gives a null
the last of the words.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NO_TIME = np.iinfo(np.int64).min
"""A time that is not told, as numpy's NaT has it."""


def texts(cells: pa.ChunkedArray) -> np.ndarray:
    """Texts as objects; None where they are null."""
    codes, words = coded(cells)
    return np.array([*words, None], dtype=object)[codes]


def coded(cells: pa.ChunkedArray) -> "tuple[np.ndarray, list[str]]":
    """Each text as its number among the different ones, -1 where it is null; and these."""
    plain = pc.cast(_plain(cells), pa.string()).combine_chunks()
    encoded = plain.dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return codes.astype(np.int64), encoded.dictionary.to_pylist()


def numbers(cells: pa.ChunkedArray, name: str) -> np.ndarray:
    """Numbers, float64; NaN where they are null."""
    plain = _plain(cells)
    kind = plain.type
    is_number = pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    if not (is_number or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        raise ValueError(f"while reading `{name}` as numbers: it holds {kind}")
    return pc.fill_null(pc.cast(plain, pa.float64()), float("nan")).to_numpy()


def nanoseconds(cells: pa.ChunkedArray, name: str) -> np.ndarray:
    """Times, int64 nanoseconds since the epoch; `NO_TIME` where they are null."""
    plain = _plain(cells)
    kind = plain.type
    if pa.types.is_timestamp(kind):
        plain = pc.cast(plain, pa.timestamp("ns", kind.tz))
    elif not (pa.types.is_integer(kind) or pa.types.is_null(kind)):
        raise ValueError(f"while reading `{name}` as times: it holds {kind}; write it as timestamp[ns, UTC]")
    return pc.fill_null(pc.cast(plain, pa.int64()), int(NO_TIME)).to_numpy()


def _plain(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same without a dictionary."""
    return pc.cast(cells, cells.type.value_type) if pa.types.is_dictionary(cells.type) else cells
