//! Kafka to Kafka, tick to signal: `foretick run` beside a bare echo, at a fixed rate that does not wait for
//! answers.
//!
//! Every record is due at its own moment (open loop), and its latency counts from then until a consumer holds
//! the answer: a stall counts for all that was due in it. It does not measure Kafka's own limits.
//!
//!     KAFKA_BOOTSTRAP=$(tests/kafka.sh start) cargo bench --bench kafka_latency

mod echo;
mod load;

use std::process::{Child, Command, ExitCode, Stdio};

use hdrhistogram::Histogram;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use load::{Load, Outcome};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, bootstrap, input, output] = arguments.as_slice()
        && word == "echo"
    {
        echo::run(bootstrap, input, output);
        return ExitCode::SUCCESS;
    }
    let Some(bootstrap) = std::env::var("KAFKA_BOOTSTRAP")
        .ok()
        .filter(|text| !text.is_empty())
    else {
        println!(
            "kafka_latency: left out, KAFKA_BOOTSTRAP is not set; `tests/kafka.sh start` starts a Kafka"
        );
        return ExitCode::SUCCESS;
    };
    println!(
        "{:>22} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "µs from when it was due", "p50", "p90", "p99", "p99.9", "max"
    );
    let mut sound = true;
    for rate in RATES {
        println!("{rate} trades a second");
        let echo = measure(&bootstrap, Subject::Echo, rate);
        let foretick = measure(&bootstrap, Subject::Foretick, rate);
        println!(
            "{:>22} {}",
            "difference",
            row(|at| {
                foretick.latency.value_at_quantile(at) as f64
                    - echo.latency.value_at_quantile(at) as f64
            })
        );
        sound &= echo.is_sound() && foretick.is_sound();
    }
    ExitCode::from(u8::from(!sound))
}

/// Trades a second.
const RATES: [u64; 2] = [1_000, 5_000];
const QUANTILES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 1.0];

/// What stands between the two topics.
#[derive(Clone, Copy)]
enum Subject {
    Echo,
    Foretick,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Foretick => "foretick",
        }
    }

    fn start(self, bootstrap: &str, topics: &[String; 2]) -> RunningSubject {
        let [input, output] = topics;
        let mut command = match self {
            Self::Echo => {
                let this = std::env::current_exe().expect("a running program has a path");
                let mut command = Command::new(this);
                command.args(["echo", bootstrap, input, output]);
                command
            }
            Self::Foretick => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_foretick"));
                let pipeline = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/pipelines/common-job-a");
                command.args(["run", pipeline]);
                for setting in [
                    format!("source.topics=[\"{input}\"]"),
                    format!("sink.topic=\"{output}\""),
                    format!("kafka.bootstrap=\"{bootstrap}\""),
                    format!("kafka.group=\"{input}\""),
                    "source.start=\"earliest\"".to_owned(),
                    "metrics.listen=\"\"".to_owned(),
                ] {
                    command.args(["--set", &setting]);
                }
                command
            }
        };
        let child = command
            .env("FORETICK_LOG", "warn")
            .stdout(Stdio::null())
            .spawn();
        RunningSubject(child.expect("cargo has built the program"))
    }
}

/// The process of a subject; it is killed when the measurement ends.
struct RunningSubject(Child);

impl Drop for RunningSubject {
    fn drop(&mut self) {
        // Both fail for a process that has ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Puts a subject between two new topics and sends its load through.
fn measure(bootstrap: &str, subject: Subject, rate: u64) -> Outcome {
    let ends = ["in", "out"];
    let topics = ends.map(|end| {
        format!(
            "bench.{}.{rate}.{}.{end}",
            subject.name(),
            std::process::id()
        )
    });
    create(bootstrap, &topics);
    let running = subject.start(bootstrap, &topics);
    let load = Load {
        rate,
        silent_first: matches!(subject, Subject::Foretick),
    };
    let outcome = load.run(bootstrap, &topics);
    drop(running);
    let quantile = |at| outcome.latency.value_at_quantile(at) as f64;
    println!("{:>22} {}   {}", subject.name(), row(quantile), outcome);
    outcome
}

fn row(figure: impl Fn(f64) -> f64) -> String {
    let cells = QUANTILES.map(|at| format!("{:>9.0}", figure(at) / 1e3));
    cells.join(" ")
}

/// From 1 ns to 60 s, three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are valid")
}

fn create(bootstrap: &str, topics: &[String; 2]) {
    let config =
        foretick::kafka::client_config(bootstrap, &[], &foretick::kafka::Properties::new());
    let client: AdminClient<DefaultClientContext> = config
        .expect("no property was given")
        .create()
        .expect("librdkafka takes the settings");
    let new = topics
        .each_ref()
        .map(|name| NewTopic::new(name, 1, TopicReplication::Fixed(1)));
    let created = client.create_topics(&new, &AdminOptions::new());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let results = runtime.expect("a runtime of one thread").block_on(created);
    for result in results.expect("the broker at KAFKA_BOOTSTRAP answers") {
        result.expect("the topic is new");
    }
}
