#!/usr/bin/env bash
# Computes the figures of each model card from the recorded data and compares them with the card. Uses the binary that
# `make test` or `make build` built; takes some minutes.
#
#   tests/cards.sh [PIPELINE...]
#
# FORETICK_DATA   the folder of recorded data; by default ../shared/data.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The figures of a pipeline that are compared, each with the number of digits that are equal on all processors.
figures() {
    case $1 in
        price-direction) echo macro_f1:3 mcc:3 ;;
        price-direction/ibm) echo macro_f1:3 mcc:3 ;;
        price-direction/daily) echo accuracy:3 mcc:3 ;;
        news-sentiment) echo weighted_f1:2 macro_f1:2 ;;
        loan-risk) echo auc:3 ks:3 ;;
        default-alerts) echo auc:3 brier:4 ;;
        *) echo "cards.sh: $1 has no list of figures: add it to tests/cards.sh" >&2; return 1 ;;
    esac
}

result=0
if [ $# -eq 0 ]; then
    mapfile -t all < <(cd pipelines && find . -name evaluate.sh | sed 's,^\./,,; s,/train/evaluate.sh$,,' | sort)
    set -- "${all[@]}"
fi
for pipeline in "$@"; do
    wanted=$(figures "$pipeline")
    report=$(make -s evaluate PIPELINE="$pipeline" BUILT=1)
    # shellcheck disable=SC2086 # split into one word for each figure
    python3 -c '
import json, sys
report, card = json.loads(sys.argv[1]), open(sys.argv[2], encoding="utf-8").read()
for figure in sys.argv[3:]:
    name, digits = figure.split(":")
    stated = f"{report[name]:.{int(digits)}f}"
    if stated not in card and stated.lstrip("0") not in card:
        sys.exit(f"cards.sh: {sys.argv[2]} does not contain {name} {stated}, which `make evaluate` computes")
    print(f"{sys.argv[2]}: {name} {stated}")
' "$report" "pipelines/$pipeline/MODEL_CARD.md" $wanted || result=1
done
exit "$result"
