#!/usr/bin/env bash
# Runs an Apache Kafka of one node on 127.0.0.1, from its jars: for tests and for trying things out.
# Not for production: no replicas, and without KAFKA_SECURED no encryption and no login.
#
#   tests/kafka.sh fetch     fetches the jars (54 MB; the only step with Maven and a network)
#   tests/kafka.sh start     starts the broker, waits until it serves, prints its address
#   tests/kafka.sh stop      shuts it down
#   tests/kafka.sh kill      kills it, as a crash would; start recovers what was written
#   tests/kafka.sh status    prints its address, or "down" and exits 1
#   tests/kafka.sh clean     kills it and removes its data; the jars stay
#
# KAFKA_VERSION  4.3.1; any 4.x
# KAFKA_JARS     where the jars are: .kafka/jars-VERSION in the repository
# KAFKA_DATA     where a broker keeps its data, settings, log and pid: .kafka/broker. Each folder is a broker of
#                its own, with its own ports.
# KAFKA_HEAP     -Xms256m -Xmx512m
# KAFKA_PROXIED  the address of a proxy: a further listener tells clients to connect there. Where the proxy finds
#                it stands in $KAFKA_DATA/proxied.
# KAFKA_SECURED  not empty: the broker asks for rights, and has more listeners, each a line `NAME ADDRESS` of the
#                file KAFKA_DATA/listeners: tls; mtls, which asks for a client's certificate; othername, whose
#                certificate is that of another host; sasl and sasltls, with a login by PLAIN, SCRAM-SHA-256 or
#                SCRAM-SHA-512. KAFKA_DATA/tls has the certificates: ca.pem, client.pem with client.key (the user
#                `desk`), and stranger.pem, an authority that signed none of them. Who comes without a login may do
#                everything: through `tls`, and through the address that `start` prints. Needs openssl.
# KAFKA_USERS    desk: the users of a secured broker. The password of each is its name and "-secret".
# Needs bash, Java 17 or newer, and Maven 3.8 or newer to fetch.
set -euo pipefail

