#!/usr/bin/env bash
# Runs all tests several times beside a program that takes one core, and reports the runs that failed.
# A test that depends on the speed of the machine fails here sooner than elsewhere.
#
#   tests/busy.sh [RUNS [ARGUMENTS OF tests/run.sh]]
#
# RUNS  10 unless given, 50 at most. The outputs of failed runs stay in target/busy.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

main() {
    local runs=${1:-10}
    shift || true
    if ! [[ $runs =~ ^[0-9]{1,2}$ ]] || ((10#$runs < 1 || 10#$runs > 50)); then
        echo "busy.sh: RUNS is \"$runs\"; give a number from 1 to 50" >&2
        exit 2
    fi
    local logs=${CARGO_TARGET_DIR:-target}/busy failed=()
    rm -rf "$logs"
    mkdir -p "$logs"
    # Built before the core is taken: the tests are what is measured.
    local tls
    read -ra tls <<<"$(deploy/kafka-tls.sh)"
    cargo test --release --locked "${tls[@]}" --no-run "$@"
    take_a_core &
    trap "kill $!" EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM

    for ((run = 1; run <= 10#$runs; run++)); do
        local log=$logs/run-$run.log began=$SECONDS
        if tests/run.sh "$@" >"$log" 2>&1; then
            echo "run $run of $runs: passed in $((SECONDS - began)) s"
            rm "$log"
        else
            failed+=("$log")
            echo "run $run of $runs: FAILED after $((SECONDS - began)) s, see $log"
            grep -E '^test .* FAILED$' "$log" || true
        fi
    done
    echo
    echo "${#failed[@]} of $runs runs failed"
    [ ${#failed[@]} -eq 0 ]
}

take_a_core() {
    while :; do :; done
}

main "$@"
