//! What a seed decides before anything happens, and the signals of a run that nothing disturbs.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;

use super::brokers::OutputRecord;
use super::dice::Dice;
use super::producer::output_record;
use crate::frame::Origin;
use crate::pipeline::{Loaded, Pipeline};
use crate::run::shard::Shard;
use crate::tests::scratch::Scratch;
use crate::units::Nanos;

/// How the instances of a seed run.
pub(super) struct Plan {
    pub(super) pipeline: &'static Pipeline,
    pub(super) loaded: &'static Loaded,
    /// Whether records and offsets are written in transactions.
    pub(super) is_exact: bool,
    pub(super) commit_interval: Duration,
    pub(super) saves_states: bool,
    pub(super) from_beginning: bool,
    pub(super) shards: usize,
    /// The frames for which a ring has room.
    pub(super) ring: usize,
    /// The names of the instances.
    pub(super) instances: usize,
    pub(super) partitions: i32,
    pub(super) records: usize,
}

impl Plan {
    pub(super) fn of(dice: &Dice) -> Self {
        let model = &*MODEL;
        let is_exact = !dice.one_in(4);
        Self {
            pipeline: &model.0,
            loaded: &model.1,
            is_exact,
            commit_interval: Duration::from_millis(dice.pick(&[1, 5, 20, 100])),
            saves_states: !dice.one_in(4),
            // A commit at the assignment that comes late would leave open where the group began.
            from_beginning: !is_exact || !dice.one_in(3),
            shards: 1 + dice.below(2),
            ring: dice.pick(&[2, 8, 64]),
            instances: 1 + dice.below(3),
            partitions: 1 + dice.below(4) as i32,
            records: 60 + dice.below(120),
        }
    }
}

/// The next record of a partition.
pub(super) fn record(dice: &Dice, partition: usize, offset: usize) -> Bytes {
    let instrument = dice.below(2);
    let ts = 1_767_571_200_000_000_000 + offset as u64 * 1_000_000 + dice.below(900_000) as u64;
    let (price, size) = (90 + dice.below(20), 1 + dice.below(9));
    let side = dice.pick(&["buy", "sell"]);
    let text = format!(
        r#"{{"ts_event":{ts},"symbol":"P{partition}I{instrument}","price":"{price}","size":"{size}","side":"{side}"}}"#
    );
    text.into()
}

/// What a run writes that nothing disturbs, from these offsets on.
pub(super) fn undisturbed(plan: &Plan, input: &[Vec<Bytes>], begins: &[i64]) -> Vec<OutputRecord> {
    let engine = plan.loaded.engine().expect("it was made before");
    let lineage = &plan.loaded.lineage;
    let mut shard = Shard::new(plan.pipeline.decoder(), engine, lineage, true);
    let (mut records, mut signals) = (vec![], vec![]);
    for ((partition, all), &begin) in (0..).zip(input).zip(begins) {
        for (offset, bytes) in (0..).zip(all).skip(begin as usize) {
            let origin = Origin {
                ts_recv: Nanos(0),
                offset,
                partition,
                stream: 0,
                late: false,
                reprocessed: false,
            };
            shard.frame(origin, bytes);
            shard.step(&mut signals).expect("sums do not fail");
            let name = |at: &crate::signal::Signal| shard.instruments().name(at.instrument);
            records.extend(signals.iter().map(|at| output_record(at, name(at))));
            signals.clear();
            shard.end_batch();
        }
    }
    records
}

/// Windows, an average that never forgets, and a normaliser by all that was before.
static MODEL: LazyLock<(Pipeline, Loaded)> = LazyLock::new(|| {
    let scratch = Scratch::new();
    let path = scratch.write("pipeline.toml", PIPELINE);
    let pipeline = Pipeline::load(&path, &[]).expect("it is sound");
    let loaded = pipeline.load_model().expect("it has no model file");
    (pipeline, loaded)
});

const PIPELINE: &str = r#"
name = "simulated"

[source]
kind = "kafka"
topics = ["md.trades.v1"]

[row]
on = "trade"

[[feature]]
name = "price_ema"
kind = "ema"
of = "price"
alpha = 0.2

[[feature]]
name = "paid"
kind = "price"

[[feature]]
name = "high"
kind = "max"
of = "price"
window = 4

[[feature]]
name = "flow"
kind = "trade_flow"
window_ms = 5

[model]
kind = "sum"
normalise = "expanding"

[sink]
kind = "kafka"
topic = "signals.simulated.v1"
"#;
