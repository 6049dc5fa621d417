"""Windows of rows, as the engine has them: the last T rows of an instrument, oldest first.

A window never crosses a change of instrument, a silence of more than `break_ms`, or a row that live would not
trust. Where the set says when its windows begin (`window_start`) and T is its number of rows, windows are those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np


@dataclass(frozen=True)
class Windows:
    """N windows of T rows of F features."""

    X: np.ndarray
    """The features, [N, T, F]; the last row is the one that is scored."""
    y: np.ndarray
    """The label of the last row: its class as an index into the label's classes (-1: none), or its value."""
    index: np.ndarray
    """The number of the last row in the file, [N]."""
    weight: np.ndarray
    """The weight of the last row, [N]."""
    instrument: np.ndarray
    """The instrument, [N]."""
    ts_event: np.ndarray
    """The time of the last row, datetime64[ns] in UTC, [N]."""

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class WindowEnds:
    """Where windows end and which rows they hold."""

    index: np.ndarray
    """The last row of each window, by its number in the file, in that order."""
    rows: np.ndarray
    """All rows of each window, [N, T], oldest first."""


def window_ends(
    instrument: np.ndarray,
    time: np.ndarray,
    steps: int,
    break_ns: Optional[int],
    starts: Optional[np.ndarray],
    usable: np.ndarray,
    are_own: bool = True,
) -> WindowEnds:
    """All windows of `steps` rows.

    instrument: a number a row. time: nanoseconds a row. starts: when the window of each row begins, in
    nanoseconds, the smallest integer where it has none; None where that is not told. usable: whether a row
    may be in a window. are_own: whether these windows have as many rows as those that `starts` tells of, else
    fewer.
    """
    rows = len(instrument)
    # The rows of an instrument behind each other, in the order of the file.
    order = np.argsort(instrument, kind="stable")
    own, times, good = instrument[order], time[order], usable[order]
    begins = np.ones(rows, dtype=bool)
    if rows > 1:
        begins[1:] = own[1:] != own[:-1]
        silent = np.zeros(rows, dtype=bool)
        if break_ns is not None:
            silent[1:] = times[1:] - times[:-1] > break_ns
        begins |= silent
    begins |= ~good
    # A row that is not usable begins a run, and is not in it.
    place = np.arange(rows)
    run = np.maximum.accumulate(np.where(begins, place + ~good, 0))
    last = np.flatnonzero(good & (place - run + 1 >= steps))
    if starts is not None:
        is_told = starts[order][last] != np.iinfo(np.int64).min
        told = last[is_told]
        last = told if are_own else last
        _check_starts(times[told - (steps - 1)], starts[order][told], order[told], are_own)
    windows = order[last[:, None] + np.arange(1 - steps, 1)]
    by_row = np.argsort(windows[:, -1], kind="stable")
    windows = windows[by_row]
    return WindowEnds(index=windows[:, -1], rows=windows)


def _check_starts(found: np.ndarray, told: np.ndarray, rows: np.ndarray, are_own: bool) -> None:
    wrong = np.flatnonzero(found != told if are_own else found < told)
    if len(wrong):
        row = int(rows[wrong[0]])
        raise ValueError(
            f"while making windows: {len(wrong)} of {len(told)} windows, that of row {row} first, begin at "
            "another time than their `window_start`: rows were removed or moved, or the set was exported with "
            "another `split.steps` than is told. Read the file as `foretick features` wrote it, and choose rows "
            "with `rows=`."
        )
