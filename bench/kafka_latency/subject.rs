//! What stands between the two topics: the bare echo, or `foretick run` in one of its delivery modes.

use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Echo,
    AtLeastOnce,
    ExactlyOnce,
    LowestLatency,
}

impl Subject {
    pub(crate) const ALL: [Self; 4] = [
        Self::Echo,
        Self::AtLeastOnce,
        Self::ExactlyOnce,
        Self::LowestLatency,
    ];

    /// A delivery mode has the name that the configuration gives it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::AtLeastOnce => "at_least_once",
            Self::ExactlyOnce => "exactly_once",
            Self::LowestLatency => "lowest_latency",
        }
    }

    /// Whether the first trade of an instrument has no answer: it has no return.
    pub(crate) fn is_silent_first(self) -> bool {
        self != Self::Echo
    }

    /// Starts a process that answers records of the first topic in the second.
    pub(crate) fn start(self, bootstrap: &str, topics: &[String; 2]) -> RunningSubject {
        let [input, output] = topics;
        let mut command = match self {
            Self::Echo => {
                let this = env::current_exe().expect("a running program has a path");
                let mut command = Command::new(this);
                command.args(["echo", bootstrap, input, output]);
                command
            }
            Self::AtLeastOnce | Self::ExactlyOnce | Self::LowestLatency => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_foretick"));
                let pipeline = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/pipelines/common-job-a");
                command.args(["run", pipeline]);
                for setting in [
                    format!("source.topics=[\"{input}\"]"),
                    format!("sink.topic=\"{output}\""),
                    format!("sink.delivery=\"{}\"", self.name()),
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
pub(crate) struct RunningSubject(Child);

impl RunningSubject {
    /// The processor time that it has taken, as Linux counts it: in steps of 10 ms.
    pub(crate) fn processor(&self) -> Duration {
        let file = format!("/proc/{}/stat", self.0.id());
        let stat = fs::read_to_string(file).unwrap_or_default();
        // The second field is the name, in brackets; the 14th and the 15th are of user and of system.
        let behind_name = stat.rsplit(')').next().unwrap_or_default();
        let fields = behind_name.split_whitespace().skip(11).take(2);
        let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for RunningSubject {
    fn drop(&mut self) {
        // Both fail for a process that has ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
