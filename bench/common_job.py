"""Runs the common job side by side: a careful Python loop, a hand-written Rust loop, and `foretick replay`.

Measures CPU seconds (user + system) per million ticks, each program alone on one core, in turns, so that all see
the same machine. Start-up is included; latency is not measured.

    python bench/common_job.py [--ticks N] [--rounds N] [--core N] [--variants AB] [--instruments N]

With --instruments the ticks are of so many instruments in random order, made here (standard library only), and
variant A runs without the Python loop: the hand-written loop is the reference.

FORETICK        the binary, target/release/foretick
FORETICK_PEERS  the folder with the job's other implementations, ../shared/peers; it is only read
"""

import argparse
import json
import math
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "out" / "common-job"
PEERS = Path(os.environ.get("FORETICK_PEERS", ROOT.parent / "shared" / "peers"))
FORETICK = Path(os.environ.get("FORETICK", ROOT / "target" / "release" / "foretick"))
# CPU seconds per million ticks on a core left alone: our target, and what the hand-written Rust
# loop takes there. On any other core only the ratio of the two means something.
TARGETS = {"A": (0.8, 0.63), "B": (4.5, 8.32)}
# The same with many instruments, whose states do not fit a cache: the target, relative to the hand-written loop.
MANY_INSTRUMENTS_RATIO = 1.2
FLOORS = {"A": "rust_floor", "B": "rust_floor_b"}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--ticks", type=int, default=1_000_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--core", default="1")
    arguments.add_argument("--variants", default="AB")
    arguments.add_argument("--instruments", type=int)
    options = arguments.parse_args()
    for path, variable in [(PEERS / FLOORS["A"], "FORETICK_PEERS"), (FORETICK, "FORETICK")]:
        if not path.exists():
            sys.exit(f"while looking for {path}: it is not there; name another place in {variable}")
    OUT.mkdir(parents=True, exist_ok=True)
    if options.instruments:
        sys.exit(0 if many_instruments(options) else 1)
    ticks = make_input(options.ticks)
    good = True
    for variant in options.variants:
        programs = {
            "plain_py": plain_py(variant, ticks),
            "foretick": foretick(variant, ticks),
            "rust_floor": rust_floor(variant, ticks),
        }
        seconds = in_turns(programs, options)
        target, quiet_floor = TARGETS[variant]
        good &= report(variant, seconds, options.ticks, "plain_py", target / quiet_floor)
        good &= check(variant, "plain_py")
    sys.exit(0 if good else 1)


def many_instruments(options):
    """Variant A with ticks of many instruments in random order; false where it is too slow or wrong."""
    ticks = make_many(options.ticks, options.instruments)
    overrides = ["--set", f"source.max_instruments={options.instruments}"]
    programs = {"foretick": foretick("A", ticks) + overrides, "rust_floor": rust_floor("A", ticks)}
    seconds = in_turns(programs, options)
    good = report("A", seconds, options.ticks, "rust_floor", MANY_INSTRUMENTS_RATIO)
    return check("A", "rust_floor") and good


def in_turns(programs, options):
    """The CPU seconds of each program, round by round."""
    seconds = {name: [] for name in programs}
    for _ in range(options.rounds):
        for name, command in programs.items():
            seconds[name].append(cpu_seconds(command, options.core))
    return seconds


def make_input(count):
    """The seeded ticks, and the model that the Python loop runs."""
    ticks, model = OUT / f"ticks-{count}.jsonl", OUT / "model.onnx"
    if not ticks.exists():
        run([sys.executable, PEERS / "src" / "gen.py", str(count), ticks])
    if not model.exists():
        run([sys.executable, PEERS / "src" / "model.py", model])
    return ticks


