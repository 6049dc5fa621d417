#!/usr/bin/env bash
# Runs the tests as `make test` does: with ONNX Runtime, and with a real Kafka if Java and Maven are installed.
# `cargo test` builds what is tested.
#
#   tests/run.sh [ARGUMENTS OF cargo test]
#
# KAFKA_BOOTSTRAP   a Kafka to use (127.0.0.1:9092). If it is not set, one is started, and removed at the end.
# FORETICK_DATA     the folder of recorded market data; by default ../shared/data.
# FORETICK_PYTHON   a Python with pyarrow, numpy and pandas. If it is not set, one is made in .venv/python, with
#                   deploy/python.
# FORETICK_REQUIRE  a list of what must be there, of kafka, tls, data, onnx, cuda, model, python and chromium:
#                   "kafka,data". A test that lacks something of the list fails; one that lacks something else is
#                   skipped, and named at the end. tls: TLS for Kafka, built in where OpenSSL's headers are
#                   (deploy/kafka-tls.sh).
# ORT_DYLIB_PATH    the ONNX Runtime library to use.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
require=,${FORETICK_REQUIRE:-},

main() {
    scratch=$(mktemp -d)
    trap end EXIT
    # Without these two, a signal would end the shell before its EXIT trap, and the broker would go on running.
    trap 'exit 130' INT
    trap 'exit 143' TERM

    ORT_DYLIB_PATH=$(deploy/onnxruntime.sh)
    # Absolute, because a test binary may change its working folder.
    FORETICK_DATA=$(absolute "${FORETICK_DATA:-../shared/data}")
    FORETICK_SKIPPED=$scratch/skipped
    export ORT_DYLIB_PATH FORETICK_DATA FORETICK_SKIPPED
    # Many tests wait for Kafka or for a process most of the time.
    local cores
    cores=$(getconf _NPROCESSORS_ONLN)
    export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((cores > 8 ? cores : 8))}
    install_python
    start_kafka

    # Unit tests that need a real Kafka are ignored unless there is one.
    local result=0 with_kafka=()
    if [ -n "${KAFKA_BOOTSTRAP:-}" ]; then
        with_kafka=(-- --include-ignored)
    fi
    local tls
    read -ra tls <<<"$(deploy/kafka-tls.sh)"
    cargo test --release --locked "${tls[@]}" --no-fail-fast "$@" "${with_kafka[@]}" | tee "$scratch/output" || result=$?
    report
    exit "$result"
}

start_kafka() {
    if [ -n "${KAFKA_BOOTSTRAP:-}" ]; then
        export KAFKA_BOOTSTRAP
    elif can_run_kafka; then
        export KAFKA_DATA=$scratch/kafka
        tests/kafka.sh fetch
        KAFKA_BOOTSTRAP=$(tests/kafka.sh start)
        export KAFKA_BOOTSTRAP
    elif [[ $require == *,kafka,* ]]; then
        echo "run.sh: while starting Kafka, which FORETICK_REQUIRE lists: Java 17 or Maven is not installed." \
            "Install both (Debian: apt-get install default-jdk-headless maven), or set KAFKA_BOOTSTRAP." >&2
        exit 1
    fi
}

# As a user does, so that this is tested too. Without pip or a network the tests of the package are skipped.
install_python() {
    [ -z "${FORETICK_PYTHON:-}" ] || return 0
    local folder=.venv/python
    if python3 -m venv "$folder" >"$scratch/pip" 2>&1 &&
        "$folder/bin/pip" --quiet --disable-pip-version-check install ./deploy/python pandas >>"$scratch/pip" 2>&1; then
        FORETICK_PYTHON=$PWD/$folder/bin/python
        export FORETICK_PYTHON
    elif [[ $require == *,python,* ]]; then
        cat "$scratch/pip" >&2
        echo "run.sh: while installing deploy/python, which FORETICK_REQUIRE lists: see the error above." >&2
        exit 1
    fi
}

can_run_kafka() {
    command -v mvn >/dev/null && command -v java >/dev/null || return 1
    local major
    major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${major:-0}" -ge 17 ]
}

# Cargo reports each test binary by itself: this prints the sum, and the names of the tests that were skipped.
report() {
    local skipped=0
    if [ -s "$FORETICK_SKIPPED" ]; then
        echo
        sort "$FORETICK_SKIPPED"
        skipped=$(wc -l <"$FORETICK_SKIPPED")
    fi
    awk -v skipped="$skipped" '
        /^test result:/ { passed += $4; failed += $6; ignored += $8 }
        END { printf "\n%d passed, %d failed, %d skipped\n", passed - skipped, failed, ignored + skipped }
    ' "$scratch/output"
}

absolute() { # FOLDER
    if [ -d "$1" ]; then
        (cd "$1" && pwd)
    else
        echo "$1"
    fi
}

# shellcheck disable=SC2317 # called by the trap
end() {
    if [ -n "${KAFKA_DATA:-}" ]; then
        tests/kafka.sh clean
    fi
    rm -rf "$scratch"
}

main "$@"
