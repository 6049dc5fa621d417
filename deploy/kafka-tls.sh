#!/usr/bin/env bash
# Prints the option of cargo that builds TLS and SCRAM for Kafka in, where OpenSSL's headers are installed, and
# nothing where they are not. Says on standard error which of the two it is.
#
#   cargo build --release $(deploy/kafka-tls.sh)
#
# KAFKA_TLS  no: never; yes: fail where the headers are missing. By default the headers decide.
set -euo pipefail

advice="install OpenSSL's headers and pkg-config (Debian: apt-get install libssl-dev pkg-config)"

# What the build asks too: pkg-config for the place, and a compiler for the rest.
can_build() {
    command -v pkg-config >/dev/null && pkg-config --atleast-version=1.1.1 openssl || return 1
    local flags
    read -ra flags <<<"$(pkg-config --cflags --libs openssl)"
    printf '#include <openssl/ssl.h>\nint main(void) { return SSL_CTX_new(TLS_client_method()) == 0; }\n' |
        "${CC:-cc}" -x c - "${flags[@]}" -o /dev/null 2>/dev/null
}

case "${KAFKA_TLS:-}" in
no) echo "kafka-tls.sh: TLS and SCRAM for Kafka are left out, as KAFKA_TLS says" >&2 ;;
yes | "")
    if can_build; then
        echo "kafka-tls.sh: TLS and SCRAM for Kafka are built in (OpenSSL $(pkg-config --modversion openssl))" >&2
        echo "--features kafka-tls"
    elif [ "${KAFKA_TLS:-}" = yes ]; then
        echo "kafka-tls.sh: while looking for OpenSSL, which KAFKA_TLS asks for: $advice" >&2
        exit 1
    else
        echo "kafka-tls.sh: TLS and SCRAM for Kafka are not built in; for them, $advice" >&2
    fi
    ;;
*)
    echo "kafka-tls.sh: KAFKA_TLS is neither yes nor no" >&2
    exit 2
    ;;
esac
