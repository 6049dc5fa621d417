"""Made-up headlines with what the model says of them: golden.jsonl. No headline of the data is among them.

`rows` has the piece ids of the headline as the engine cuts them.
"""

import json

import numpy as np

from prepare import LABELS

HEADLINES = {
    "good quarter": "$ABCD soars after record quarter, raises full-year guidance",
    "bad quarter": "$ABCD plunges as quarterly loss widens and outlook is cut",
    "upgrade": "Northwind Foods upgraded to Buy from Hold at Example Securities",
    "downgrade": "Northwind Foods cut to Sell at Example Securities on weak demand",
    "target raised": "Price target on Contoso raised to $55 from $48",
    "target cut": "Price target on Contoso lowered to $31 from $48",
    "meeting": "Contoso to hold its annual meeting of shareholders on June 12",
    "results date": "Fabrikam schedules third-quarter results for October 28",
    "dividend": "Fabrikam declares a quarterly dividend of $0.25 a share",
    "dividend cut": "Fabrikam suspends its dividend to save cash",
    "negation": "Contoso is not expected to return to profit this year",
    "question": "Is now the time to buy Contoso shares?",
    "mixed": "Contoso sales beat estimates, but profit falls short",
    "macro": "Treasury yields slip as investors wait for the jobs report",
    "slump": "Stocks tumble as trade fears return",
    "rally": "Stocks rally to a record high on hopes of a deal",
    "bankruptcy": "Retailer Tailspin Toys files for Chapter 11 bankruptcy",
    "accents": "Société Générale relève ses objectifs après un trimestre record",
    "mixed scripts": "Nikkei (日経平均) rises 1.2% to close at a record",
    "numbers alone": "3.2% 1.1% -0.4% 17,250 +85",
    "shouting": "BREAKING: WOODGROVE BANK WINS $2 BILLION CONTRACT!!! 🚀",
    "one word": "up",
    "longer than the row": "Contoso said that it would " + "buy back shares and " * 20 + "raise its dividend",
}


def write(path, rows, run):
    """Writes the headlines' rows [N, 1, 64] with what `run` (rows to probabilities) says of each."""
    lines = []
    for (name, headline), row in zip(HEADLINES.items(), rows, strict=True):
        assert row.any(), f"the engine passes over {headline!r}"
        said = run(row[None])[0]
        ids = [int(piece) for piece in row[0]]
        probabilities = [float(str(np.float32(value))) for value in said]
        label = LABELS[int(said.argmax())]
        line = {"name": name, "headline": headline, "rows": [ids], "probabilities": probabilities, "label": label}
        lines.append(line)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def read(path):
    """Names, headlines, rows, probabilities and labels."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = np.array([line["rows"] for line in lines], dtype=np.float32)
    names, headlines, labels = ([line[key] for line in lines] for key in ("name", "headline", "label"))
    return names, headlines, rows, np.array([line["probabilities"] for line in lines]), labels
