//! Holds the records that a reader of what was committed sees against those of an undisturbed run.

use std::collections::{BTreeMap, BTreeSet};

use rdkafka::message::Message;
use serde_json::Value;

use super::world::World;
use crate::given;

/// Fields that are read from a clock, or tell where the record stood.
const NOT_OF_THE_SIGNAL: [&str; 6] = [
    "ts_recv",
    "ts_out",
    "latency_ns",
    "source",
    "signal_id",
    "instance",
];

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) expected: usize,
    pub(super) lost: usize,
    pub(super) twice: usize,
    pub(super) different: usize,
    pub(super) disordered: usize,
}

impl Verdict {
    pub(super) fn is_clean(&self) -> bool {
        (self.lost, self.twice, self.different, self.disordered) == (0, 0, 0, 0)
    }
}

/// The signals of a replay over the same records, by instrument.
pub(super) fn undisturbed(world: &World) -> BTreeMap<String, Vec<Value>> {
    let capture = world
        .folder
        .write("replay.capture", &world.lines.join("\n"));
    let output = world.folder.path("replay.jsonl");
    let run = given::foretick(&[
        "replay".as_ref(),
        world.pipeline.as_os_str(),
        "--input".as_ref(),
        capture.as_os_str(),
        "--output".as_ref(),
        output.as_os_str(),
        "--force".as_ref(),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for signal in given::json_lines(&world.folder.read("replay.jsonl")) {
        let instrument = signal["instrument"].as_str().expect("a name").to_owned();
        all.entry(instrument).or_default().push(bare(signal));
    }
    all
}

/// Reads the output as `read_committed`, and compares every record.
pub(super) fn verify(world: &World) -> Verdict {
    let mut verdict = Verdict::default();
    let mut seen: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let (mut ids, mut last) = (BTreeSet::new(), BTreeMap::new());
    for record in world.topics.read(&world.output) {
        let payload = record.payload().expect("a signal");
        let signal: Value = serde_json::from_slice(payload).expect("JSON");
        let instrument = signal["instrument"].as_str().expect("a name").to_owned();
        let id = signal["signal_id"].as_str().expect("an id").to_owned();
        if !ids.insert(id) {
            verdict.twice += 1;
            continue;
        }
        let offset = signal["source"]["offset"].as_i64().expect("an offset");
        let before = last.insert(instrument.clone(), offset);
        verdict.disordered += usize::from(before.is_some_and(|before| before > offset));
        seen.entry(instrument).or_default().push(bare(signal));
    }
    for (instrument, expected) in undisturbed(world) {
        let found = seen.remove(&instrument).unwrap_or_default();
        verdict.expected += expected.len();
        verdict.lost += expected.len().saturating_sub(found.len());
        verdict.twice += found.len().saturating_sub(expected.len());
        let pairs = expected.iter().zip(&found).enumerate();
        for (at, (expected, found)) in pairs {
            if expected != found {
                if verdict.different == 0 {
                    println!("{instrument}, number {at}:\n{expected}\n{found}");
                }
                verdict.different += 1;
            }
        }
    }
    verdict.twice += seen.values().map(Vec::len).sum::<usize>();
    verdict
}

fn bare(mut signal: Value) -> Value {
    let fields = signal.as_object_mut().expect("an object");
    for field in NOT_OF_THE_SIGNAL {
        fields.remove(field);
    }
    signal
}
