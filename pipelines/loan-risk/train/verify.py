"""Holds model.onnx to golden.jsonl and to its contract; needs no data, no LightGBM and no PyTorch.

Exit code 1 where a probability or a reason differs by more than 1e-5, where reasons do not sum to the
change in log-odds, or where an output is not finite.
"""

import json
import sys

import numpy as np
import onnx

import golden
from runtime import MODEL, PIPELINE, run

TOLERANCE = 1e-5
NUMBERS = [0.0, -0.0, 1.0, -1.0, 1e-40, 1e6, 1e30, -1e30, 3.4e38, -3.4e38, np.nan]


def main():
    props = {prop.key: prop.value for prop in onnx.load(MODEL).metadata_props}
    noted = lambda name: json.loads(props[f"foretick.{name}"])
    fields, expected_pd = noted("features"), np.array(noted("expected_pd"))
    made, *expected = golden.read(PIPELINE / "golden.jsonl")
    rows = golden.cells(made, fields)
    found = run(MODEL, rows)
    difference = max(float(np.abs(np.array(one) - other).max()) for one, other in zip(expected, found))
    demand(difference <= TOLERANCE, f"a golden row differs by {difference:g}")

    codes = list(json.loads((PIPELINE / "reasons.json").read_text()))
    demand(codes == noted("reasons"), "reasons.json and the model have different codes")

    odd = np.random.default_rng(0).choice(np.array(NUMBERS, dtype=np.float32), (5000, len(fields)))
    probabilities, reasons = run(MODEL, odd)
    demand(np.isfinite(probabilities).all() and np.isfinite(reasons).all(), "an output is not finite")
    usual = np.array([[noted("reason_baseline")[name] for name in fields]], dtype=np.float32)
    score = lambda asked: np.log(1 / (1 / (run(MODEL, asked)[0] @ expected_pd) - 1))
    gap = float(np.abs(reasons.sum(1) - (score(odd) - score(usual))).max())
    demand(gap <= TOLERANCE, f"reasons miss the change in log-odds by {gap:g}")

    alone = np.concatenate([run(MODEL, row[None])[1] for row in rows])
    batch = float(np.abs(alone - found[1]).max())
    demand(batch <= TOLERANCE, f"a row alone and in a batch differ by {batch:g}")
    print(f"{len(rows)} golden rows, largest difference {difference:.1e}")
    print(f"{len(odd)} odd rows: finite, reasons sum to the change in log-odds within {gap:.1e}")


def demand(holds, otherwise):
    """Ends the run where a promise is broken."""
    if not holds:
        sys.exit(f"while verifying {MODEL.name}: {otherwise}")


if __name__ == "__main__":
    main()
