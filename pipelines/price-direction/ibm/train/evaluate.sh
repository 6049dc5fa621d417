# shellcheck shell=bash
# The figures of the card's fifth session, as JSON; `make evaluate` calls it. The same score as `train.py`'s, by the engine.
archives=$("$PYTHON" pipelines/price-direction/ibm/train/labels.py)
# shellcheck disable=SC2086  # one path a word
"$FORETICK" evaluate pipelines/price-direction/ibm --json \
    --labels out/price-direction-ibm/labels.report.jsonl --input $archives
