"""Makes models of many shapes with random weights, runs `foretick bench` on each, and prints the tables.

The forget gates' biases are raised by 4, so that the first row of a window still shows in its score. Trains
nothing: what a step costs does not depend on the weights. Stops no other program: the figures are of a shared
machine.

    python bench/window_models.py [--seconds N] [--only NAME ...] [--instruments N ...]

FORETICK  the binary, target/release/foretick
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "out" / "window-models"
FORETICK = Path(os.environ.get("FORETICK", ROOT / "target" / "release" / "foretick"))
# Name: units of the layers, features, rows in a window.
SHAPES = {
    "64-32 F8 T50": ([64, 32], 8, 50),
    "64-32 F40 T50": ([64, 32], 40, 50),
    "64-32 F40 T100": ([64, 32], 40, 100),
    "64-32 F8 T100": ([64, 32], 8, 100),
    "2x128 F32 T50": ([128] * 2, 32, 50),
    "3x256 F256 T50": ([256] * 3, 256, 50),
    "2x100 F100 T50": ([100] * 2, 100, 50),
    "3x200 F250 T100": ([200] * 3, 250, 100),
    "4x1000 F500 T100": ([1000] * 4, 500, 100),
    "null F100 T50": ([], 100, 50),
    "null F250 T100": ([], 250, 100),
    "null F500 T100": ([], 500, 100),
}
MANY = "64-32 F40 T50"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=int, default=3)
    arguments.add_argument("--only", nargs="+", choices=SHAPES, default=list(SHAPES))
    arguments.add_argument("--instruments", nargs="*", type=int, default=[1, 1_000, 10_000])
    options = arguments.parse_args()
    if not FORETICK.exists():
        sys.exit(f"while looking for {FORETICK}: it is not there; build it, or name another in FORETICK")
    OUT.mkdir(parents=True, exist_ok=True)
    reports = {name: bench(name, options.seconds, "--fresh") for name in options.only}
    sliding(reports)
    fresh(reports)
    many = {count: bench(MANY, options.seconds, "--instruments", count) for count in options.instruments}
    if many:
        instruments(many)


def bench(name, seconds, *more):
    """The report of one model."""
    units, features, steps = SHAPES[name]
    path = OUT / f"{name.replace(' ', '-')}.onnx"
    if not path.exists():
        onnx.save(model(units, features, steps), path)
    command = [FORETICK, "bench", path, "--window", steps, "--seconds", seconds, "--json", *more]
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"while measuring {name}: it failed, see above")
    return json.loads(done.stdout)


def model(units, features, steps):
    """LSTM layers and a dense one on the last output; without layers the dense one on the whole window."""
    random = np.random.default_rng(7)
    nodes, weights = [], []
    if units:
        nodes.append(helper.make_node("Transpose", ["x"], ["rows"], perm=[1, 0, 2]))
        weights += [numpy_helper.from_array(np.array([at]), f"axis{at}") for at in (0, 1)]
    last, width = "rows", features
    for number, size in enumerate(units):
        w, r, b, y, h, out = (f"{word}{number}" for word in ("w", "r", "b", "y", "h", "out"))
        weights += lstm(random, width, size, [w, r, b])
        top = number + 1 == len(units)
        nodes.append(helper.make_node("LSTM", [last, w, r, b], ["", h] if top else [y], hidden_size=size))
        squeezed = [h, "axis0"] if top else [y, "axis1"]
        nodes.append(helper.make_node("Squeeze", squeezed, [out]))
        last, width = out, size
    if not units:
        nodes.append(helper.make_node("Flatten", ["x"], ["flat"]))
        last, width = "flat", features * steps
    weights.append(uniform(random, width**-0.5, [width, 1], "dense"))
    weights.append(uniform(random, width**-0.5, [1], "bias"))
    nodes.append(helper.make_node("Gemm", [last, "dense", "bias"], ["score"]))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, steps, features])
    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, [1, 1])
    graph = helper.make_graph(nodes, "windows", [x], [score], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(made)
    return made


def lstm(random, inputs, units, names):
    """Weights as PyTorch draws them; gates in the order i, o, f, c."""
    w, r, b = names
    spread = units**-0.5
    biases = random.uniform(-spread, spread, [1, 8 * units]).astype(np.float32)
    biases[0, 2 * units : 3 * units] += 4
    return [
        uniform(random, spread, [1, 4 * units, inputs], w),
        uniform(random, spread, [1, 4 * units, units], r),
        numpy_helper.from_array(biases, b),
    ]


def uniform(random, spread, shape, name):
    return numpy_helper.from_array(random.uniform(-spread, spread, shape).astype(np.float32), name)


def sliding(reports):
    print("\n| shape | path | critical p50 | p99 | max | floor | p50 / floor | ORT window p50 | ORT / critical |"
          " CPU a row, ours | ORT | ORT / ours | rows/s | max rel diff |")
    print("| --- " * 14 + "|")
    for name, report in reports.items():
        critical, whole, cpu = report["critical_ns"], report["ort_window_ns"], report["cpu_ns_per_row"]
        floor = report["floor_ns"]
        cells = [name, report["path"], *(time(critical[key]) for key in ("p50", "p99", "max"))]
        cells += [time(floor), f"{critical['p50'] / floor:.2f}"] if floor else ["", ""]
        cells += [time(whole["p50"]), f"{whole['p50'] / critical['p50']:.0f}"]
        cells += [time(cpu["ours"]), time(cpu["ort"]), f"{cpu['ort'] / cpu['ours']:.2f}"]
        cells += [f"{1e9 / cpu['ours']:,.0f}", f"{report['max_rel_diff']:.0e}"]
        row(cells)


def fresh(reports):
    print("\n| shape | fresh window p50 | p99 | max | ORT window p50 | p99 | max | ORT / ours |")
    print("| --- " * 8 + "|")
    for name, report in reports.items():
        ours, whole = report["fresh_window_ns"], report["ort_window_ns"]
        if ours:
            cells = [time(of[key]) for of in (ours, whole) for key in ("p50", "p99", "max")]
            row([name, *cells, f"{whole['p50'] / ours['p50']:.2f}"])


def instruments(reports):
    print(f"\n| {MANY}, instruments | critical p50 | p99 | max | p99 / that of the first | deferred p50 |"
          " CPU a row | state of one |")
    print("| --- " * 8 + "|")
    first = next(iter(reports.values()))["critical_ns"]["p99"]
    for count, report in reports.items():
        critical = report["critical_ns"]
        cells = [f"{count:,}", *(time(critical[key]) for key in ("p50", "p99", "max"))]
        cells += [f"{critical['p99'] / first:.2f}", time(report["deferred_ns"]["p50"])]
        row([*cells, time(report["cpu_ns_per_row"]["ours"]), f"{report['bytes_per_instrument'] / 1024:.1f} KiB"])


def row(cells):
    print("|", " | ".join(cells), "|", flush=True)


def time(ns):
    """Nanoseconds with three digits and a unit."""
    for unit, size in [("ns", 1), ("µs", 1e3), ("ms", 1e6)]:
        if ns < 999.5 * size:
            break
    scaled = ns / size
    digits = 0 if size == 1 or scaled >= 100 else 1 if scaled >= 10 else 2
    return f"{scaled:.{digits}f} {unit}"


if __name__ == "__main__":
    main()
