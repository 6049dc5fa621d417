//! A pipeline between two topics, records that keep coming, and engines that are started and killed.

use std::path::PathBuf;
use std::time::Duration;

use crate::child::RunningProcess;
use crate::given::{self, Folder};
use crate::topics::Topics;

/// What a run of faults works on.
pub(super) struct World {
    pub(super) topics: Topics,
    pub(super) folder: Folder,
    pub(super) pipeline: PathBuf,
    pub(super) input: String,
    pub(super) output: String,
    /// The records, in their order.
    pub(super) lines: Vec<String>,
    /// Further configuration, as `--set` takes it.
    pub(super) set: Vec<String>,
}

/// A generator of numbers that a seed decides.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `below`.
    pub(super) fn below(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below.max(1)
    }

    pub(super) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

/// Symbols of the made-up market.
const SYMBOLS: [&str; 4] = ["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT"];

impl World {
    /// A world whose market lasts so many seconds, in topics of so many partitions.
    pub(super) fn new(
        bootstrap: String,
        name: &str,
        seed: u64,
        seconds: u64,
        partitions: i32,
    ) -> Self {
        let mut topics = Topics::new(bootstrap, name);
        let folder = Folder::new(&format!("faults-{name}"));
        let pipeline = folder.write("pipeline.toml", given::EVERY_KIND);
        let text = given::capture(seed, seconds, &SYMBOLS);
        let (input, output) = (topics.make("in", partitions), topics.make("out", 3));
        Self {
            topics,
            folder,
            pipeline,
            input,
            output,
            lines: text.lines().map(str::to_owned).collect(),
            set: vec![],
        }
    }

    /// The arguments of an instance of the pipeline.
    pub(super) fn arguments(&self, _instance: &str, more: &[&str]) -> Vec<String> {
        let mut args = vec!["run".to_owned(), self.pipeline.display().to_string()];
        args.extend(more.iter().map(|&one| one.to_owned()));
        let own = [
            "source.kind=kafka".to_owned(),
            format!("source.topics=[{:?}]", self.input),
            "source.start=earliest".to_owned(),
            "sink.kind=kafka".to_owned(),
            format!("sink.topic={:?}", self.output),
            format!("sink.dead_letters={:?}", self.topics.name("dlq")),
            "sink.gaps=\"\"".to_owned(),
            format!("kafka.bootstrap={:?}", self.topics.bootstrap),
            format!("kafka.group={:?}", self.topics.name("group")),
            "kafka.properties={\"session.timeout.ms\"=\"1500\",\"heartbeat.interval.ms\"=\"300\"}"
                .to_owned(),
            "engine.late_after_ms=0".to_owned(),
            "metrics.listen=\"\"".to_owned(),
        ];
        for set in own.iter().chain(&self.set) {
            args.extend(["--set".to_owned(), set.clone()]);
        }
        args
    }

    /// Starts an instance.
    pub(super) fn start(&self, instance: &str, more: &[&str]) -> RunningProcess {
        RunningProcess::start(&self.arguments(instance, more))
    }

    /// Writes all records, each with its symbol as key, in so many parts over so long.
    pub(super) fn fill_over(&self, parts: usize, time: Duration) {
        let part = self.lines.len().div_ceil(parts);
        for lines in self.lines.chunks(part.max(1)) {
            self.topics
                .fill(&self.input, lines.iter().map(String::as_str));
            std::thread::sleep(time / parts as u32);
        }
    }
}