def make_many(count, instruments):
    """Ticks of many instruments in random order: each a random walk, 2,000 ticks a second in all."""
    ticks = OUT / f"ticks-{count}-{instruments}.jsonl"
    if ticks.exists():
        return ticks
    rng = random.Random(42)
    prices = [10 ** rng.uniform(0.5, 4.5) for _ in range(instruments)]
    ts = 1_700_000_000_000_000_000
    with open(ticks, "w", buffering=1 << 20) as file:
        for _ in range(count):
            at = rng.randrange(instruments)
            ts += max(1, int(rng.expovariate(1 / 500))) * 1000
            prices[at] *= math.exp(rng.gauss(0, 1e-4))
            size, side = rng.lognormvariate(-1, 1.2) + 0.001, "buy" if rng.random() < 0.5 else "sell"
            file.write(
                f'{{"ts_event":{ts},"symbol":"SYM{at:05}USDT","price":{prices[at]:.4f},"size":{size:.3f},'
                f'"side":"{side}"}}\n'
            )
    return ticks


def rust_floor(variant, ticks):
    """The hand-written Rust loop, built in a copy: the peers' folder stays as it is."""
    name = FLOORS[variant]
    copy, out = OUT / name, OUT / f"rust_floor.{variant}.jsonl"
    if not copy.exists():
        shutil.copytree(PEERS / name, copy)
    # The floor's lock file and profile are its own; so is its target folder.
    run(["cargo", "build", "--release", "--quiet", "--target-dir", copy / "target"], cwd=copy)
    binary = copy / "target" / "release" / name
    return [binary, ticks, out] if variant == "A" else [binary, OUT / "model.onnx", ticks, out]


def plain_py(variant, ticks):
    return [sys.executable, PEERS / "src" / "plain.py", variant, ticks, OUT / f"plain_py.{variant}.jsonl"]


def foretick(variant, ticks):
    pipeline = ROOT / "bench" / "pipelines" / f"common-job-{variant.lower()}"
    return [FORETICK, "replay", pipeline, "--input", ticks, "--output", OUT / f"foretick.{variant}.jsonl", "--force"]


def cpu_seconds(command, core):
    """User and system time of a command and of what it starts, pinned to one core."""
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "FEAT": "py"}
    child = subprocess.Popen(
        ["taskset", "-c", core, *map(str, command)],
        env={**os.environ, **threads, "MODEL": str(OUT / "model.onnx")},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"while running {' '.join(map(str, command))}: it failed, see above")
    return usage.ru_utime + usage.ru_stime


def report(variant, seconds, ticks, reference, most):
    """Best of the rounds per million ticks, with every round beside it; false where foretick takes more than `most`
    times the hand-written loop."""
    print(f"\nvariant {variant}, CPU seconds per million ticks")
    best = {name: min(rounds) / ticks * 1e6 for name, rounds in seconds.items()}
    for name, figure in sorted(best.items(), key=lambda item: item[1]):
        ratio = figure / best[reference]
        rounds = ", ".join(f"{second / ticks * 1e6:.2f}" for second in seconds[name])
        print(f"  {name:<11} {figure:6.2f}   {ratio:5.2f} of {reference}   rounds: {rounds}")
    ratio = best["foretick"] / best["rust_floor"]
    verdict = "met" if ratio <= most else "MISSED"
    print(f"  foretick / rust_floor: {ratio:.2f}; at most {most:.2f}: {verdict}")
    return ratio <= most


def check(variant, reference):
    """Compares with another program by the peers' own script, which needs their field names."""
    renamed = OUT / f"foretick.{variant}.renamed.jsonl"
    with open(OUT / f"foretick.{variant}.jsonl") as ours, open(renamed, "w") as theirs:
        for line in ours:
            signal = json.loads(line)
            record = {"ts_event": signal["ts_event"], "symbol": signal["instrument"], "value": signal["score"]}
            theirs.write(json.dumps(record) + "\n")
    command = [sys.executable, PEERS / "src" / "check.py", OUT / f"{reference}.{variant}.jsonl", renamed]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    figures = dict(word.split("=", 1) for word in printed.split())
    complete = figures["ref"] == figures["out"] == figures["common"]
    equal = complete and float(figures["maxdiff"]) <= 1e-6
    print(f"  check.py: {printed}: {'equal within 1e-6' if equal else 'DIFFERENT'}")
    return equal


def run(command, **more):
    subprocess.run(list(map(str, command)), check=True, **more)


if __name__ == "__main__":
    main()
