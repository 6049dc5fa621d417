#!/usr/bin/env bash
# Long runs of faults, each against a broker of its own: the engines, the broker and the connections between them
# are killed, paused and cut while records come, and every record of the output is compared with a replay.
#
#   tests/faults/run.sh [PROFILE...]     by default all: kills brokers zombies alerts frames repeats disk slow-sink
#
# FORETICK_FAULTS_SEED      1..1; the seeds of each profile
# FORETICK_FAULTS_MESSAGES  100000; records of a run
# FORETICK_FAULTS_SECONDS   300; how long they come
# FORETICK_FAULTS_LOGS      a folder that gets the engines' logs of a run that is not clean
# The other variables are those of tests/faults/README.md; what a profile sets is below.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

main() {
    export FORETICK_FAULTS_SEED=${FORETICK_FAULTS_SEED:-1..1}
    ORT_DYLIB_PATH=$(deploy/onnxruntime.sh)
    export ORT_DYLIB_PATH
    tests/kafka.sh fetch
    local profiles=("$@") result=0
    [ $# -gt 0 ] || profiles=(kills brokers zombies alerts frames repeats disk slow-sink)
    for profile in "${profiles[@]}"; do
        echo "profile $profile, seeds $FORETICK_FAULTS_SEED" >&2
        "$profile" || result=1
    done
    exit "$result"
}

kills() { # at random moments, also while it starts and stops; snapshots are torn
    faults trades kill,kill-starting,kill-stopping,tear-state PAUSE_MIN_MS=200 PAUSE_MAX_MS=1800
}

brokers() { # killed, paused, away for longer than a transaction may last; connections reset and slow
    faults trades kill-broker,kill-broker,pause-broker,broker-away,reset,delay,kill
}

zombies() { # three engines that are paused past their session, killed, stopped; partitions are added
    faults trades pause,pause,kill,leave,tear-state ENGINES=3 SHARDS=2 MORE_PARTITIONS=2
}

alerts() { # statements of firms, commands, and episodes
    faults alerts kill,kill-starting,tear-state,pause ENGINES=2
}

frames() { # an exchange's frames with books, and every kind of feature
    faults frames kill,kill-stopping,tear-state,reset,pause SHARDS=2
}

repeats() { # at least once: repeated records have the same bytes
    faults trades kill,tear-state,kill-broker,reset DELIVERY=at_least_once
}

disk() { # a full disk below the snapshots; needs the right to mount one
    faults trades fill-disk,kill,tear-state
}

slow-sink() { # slow, cut off, and standing still, each for longer than the delivery timeout, in both safe modes
    FORETICK_FAULTS_SLOW_SINK=1 cargo test --release --locked --test faults -- --nocapture slow_sink::a_broker
}

faults() { # MARKET KINDS [NAME=VALUE...]
    local market=$1 kinds=$2
    shift 2
    env FORETICK_FAULTS_MARKET="$market" FORETICK_FAULTS_KINDS="$kinds" "${@/#/FORETICK_FAULTS_}" \
        cargo test --release --locked --test faults -- --exact --nocapture \
        long::the_seeds_that_are_asked_for
}

main "$@"
