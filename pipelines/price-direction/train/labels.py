"""Writes what really happened, on the test day and before, for `foretick evaluate`.

    python labels.py

writes labels.jsonl to out/price-direction: a line for each row that ends a whole window of good quality and whose
horizon the capture reaches, of the test and of the training part, on which baselines are fitted. FORETICK names the binary, FORETICK_DATA the captures.
"""

import json

import prepare


def main():
    rows = prepare.export()
    names = rows.contract["labels"]
    parts = prepare.divide(rows)
    with (prepare.OUT / "labels.jsonl").open("w") as file:
        for split, part in (("train", parts.train), ("test", parts.test)):
            for at in part:
                signal = {"key": str(rows.instrument[at]), "ts_event": int(rows.ts_event[at])}
                line = signal | {"outcome": names[rows.label[at]], "split": split}
                file.write(json.dumps(line) + "\n")
    print(" ".join(map(str, prepare.captures())))


if __name__ == "__main__":
    main()
