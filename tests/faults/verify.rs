//! Holds every record that a reader of what was committed sees against those of an undisturbed run.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::process::Command;

use foretick::kafka::{Properties, client_config};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Message, OwnedMessage};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::Value;

use crate::engine::binary;
use crate::given::{self, PATIENCE};
use crate::order::{Verdict, compare};
use crate::topics::headers;
use crate::world::World;

/// Fields that are read from a clock, or tell where the record stood.
const NOT_OF_THE_SIGNAL: [&str; 6] = [
    "ts_recv",
    "ts_out",
    "latency_ns",
    "source",
    "signal_id",
    "instance",
];

/// By key, what was written, in its order.
type ByKey = BTreeMap<String, Vec<String>>;

/// What is wrong, of each kind of record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) signals: Verdict,
    pub(crate) alerts: Verdict,
    pub(crate) letters: Verdict,
    /// Signals that are there again, as at least once allows.
    pub(crate) again: usize,
    /// Partitions with a transaction that is neither committed nor aborted.
    pub(crate) hanging: usize,
    /// Partitions whose committed offset is not their end.
    pub(crate) unread: usize,
}

impl Findings {
    pub(crate) fn is_clean(&self) -> bool {
        [self.signals, self.alerts, self.letters]
            .iter()
            .all(Verdict::is_clean)
            && (self.hanging, self.unread) == (0, 0)
    }
}

/// Reads the outputs as `read_committed`, and compares every record.
pub(crate) fn verify(world: &World<'_>) -> Findings {
    let [signals, alerts, letters] = &world.outputs;
    let (expected_signals, expected_alerts) = undisturbed(world);
    let mut findings = Findings::default();
    let field = world.plan.market.key_field();
    let found = by_key(
        world,
        &world.topics.read(signals),
        field,
        &["signal_id"],
        &mut findings.again,
    );
    findings.signals = compare_all("signal", &expected_signals, &found);
    let mut again = 0;
    let found = by_key(
        world,
        &world.topics.read(alerts),
        "obligor",
        &["dedup_key", "sequence"],
        &mut again,
    );
    findings.alerts = compare_all("alert", &expected_alerts, &found);
    let found = letters_by_partition(world, &world.topics.read(letters));
    findings.letters = compare_all("dead letter", &expected_letters(world), &found);
    for topic in &world.outputs {
        findings.hanging += hanging(world, topic);
    }
    findings.unread = unread(world);
    findings
}

fn compare_all(what: &str, expected: &ByKey, found: &ByKey) -> Verdict {
    let mut all = Verdict::default();
    let keys: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let none = vec![];
    for key in keys {
        let expected = expected.get(key).unwrap_or(&none);
        let found = found.get(key).unwrap_or(&none);
        let verdict = compare(expected, found);
        if !verdict.is_clean() && all.is_clean() {
            println!("{what} of {key}: {verdict:?}");
            let at = expected
                .iter()
                .zip(found)
                .take_while(|(a, b)| a == b)
                .count();
            for at in at.saturating_sub(1)..at + 2 {
                println!(
                    "  {at} expected {:?}\n  {at} found    {:?}",
                    expected.get(at),
                    found.get(at)
                );
            }
        }
        all.add(verdict);
    }
    all
}

/// The signals and alerts of a replay over the same records.
fn undisturbed(world: &World<'_>) -> (ByKey, ByKey) {
    let lines: Vec<&str> = world
        .records
        .iter()
        .map(|one| one.payload.as_str())
        .collect();
    let capture = world.folder.write("replay.jsonl", lines.join("\n"));
    let (output, alerts) = (
        world.folder.path("signals.jsonl"),
        world.folder.path("alerts.jsonl"),
    );
    let args: [OsString; 9] = [
        "replay".into(),
        world.pipeline.clone().into(),
        "--input".into(),
        capture.into(),
        "--output".into(),
        output.into(),
        "--alerts".into(),
        alerts.into(),
        "--force".into(),
    ];
    let run = given::run(Command::new(binary()).args(&args));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let read = |name: &str, field: &str| {
        let path = world.folder.path(name);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut all = ByKey::new();
        for one in given::json_lines(&text) {
            let key = one[field].as_str().expect("a name").to_owned();
            all.entry(key).or_default().push(bare(one));
        }
        all
    };
    let field = world.plan.market.key_field();
    (
        read("signals.jsonl", field),
        read("alerts.jsonl", "obligor"),
    )
}

