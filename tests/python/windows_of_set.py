"""Prints where the windows of a set end, and the rows of some of them, as JSON."""

import json
import sys

import numpy as np

import foretick


def main() -> None:
    data = foretick.load(sys.argv[1])
    windows = data.windows(labelled=False, dtype=np.float64)
    times = windows.ts_event.astype(np.int64)
    ends = [[name, int(time)] for name, time in zip(windows.instrument, times)]
    # Of windows that end at one time, `explain` shows the last.
    last = {tuple(end): at for at, end in enumerate(ends)}
    picked = [last[tuple(ends[at])] for at in (0, len(ends) // 2, len(ends) - 1)]
    shown = [
        {"instrument": ends[at][0], "ts_event": ends[at][1], "rows": windows.X[at].tolist()} for at in picked
    ]
    print(json.dumps({"steps": data.steps, "ends": ends, "windows": shown}))


main()
