//! Acknowledgement, against a sink whose records arrive when the test says so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::run::delivery::test_signal;
use crate::signal::tests::two_models;
use crate::sink::unacknowledged::UnacknowledgedPositions;

/// A sink whose first so many records have arrived.
#[derive(Clone, Default)]
struct SlowSink {
    arrived: Arc<AtomicU64>,
    taken: u64,
    marks: Arc<Mutex<UnacknowledgedPositions>>,
}

impl Sink for SlowSink {
    fn signal(&mut self, _: &Signal, _: &str) -> Result<(), SinkError> {
        self.taken += 1;
        Ok(())
    }

    fn dead_letter(&mut self, _: &DeadLetter<'_>) -> Result<(), SinkError> {
        self.taken += 1;
        Ok(())
    }

    fn mark(&mut self, positions: &[Position]) {
        self.marks.lock().unwrap().add(self.taken, positions);
    }

    fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), SinkError> {
        let arrived = self.arrived.load(Ordering::Relaxed);
        self.marks.lock().unwrap().take(arrived, positions);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.arrived.store(self.taken, Ordering::Relaxed);
        Ok(())
    }

    fn keeps_dead_letters(&self) -> bool {
        true
    }
}

fn at(partition: i32, next: i64) -> Position {
    Position {
        stream: 0,
        partition,
        next,
    }
}

/// A delivery of so many signals, and one dead letter, up to a position.
fn delivery(signals: usize, position: Position) -> Delivery {
    Delivery {
        new_names: vec!["A".into()],
        signals: vec![test_signal(1); signals],
        dead_letters: vec![crate::run::delivery::UndecodedFrame {
            error: DecodeError::Truncated,
            origin: Origin::of_test(),
            bytes: bytes::Bytes::new(),
        }],
        positions: vec![position],
        ..Delivery::default()
    }
}

#[test]
fn a_position_is_acknowledged_once_all_records_before_it_have_arrived() {
    let sink = SlowSink::default();
    let arrived = Arc::clone(&sink.arrived);
    let mut writer = Writer::new(Box::new(sink), &Lineage::default());
    writer.deliver(&mut delivery(2, at(0, 10))).unwrap();
    writer.deliver(&mut delivery(1, at(1, 7))).unwrap();
    assert_eq!(writer.acknowledged(false).unwrap(), []);
    arrived.store(2, Ordering::Relaxed);
    let early = writer.acknowledged(false).unwrap();
    assert_eq!(early, [], "the dead letter is still on its way");
    arrived.store(4, Ordering::Relaxed);
    assert_eq!(writer.acknowledged(false).unwrap(), [at(0, 10)]);
    arrived.store(5, Ordering::Relaxed);
    assert_eq!(writer.acknowledged(false).unwrap(), [at(1, 7)]);
    assert_eq!(writer.acknowledged(true).unwrap(), [], "each once");
}

/// A sink that keeps alerts alone.
#[derive(Clone, Default)]
struct AlertSink(Arc<Mutex<Vec<serde_json::Value>>>);

impl Sink for AlertSink {
    fn signal(&mut self, _: &Signal, _: &str) -> Result<(), SinkError> {
        Ok(())
    }

    fn dead_letter(&mut self, _: &DeadLetter<'_>) -> Result<(), SinkError> {
        Ok(())
    }

    fn alert(&mut self, _: &str, record: &[u8]) -> Result<(), SinkError> {
        let record = serde_json::from_slice(record).expect("a record is JSON");
        self.0.lock().unwrap().push(record);
        Ok(())
    }

    fn mark(&mut self, _: &[Position]) {}

    fn acknowledged(&mut self, _: &mut Vec<Position>) -> Result<(), SinkError> {
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn keeps_dead_letters(&self) -> bool {
        false
    }
}

fn rule(name: &str) -> crate::alert::rule::AlertRule {
    let text = format!(
        "name = \"{name}\"\non.level = {{ enter = 0.1, exit = 0.05 }}\nseverity = {{ warning = 0.2, critical = 0.9 }}"
    );
    toml::from_str(&text).unwrap()
}

/// Runs so many signals of partition 0 through rules, from what was saved. Returns the records of alerts, and
/// what is to be saved.
fn told(
    rules: &[crate::alert::rule::AlertRule],
    saved: Option<AlertsSnapshot>,
    signals: usize,
    reprocessed: bool,
) -> (Vec<String>, Option<AlertsSnapshot>) {
    let sink = AlertSink::default();
    let kept = Arc::clone(&sink.0);
    let alerts = AlertJournal::open(rules, &two_models())
        .unwrap()
        .keeping_homes();
    let mut writer = Writer::new(Box::new(sink), &two_models()).with_alerts(Some(alerts));
    let begun = PartitionState::Begun {
        partition: 0,
        alerts: saved,
    };
    assert!(writer.partition(begun).unwrap().is_none());
    let mut delivery = delivery(signals, at(0, 10));
    for signal in &mut delivery.signals {
        signal.outputs[1] = 0.5;
        signal.origin.partition = 0;
        signal.origin.reprocessed = reprocessed;
    }
    writer.deliver(&mut delivery).unwrap();
    let of_partition = PartitionState::Saved(SavedPartition {
        partition: 0,
        positions: vec![],
        states: vec![],
        instruments: 0,
    });
    let (_, alerts) = writer.partition(of_partition).unwrap().unwrap();
    let records = kept.lock().unwrap();
    let text = |record: &serde_json::Value| {
        let text = |name: &str| record[name].as_str().unwrap_or("").to_owned();
        let removed = record["rule_removed"].as_bool().unwrap_or(false);
        format!("{} {} {removed}", text("rule"), text("state"))
    };
    (records.iter().map(text).collect(), alerts)
}

#[test]
fn a_rule_that_was_taken_out_ends_its_episodes_at_the_next_start() {
    let (one, other) = (rule("one"), rule("other"));
    let both = [one.clone(), other];
    let (records, saved) = told(&both, None, 1, false);
    assert_eq!(records, ["one firing false", "other firing false"]);
    let (records, saved) = told(&both, saved, 0, false);
    assert_eq!(records, [""; 0], "nothing is gone");
    let (records, saved) = told(&[one], saved, 0, false);
    assert_eq!(records, ["other resolved true"]);
    let (records, saved) = told(&[], saved, 0, false);
    assert_eq!(records, ["one resolved true"]);
    assert_eq!(told(&[], saved, 0, false).0, [""; 0], "each once");
}

#[test]
fn signals_that_are_read_again_open_episodes_without_a_word() {
    let rules = [rule("one")];
    let (records, again) = told(&rules, None, 1, true);
    assert_eq!(records, [""; 0], "they were told before");
    let (_, first) = told(&rules, None, 1, false);
    assert!(again.is_some() && again == first, "the same state");
}

#[test]
fn a_partition_that_ends_takes_its_episodes_along() {
    let rules = [rule("one")];
    let mut alerts = AlertJournal::open(&rules, &two_models())
        .unwrap()
        .keeping_homes();
    let mut signal = test_signal(5);
    (signal.outputs[1], signal.origin.partition) = (0.5, 3);
    let publish = |_: &str, _: &[u8]| Ok::<_, SinkError>(());
    alerts.signal(&signal, "A", publish).unwrap();
    assert_eq!(alerts.saved(3).obligors().collect::<Vec<_>>(), ["A"]);
    assert_eq!(alerts.saved(0).obligors().count(), 0);
    alerts.end(3);
    assert_eq!(alerts.saved(3).obligors().count(), 0);
}