/// What was found, by key. Where a run promises at least once, a record that is there again counts apart, if
/// it is the same.
fn by_key(
    world: &World<'_>,
    records: &[OwnedMessage],
    field: &str,
    ids: &[&str],
    again: &mut usize,
) -> ByKey {
    let (mut all, mut firsts) = (ByKey::new(), BTreeMap::new());
    for record in records {
        let payload = record.payload().expect("a record has a payload");
        let value: Value = serde_json::from_slice(payload).expect("JSON");
        let key = value[field].as_str().expect("a name").to_owned();
        let id: String = ids.iter().map(|&id| value[id].to_string()).collect();
        let text = bare(value);
        let is_again = firsts.get(&id) == Some(&text);
        firsts.entry(id).or_insert_with(|| text.clone());
        match is_again && !world.plan.exactly_once {
            true => *again += 1,
            false => all.entry(key).or_default().push(text),
        }
    }
    all
}

/// The dead letters that the records should give, by partition of the input.
fn expected_letters(world: &World<'_>) -> ByKey {
    let (mut all, mut next) = (ByKey::new(), BTreeMap::new());
    for record in &world.records {
        let offset = next.entry(record.partition).or_insert(0_i64);
        if record.is_bad {
            let of = all.entry(record.partition.to_string()).or_default();
            of.push(format!("{offset} {}", record.payload));
        }
        *offset += 1;
    }
    all
}

/// In the order of their offsets: letters have no key, and stand in any partition.
fn letters_by_partition(world: &World<'_>, records: &[OwnedMessage]) -> ByKey {
    let mut all: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
    for record in records {
        let headers = headers(record);
        let offset: i64 = headers["source_offset"].parse().expect("a number");
        let text = String::from_utf8_lossy(record.payload().unwrap_or_default());
        let of = all.entry(headers["source_partition"].clone()).or_default();
        of.push((offset, format!("{offset} {text}")));
    }
    let sorted = |mut of: Vec<(i64, String)>| {
        of.sort();
        if !world.plan.exactly_once {
            of.dedup();
        }
        of.into_iter().map(|(_, text)| text).collect()
    };
    all.into_iter().map(|(key, of)| (key, sorted(of))).collect()
}

fn bare(mut value: Value) -> String {
    let fields = value.as_object_mut().expect("an object");
    for field in NOT_OF_THE_SIGNAL {
        fields.remove(field);
    }
    value.to_string()
}

/// The partitions of a topic whose committed records end before all of their records.
fn hanging(world: &World<'_>, topic: &str) -> usize {
    let ends = |level: &str| {
        let consumer = consumer(world, "foretick-test-ends", level);
        let metadata = consumer
            .fetch_metadata(Some(topic), PATIENCE)
            .expect("an answer");
        let partitions = metadata.topics()[0].partitions().iter();
        let end = |id| {
            consumer
                .fetch_watermarks(topic, id, PATIENCE)
                .expect("an answer")
                .1
        };
        partitions
            .map(|one| (one.id(), end(one.id())))
            .collect::<BTreeMap<_, _>>()
    };
    let (committed, all) = (ends("read_committed"), ends("read_uncommitted"));
    all.iter().filter(|(id, end)| committed[id] < **end).count()
}

/// The partitions of the input that are not committed up to their ends.
pub(crate) fn unread(world: &World<'_>) -> usize {
    let consumer = consumer(world, &world.group(), "read_committed");
    let (mut list, mut ends) = (TopicPartitionList::new(), BTreeMap::new());
    for record in &world.records {
        *ends.entry(record.partition).or_insert(0) += 1;
    }
    for &partition in ends.keys() {
        list.add_partition(&world.input, partition);
    }
    let committed = consumer
        .committed_offsets(list, PATIENCE)
        .expect("an answer");
    let next = |partition| {
        let found = committed.find_partition(&world.input, partition);
        found.map(|one| one.offset())
    };
    let unread = |(&partition, &end): (&i32, &i64)| next(partition) != Some(Offset::Offset(end));
    ends.iter().filter(|&one| unread(one)).count()
}

fn consumer(world: &World<'_>, group: &str, level: &str) -> BaseConsumer {
    let settings = [("group.id", group), ("isolation.level", level)];
    let config = client_config(&world.topics.bootstrap, &settings, &Properties::new());
    let client = config.expect("no property is refused").create();
    client.expect("a consumer can be made")
}
