"""Writes what really happened in the fifth session, for `foretick evaluate`.

    python labels.py

writes labels.report.jsonl to out/price-direction-ibm: a line for each row that ends a whole window of good quality and
whose horizon the session reaches. FORETICK names the binary, FORETICK_DATA the folder of data.
"""

import json

from sessions import OUT, archives, divide, export


def main():
    rows = export()
    names = rows.contract["labels"]
    with (OUT / "labels.report.jsonl").open("w") as file:
        for at in divide(rows).test:
            line = {"key": str(rows.instrument[at]), "ts_event": int(rows.ts_event[at])}
            file.write(json.dumps(line | {"outcome": names[rows.label[at]]}) + "\n")
    print(" ".join(map(str, archives("report"))))


if __name__ == "__main__":
    main()
