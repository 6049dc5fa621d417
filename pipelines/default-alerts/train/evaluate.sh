# shellcheck shell=bash
# The figures of the card's test part, as JSON; `make evaluate` calls it.
"$PYTHON" pipelines/default-alerts/train/prepare.py --split test >&2
"$FORETICK" evaluate pipelines/default-alerts --json --labels out/default-alerts/labels.test.jsonl \
    --input out/default-alerts/statements.test.jsonl
