//! A pipeline between topics, the records that it reads, and the arguments of its engines.

use std::path::PathBuf;

use crate::broker::Broker;
use crate::engine::Engine;
use crate::given::Folder;
use crate::plan::Plan;
use crate::records::{Record, pipeline, records};
use crate::topics::Topics;

/// What a run of faults works on.
pub(crate) struct World<'a> {
    pub(crate) plan: Plan,
    pub(crate) broker: &'a Broker,
    pub(crate) topics: Topics,
    pub(crate) folder: Folder,
    pub(crate) pipeline: PathBuf,
    pub(crate) input: String,
    /// Of signals, alerts and dead letters.
    pub(crate) outputs: [String; 3],
    /// The records, in their order.
    pub(crate) records: Vec<Record>,
}

/// How long the group waits for a member; a pause is longer.
pub(crate) const SESSION_MS: u64 = 1_500;
/// After so long a transaction is aborted; the broker is away for longer.
pub(crate) const TRANSACTION_MS: u64 = 8_000;

impl<'a> World<'a> {
    pub(crate) fn new(plan: Plan, broker: &'a Broker) -> Self {
        let name = format!("faults-{}-{}", plan.name, plan.seed);
        let mut topics = Topics::new(broker.address.clone(), &name);
        let folder = Folder::new(&name);
        let pipeline = pipeline(plan.market, &folder);
        let input = topics.make("in", plan.partitions);
        let outputs = [
            topics.make("out", 3),
            topics.make("alerts", 2),
            topics.make("dlq", 2),
        ];
        let records = records(&plan);
        Self {
            plan,
            broker,
            topics,
            folder,
            pipeline,
            input,
            outputs,
            records,
        }
    }

    /// The group of the engines.
    pub(crate) fn group(&self) -> String {
        self.topics.name("group")
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.folder.path("state")
    }

    /// Starts the engine of a slot.
    pub(crate) fn start(&self, slot: usize, more: &[&str]) -> Engine {
        let log = self.folder.path(&format!("engine-{slot}.log"));
        Engine::start(&self.arguments(slot, more), &log)
    }

    /// Keeps the logs of the engines, and says where.
    pub(crate) fn keep_logs(&self) {
        let Some(kept) = std::env::var_os("FORETICK_FAULTS_LOGS").map(PathBuf::from) else {
            return;
        };
        let kept = kept.join(self.group());
        std::fs::create_dir_all(&kept).expect("the folder of logs takes folders");
        for slot in 0..self.plan.engines {
            let name = format!("engine-{slot}.log");
            drop(std::fs::copy(self.folder.path(&name), kept.join(&name)));
        }
        println!("logs are kept in {}", kept.display());
    }

    fn arguments(&self, slot: usize, more: &[&str]) -> Vec<String> {
        let mut args = vec!["run".to_owned(), self.pipeline.display().to_string()];
        let [signals, alerts, letters] = &self.outputs;
        let own = [
            "source.kind=kafka".to_owned(),
            format!("source.topics=[{:?}]", self.input),
            "source.start=earliest".to_owned(),
            "sink.kind=kafka".to_owned(),
            format!("sink.topic={signals:?}"),
            format!("sink.alerts={alerts:?}"),
            format!("sink.dead_letters={letters:?}"),
            "sink.gaps=\"\"".to_owned(),
            format!("kafka.bootstrap={:?}", self.broker.engines),
            format!("kafka.group={:?}", self.group()),
            format!("kafka.properties={}", self.properties()),
            format!("engine.shards={}", self.plan.shards),
            "metrics.listen=\"\"".to_owned(),
        ];
        let mut of_plan = vec![];
        // One engine alone has its name by default.
        if self.plan.engines > 1 {
            of_plan.push(format!("kafka.instance=\"{slot}\""));
        }
        if self.plan.new_protocol {
            of_plan.push("kafka.protocol=consumer".to_owned());
        }
        if self.plan.exactly_once {
            of_plan.push("sink.delivery=exactly_once".to_owned());
        } else {
            // What the clock alone says of a signal is in no replay of the topic.
            of_plan.push("engine.late_after_ms=0".to_owned());
            of_plan.push("source.tick_ms=0".to_owned());
        }
        if self.plan.snapshots {
            of_plan.push(format!(
                "state.dir={:?}",
                self.state_dir().display().to_string()
            ));
            of_plan.push("state.every_ms=500".to_owned());
        }
        for set in own.into_iter().chain(of_plan) {
            args.extend(["--set".to_owned(), set]);
        }
        // Behind the others, which they may change.
        args.extend(more.iter().map(|&one| one.to_owned()));
        args
    }

    fn properties(&self) -> String {
        let mut all = vec![("topic.metadata.refresh.interval.ms", 2_000)];
        // In the new protocol they are the group's.
        if !self.plan.new_protocol {
            all.push(("session.timeout.ms", SESSION_MS));
            all.push(("heartbeat.interval.ms", SESSION_MS / 5));
        }
        if self.plan.exactly_once {
            all.push(("transaction.timeout.ms", TRANSACTION_MS));
            all.push(("delivery.timeout.ms", TRANSACTION_MS - 1_000));
        }
        let all: Vec<String> = all
            .iter()
            .map(|(name, value)| format!("{name:?}=\"{value}\""))
            .collect();
        format!("{{{}}}", all.join(","))
    }
}
