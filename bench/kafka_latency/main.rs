//! Kafka to Kafka: `foretick run` in each delivery mode beside a bare echo. How long answers take at fixed
//! rates, and how fast a backlog is worked off.
//!
//! Every record of a load is due at its own moment (open loop), and its latency counts from then until a
//! consumer holds the answer: a stall counts for all that was due in it. Kafka's own limits are not measured.
//!
//!     KAFKA_BOOTSTRAP=$(tests/kafka.sh start) cargo bench --bench kafka_latency    all, eleven minutes
//!     ... cargo bench --bench kafka_latency -- latency RATE ROUNDS                  one rate
//!     ... cargo bench --bench kafka_latency -- backlog ROUNDS                       the backlog

mod backlog;
mod echo;
mod latency;
mod load;
mod subject;
mod topics;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        // What cargo adds.
        .filter(|argument| argument != "--bench")
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["echo", bootstrap, input, output] = arguments[..] {
        echo::run(bootstrap, input, output);
    }
    let bootstrap = std::env::var("KAFKA_BOOTSTRAP").unwrap_or_default();
    if bootstrap.is_empty() {
        println!(
            "kafka_latency: left out, KAFKA_BOOTSTRAP is not set; `tests/kafka.sh start` starts a Kafka"
        );
        return ExitCode::SUCCESS;
    }
    let number = |text: &str| text.parse().expect("RATE and ROUNDS are numbers");
    let is_sound = match arguments[..] {
        [] => {
            let all = RATES.map(|rate| latency::compare(&bootstrap, rate, ROUNDS));
            backlog::compare(&bootstrap, ROUNDS) && all.iter().all(|&is_sound| is_sound)
        }
        ["latency", rate, rounds] => latency::compare(&bootstrap, number(rate), number(rounds)),
        ["backlog", rounds] => backlog::compare(&bootstrap, number(rounds)),
        _ => panic!("usage: kafka_latency [latency RATE ROUNDS | backlog ROUNDS]"),
    };
    ExitCode::from(u8::from(!is_sound))
}

/// Trades a second.
const RATES: [u64; 3] = [200, 1_000, 5_000];
const ROUNDS: u64 = 3;
