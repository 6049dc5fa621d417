"""Writes what really happened on the test day, for `foretick evaluate`.

    python labels.py

writes labels.test.jsonl to out/price-direction: a line for each row that ends a whole window of good quality and whose
horizon the capture reaches. FORETICK names the binary, FORETICK_DATA the captures.
"""

import json

import prepare


def main():
    rows = prepare.export()
    names = rows.contract["labels"]
    with (prepare.OUT / "labels.test.jsonl").open("w") as file:
        for at in prepare.divide(rows).test:
            line = {"key": str(rows.instrument[at]), "ts_event": int(rows.ts_event[at]), "outcome": names[rows.label[at]]}
            file.write(json.dumps(line) + "\n")
    print(" ".join(map(str, prepare.captures())))


if __name__ == "__main__":
    main()
