"""Made-up applications and what the model says of them: golden.jsonl.

No row is of the data, which may not be committed. verify.py and the engine's tests hold the model to them.
"""

import json

import numpy as np

ROWS = 20
# What an amount may be in a made-up row: a range, and a step to round to.
LIMIT, BILL, PAID = (10_000, 500_000, 10_000), (-2_000, 200_000, 1), (0, 30_000, 1)


def applications(fields):
    """Ordinary rows, then gaps, unknown codes and absurd amounts."""
    random = np.random.default_rng(7)
    made = [ordinary(fields, random) for _ in range(ROWS - 8)]
    gaps = [{name: None if random.random() < 0.3 else value for name, value in row.items()} for row in made[:2]]
    late = ordinary(fields, random) | {name: 3 for name in fields if name.startswith("pay_") and "amt" not in name}
    absurd = [dict.fromkeys(fields, value) for value in (0, 3e38, -3e38)]
    return made + gaps + [late, made[2] | {"education": 9}, {}, *absurd]


def ordinary(fields, random):
    """One row; every field by itself."""
    between = lambda low, high, step: int(random.integers(low // step, high // step + 1)) * step
    row = {}
    for name in fields:
        if name == "limit_bal":
            row[name] = between(*LIMIT)
        elif name == "education":
            row[name] = between(1, 4, 1)
        elif name.startswith("bill"):
            row[name] = between(*BILL)
        elif name.startswith("pay_amt"):
            row[name] = between(*PAID)
        else:
            row[name] = int(random.choice([-2, -1, 0, 0, 0, 1, 2]))
    return row


def cells(made, fields):
    """Raw rows as the engine makes them: NaN where a field is missing or null."""
    number = lambda value: np.nan if value is None else value
    return np.array([[number(row.get(name)) for name in fields] for row in made], dtype=np.float32)


def write(path, made, probabilities, reasons):
    """One line a row, what the model said beside it."""
    plain = lambda values: [round(float(value), 7) for value in values]
    lines = [
        {"fields": fields, "probabilities": plain(said), "reasons": plain(told)}
        for fields, said, told in zip(made, probabilities, reasons)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def read(path):
    """Rows, probabilities and reasons."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [[line[name] for line in lines] for name in ("fields", "probabilities", "reasons")]
