# shellcheck shell=bash
# The figures of the card's test part, as JSON; `make evaluate` calls it.
"$PYTHON" pipelines/loan-risk/train/prepare.py --split test >&2
"$FORETICK" evaluate pipelines/loan-risk --json --labels out/loan-risk/labels.test.jsonl \
    --input out/loan-risk/applications.test.jsonl
