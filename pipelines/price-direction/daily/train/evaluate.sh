# shellcheck shell=bash
# The figures of the card's test days, as JSON; `make evaluate` calls it. Scores the tweets first, some minutes.
"$PYTHON" pipelines/price-direction/daily/train/prepare.py --split test --score >&2
out=out/price-direction-daily
"$FORETICK" evaluate pipelines/price-direction/daily --json --labels $out/labels.test.jsonl \
    --input $out/sentiment.jsonl $out/figures.jsonl $out/bars.jsonl
