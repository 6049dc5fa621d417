# shellcheck shell=bash
# The figures of the validation file, as JSON; `make evaluate` calls it.
"$PYTHON" pipelines/news-sentiment/train/prepare.py --split valid >&2
"$FORETICK" evaluate pipelines/news-sentiment --json --labels out/news-sentiment/labels.valid.jsonl \
    --input out/news-sentiment/items.valid.jsonl
