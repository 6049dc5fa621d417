# shellcheck shell=bash
# The figures of the card's test day, as JSON; `make evaluate` calls it. The same score as `train.py`'s, by the engine.
captures=$("$PYTHON" pipelines/price-direction/train/labels.py)
# shellcheck disable=SC2086  # one path a word
"$FORETICK" evaluate pipelines/price-direction --json --labels out/price-direction/labels.jsonl --split test \
    --input $captures