version=${KAFKA_VERSION:-4.3.1}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jars=${KAFKA_JARS:-$root/.kafka/jars-$version}
data=${KAFKA_DATA:-$root/.kafka/broker}
[[ $data == /* ]] || data=$PWD/$data
read -ra heap <<<"${KAFKA_HEAP:--Xms256m -Xmx512m}"
secured=${KAFKA_SECURED:-}
read -ra users <<<"${KAFKA_USERS:-desk}"

settings=$data/server.properties
log=$data/kafka.log
pid_file=$data/pid
tls=$data/tls
listeners_file=$data/listeners
address_file=$data/address
proxied_file=$data/proxied
patience_s=180

main() {
    case "${1:-}" in
    fetch) fetch ;;
    start) start ;;
    stop) end TERM ;;
    kill) end KILL ;;
    status) status ;;
    clean) end KILL && rm -rf "$data" ;;
    *)
        sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
    esac
}

# The broker is one Maven artifact, which depends on its modules; log4j writes its log.
fetch() {
    [ -f "$jars/complete" ] && return
    command -v mvn >/dev/null ||
        fail "fetching the jars of Kafka: mvn is not installed. Install it (Debian: apt-get install maven)."
    say "fetching Apache Kafka $version (54 MB)"
    mkdir -p "$jars"
    local dependencies
    dependencies=$(
        dependency org.apache.kafka kafka_2.13 "$version"
        for module in log4j-api log4j-core log4j-slf4j-impl; do
            dependency org.apache.logging.log4j "$module" 2.24.3
        done
    )
    cat >"$jars/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
$dependencies
  </dependencies>
</project>
POM
    mvn --quiet --batch-mode -Dstyle.color=never --strict-checksums --file "$jars/pom.xml" \
        org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$jars" >&2 ||
        fail "fetching Kafka $version with Maven: see the error above. Fetching needs a network;" \
            "without one, copy the jars from another machine and set KAFKA_JARS to their folder."
    # Written last, so that an interrupted fetch is repeated.
    touch "$jars/complete"
}

dependency() { # GROUP ARTIFACT VERSION
    echo "    <dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version></dependency>"
}

start() {
    command -v java >/dev/null ||
        fail "starting Kafka: java is not installed. Install version 17 or newer (Debian: apt-get install default-jre-headless)."
    [ -f "$jars/complete" ] || fail "starting Kafka: no jars in $jars. Run: tests/kafka.sh fetch"
    if running; then
        cat "$address_file"
        return
    fi
    mkdir -p "$data"
    choose_address
    write_settings
    if [ -n "$secured" ]; then
        make_certificates
        write_secured_settings
    fi
    format
    # Started without a subshell, so that the pid is that of Java.
    java "${heap[@]}" "${quick_java[@]}" -cp "$jars/*" kafka.Kafka "$settings" </dev/null >>"$log" 2>&1 &
    echo $! >"$pid_file"
    await_port
    cat "$address_file"
}

# A broker that starts again keeps its address, because its clients reconnect to it.
choose_address() {
    if [ -n "${KAFKA_PROXIED:-}" ] && [ ! -f "$proxied_file" ]; then
        echo "127.0.0.1:$(free_port)" >"$proxied_file"
    fi
    if [ ! -f "$address_file" ] || port_answers "$(port_of "$address_file")"; then
        local port
        port=$(free_port)
        echo "127.0.0.1:$port" >"$address_file"
    fi
}

# Below 32768: the system takes ports for outgoing connections from above, and could take this one meanwhile.
free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 12000))
        if ! port_answers "$port"; then
            echo "$port"
            return
        fi
    done
    fail "choosing a port: 100 ports between 20000 and 32000 are taken. End some servers."
}

# Replication is set to one node, and timeouts for slow or lost clients are short.
write_settings() {
    local address port controller more='' advertised='' map=''
    address=$(cat "$address_file")
    if [ -n "${KAFKA_PROXIED:-}" ]; then
        more=,PROXIED://$(cat "$proxied_file")
        advertised=,PROXIED://$KAFKA_PROXIED
        map=,PROXIED:PLAINTEXT
    fi
    port=$(free_port)
    controller=127.0.0.1:$port
    cat >"$settings" <<SETTINGS
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$controller
listeners=CLIENTS://$address,CONTROLLER://$controller$more
advertised.listeners=CLIENTS://$address$advertised
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT$map
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
log.dirs=$data/log
num.network.threads=2
num.io.threads=2

# One copy of everything.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
num.partitions=4
auto.create.topics.enable=true

# Groups form at once and detect a lost member soon, in the classic and in the new protocol.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.min.heartbeat.interval.ms=100
group.consumer.heartbeat.interval.ms=500
transaction.max.timeout.ms=900000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000

# After a kill the controller holds the dead broker's registration this long; by default 9 s.
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200

# Retention goes by the records' own times: a replay of old data would vanish while it is read.
log.retention.ms=-1
log.retention.bytes=-1
log.segment.bytes=67108864
log.cleaner.dedupe.buffer.size=16777216
SETTINGS
}

# The certificates of a secured broker: of an authority, of this host, of another host, and of a client.
make_certificates() {
    [ -f "$tls/stranger.pem" ] && return
    command -v openssl >/dev/null ||
        fail "making certificates: openssl is not installed. Install it (Debian: apt-get install openssl)."
    mkdir -p "$tls"
    make_certificate broker 127.0.0.1 "IP:127.0.0.1,DNS:localhost"
    make_certificate othername broker.example "DNS:broker.example"
    make_certificate client desk "DNS:desk"
    make_authority stranger
}

make_authority() { # NAME
    openssl req -x509 -newkey rsa:2048 -noenc -days 2 -subj "/CN=$1" \
        -keyout "$tls/$1.key" -out "$tls/$1.pem" 2>>"$log" || fail_with_log "making the authority $1"
}

make_certificate() { # NAME COMMON_NAME ALTERNATIVE_NAMES
    [ -f "$tls/ca.pem" ] || make_authority ca
    {
        openssl req -newkey rsa:2048 -noenc -subj "/CN=$2" -keyout "$tls/$1.key" -out "$tls/$1.csr"
        openssl x509 -req -in "$tls/$1.csr" -days 2 -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial \
            -extfile <(echo "subjectAltName=$3") -out "$tls/$1.pem"
    } 2>>"$log" || fail_with_log "making the certificate of $2"
    # What Kafka reads: the key, then the chain.
    cat "$tls/$1.key" "$tls/$1.pem" "$tls/ca.pem" >"$tls/$1.store.pem"
}

# Appended to the settings; of a property that is there twice the later one counts.
write_secured_settings() {
    local name protocol all map
    local -A protocols=([tls]=SSL [mtls]=SSL [othername]=SSL [sasl]=SASL_PLAINTEXT [sasltls]=SASL_SSL)
    if [ ! -f "$listeners_file" ]; then
        for name in "${!protocols[@]}"; do echo "$name 127.0.0.1:$(free_port)"; done >"$listeners_file"
    fi
    all=CLIENTS://$(cat "$address_file")
    map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
    while read -r name address; do
        all+=,${name^^}://$address
        map+=,${name^^}:${protocols[$name]}
    done <"$listeners_file"
    cat >>"$settings" <<SETTINGS

# Who comes without a login is User:ANONYMOUS.
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
listeners=$all,$(sed -n 's/^listeners=.*,\(CONTROLLER:.*\)/\1/p' "$settings")
advertised.listeners=$all
listener.security.protocol.map=$map
ssl.keystore.type=PEM
ssl.keystore.location=$tls/broker.store.pem
ssl.truststore.type=PEM
ssl.truststore.location=$tls/ca.pem
ssl.principal.mapping.rules=RULE:^CN=([^,]*)\$/\$1/,DEFAULT
listener.name.mtls.ssl.client.auth=required
listener.name.othername.ssl.keystore.type=PEM
listener.name.othername.ssl.keystore.location=$tls/othername.store.pem
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
SETTINGS
    local plain=org.apache.kafka.common.security.plain.PlainLoginModule
    local scram=org.apache.kafka.common.security.scram.ScramLoginModule
    local logins=
    for name in "${users[@]}"; do logins+=" user_$name=\"$name-secret\""; done
    for name in sasl sasltls; do
        echo "listener.name.$name.plain.sasl.jaas.config=$plain required$logins;"
        echo "listener.name.$name.scram-sha-256.sasl.jaas.config=$scram required;"
        echo "listener.name.$name.scram-sha-512.sasl.jaas.config=$scram required;"
    done >>"$settings"
}

# A broker of a test lives for seconds: it should start fast rather than run fast.
quick_java=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.level=WARN -Djava.awt.headless=true)

format() {
    [ -f "$data/log/meta.properties" ] && return
    local id
    id=$(java "${quick_java[@]}" -cp "$jars/*" kafka.tools.StorageTool random-uuid 2>>"$log" | tail -n 1)
    local name mechanism scram=()
    if [ -n "$secured" ]; then
        for name in "${users[@]}"; do
            for mechanism in SCRAM-SHA-256 SCRAM-SHA-512; do
                scram+=(--add-scram "$mechanism=[name=$name,password=$name-secret]")
            done
        done
    fi
    java "${quick_java[@]}" -cp "$jars/*" kafka.tools.StorageTool \
        format --cluster-id "$id" --config "$settings" "${scram[@]}" >>"$log" 2>&1 ||
        fail_with_log "formatting $data/log"
}

await_port() {
    local port
    port=$(port_of "$address_file")
    for ((i = 0; i < patience_s * 5; i++)); do
        port_answers "$port" && return
        # Not by its command line: on a busy machine that is still this script's.
        kill -0 "$(cat "$pid_file")" 2>/dev/null || fail_with_log "starting Kafka: it ended"
        sleep 0.2
    done
    end KILL
    fail_with_log "starting Kafka: it did not serve within $patience_s s"
}

end() { # SIGNAL
    if running; then
        local pid
        pid=$(cat "$pid_file")
        kill "-$1" "$pid"
        for ((i = 0; i < patience_s * 10; i++)); do
            running || break
            sleep 0.1
        done
        running && fail "ending Kafka: process $pid still runs after $patience_s s. Look into $log."
        # The system closes the sockets of a killed process a little later; start would take another port.
        for ((i = 0; i < 50; i++)); do
            port_answers "$(port_of "$address_file")" || break
            sleep 0.1
        done
    fi
    rm -f "$pid_file"
}

status() {
    if running && port_answers "$(port_of "$address_file")"; then
        cat "$address_file"
    else
        echo down
        exit 1
    fi
}

# A pid file outlives its process, and the pid may belong to another process by now: its command line decides.
running() {
    [ -f "$pid_file" ] || return 1
    local pid command
    pid=$(cat "$pid_file")
    if [ -r "/proc/$pid/cmdline" ]; then
        command=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) || return 1
    else
        command=$(ps -p "$pid" -o args= 2>/dev/null) || return 1
    fi
    [[ $command == *"$settings"* ]]
}

port_answers() { # PORT
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

port_of() { # FILE
    local address
    address=$(cat "$1")
    echo "${address##*:}"
}

say() { echo "$*" >&2; }

fail() {
    say "kafka.sh: while $*"
    exit 1
}

fail_with_log() {
    tail -n 40 "$log" >&2
    fail "$*. The end of $log is above."
}

main "$@"
