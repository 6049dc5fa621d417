#!/usr/bin/env bash
# Runs the fuzz targets of tests/fuzz one after the other.
#
#   tests/fuzz.sh [SECONDS [TARGET...]]
#
# SECONDS  for each target; 60 unless given. With 0 the targets are built only.
# TARGET   all unless given.
#
# Inputs that were found stay in target/fuzz/corpus, crashes in target/fuzz/artifacts. A crash ends the run with 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
target=$(mkdir -p "${CARGO_TARGET_DIR:-target}/fuzz" && cd "${CARGO_TARGET_DIR:-target}/fuzz" && pwd)

main() {
    local seconds=${1:-60}
    shift || true
    if ! [[ $seconds =~ ^[0-9]{1,5}$ ]]; then
        echo "fuzz.sh: SECONDS is \"$seconds\"; give a number from 0 to 99999" >&2
        exit 2
    fi
    cargo +nightly fuzz --version >/dev/null 2>&1 || {
        echo "while starting the fuzzer: cargo-fuzz or the nightly compiler is not installed. Install both:" \
            "rustup toolchain install nightly && cargo install --locked cargo-fuzz" >&2
        exit 2
    }
    local targets=("$@")
    [ ${#targets[@]} -gt 0 ] || targets=(frames venues topics tables captures configuration onnx alert_state)
    # Without the address sanitizer: our own code has unsafe blocks in the kernels alone, and no target runs them.
    local fuzz=(cargo +nightly fuzz)
    local with=(--fuzz-dir tests/fuzz --target-dir "$target" --sanitizer none)
    # The packages are those of the program, in the same versions.
    [ tests/fuzz/Cargo.lock -nt Cargo.lock ] || cp Cargo.lock tests/fuzz/Cargo.lock
    "${fuzz[@]}" build "${with[@]}"
    [ "$seconds" -gt 0 ] || return 0
    local name
    for name in "${targets[@]}"; do
        local corpus=$target/corpus/$name artifacts=$target/artifacts/$name/
        mkdir -p "$corpus" "$artifacts"
        seeds "$name" "$corpus"
        echo "== $name"
        "${fuzz[@]}" run "${with[@]}" "$name" "$corpus" -- -max_total_time="$seconds" -rss_limit_mb=4096 \
            -timeout=20 -max_len=65536 -print_final_stats=1 -artifact_prefix="$artifacts" -verbosity=0 2>&1 |
            grep -vE '^(INFO|Running|warning)' || exit 1
    done
}

# Puts what the target reads into the corpus: files of the repository, with the byte before them that chooses.
seeds() { # NAME CORPUS
    local name=$1 corpus=$2 at=0 file
    each() { # BYTE FILES
        local byte=$1
        shift
        for file in "$@"; do
            at=$((at + 1))
            { printf '%b' "$byte" && head -c 60000 "$file"; } >"$corpus/seed-$at"
        done
    }
    case $name in
        frames) each '' "$root"/tests/fuzz/seeds/frames/* ;;
        venues) # In the order of registration.
            each '\x00' "$root"/tests/fuzz/seeds/venues/BINANCE
            each '\x01' "$root"/tests/fuzz/seeds/venues/BINANCE_USDM
            each '\x02' "$root"/tests/fuzz/seeds/venues/BYBIT
            each '\x03' "$root"/tests/fuzz/seeds/venues/COINBASE
            each '\x04' "$root"/tests/fuzz/seeds/venues/KRAKEN
            each '\x05' "$root"/tests/fuzz/seeds/venues/OKX
            each '\x06' "$root"/tests/fuzz/seeds/venues/ALPACA
            ;;
        topics)
            each '\x00' "$root"/tests/fuzz/seeds/topics/applications*
            each '\x01' "$root"/tests/fuzz/seeds/topics/statements*
            each '\x02' "$root"/tests/fuzz/seeds/topics/news*
            each '\x03' "$root"/tests/fuzz/seeds/topics/bars*
            ;;
        tables) each '\x00' "$root"/tests/fuzz/seeds/tables/*.csv ;;
        captures)
            each '\x00' "$root"/tests/fuzz/seeds/frames/*
            each '\x02' "$root"/tests/golden/capture.zst
            ;;
        configuration) each '' "$root"/pipelines/*/pipeline.toml "$root"/tests/given/every_kind.toml ;;
        onnx) each '\x04' $(find "$root"/tests -name '*.onnx' -size -60k) ;;
        alert_state) each '' "$root"/tests/fuzz/seeds/alert_state/* ;;
    esac
}

main "$@"
