//! Acknowledgement, against a sink whose records arrive when the test says so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::run::delivery::test_signal;
use crate::signal::tests::two_models;
use crate::sink::unacknowledged::UnacknowledgedPositions;
use crate::tests::scratch::Scratch;

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

#[test]
fn positions_wait_until_the_state_of_alerts_is_saved() {
    let scratch = Scratch::new();
    let state = scratch.path().join("alerts.state");
    let lineage = two_models();
    let alerts = AlertJournal::open(&[], &lineage, Some(&state)).unwrap();
    let sink = SlowSink::default();
    let arrived = Arc::clone(&sink.arrived);
    let mut writer = Writer::new(Box::new(sink), &lineage).with_alerts(Some(alerts));
    writer.deliver(&mut delivery(1, at(0, 10))).unwrap();
    arrived.store(2, Ordering::Relaxed);
    let early = writer.acknowledged(false).unwrap();
    assert!(early.is_empty() && !state.exists(), "not saved yet");
    assert_eq!(writer.acknowledged(true).unwrap(), [at(0, 10)]);
    assert!(state.exists());
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

#[test]
fn a_rule_that_was_taken_out_ends_its_episodes_at_the_next_start() {
    let scratch = Scratch::new();
    let state = scratch.path().join("alerts.state");
    let rule = |name: &str| -> crate::alert::rule::AlertRule {
        let text = format!(
            "name = \"{name}\"\non.level = {{ enter = 0.1, exit = 0.05 }}\nseverity = {{ warning = 0.2, critical = 0.9 }}"
        );
        toml::from_str(&text).unwrap()
    };
    let told_until = |rules: &[crate::alert::rule::AlertRule], signals: usize, fails: bool| {
        let sink = AlertSink::default();
        let kept = Arc::clone(&sink.0);
        let alerts = AlertJournal::open(rules, &two_models(), Some(&state)).unwrap();
        let mut writer = Writer::new(Box::new(sink), &two_models()).with_alerts(Some(alerts));
        writer.begin().unwrap();
        let mut delivery = delivery(signals, at(0, 10));
        for signal in &mut delivery.signals {
            signal.outputs[1] = 0.5;
        }
        if !fails {
            writer.deliver(&mut delivery).unwrap();
            writer.acknowledged(true).unwrap();
        }
        let records = kept.lock().unwrap();
        let text = |record: &serde_json::Value| {
            let text = |name: &str| record[name].as_str().unwrap_or("").to_owned();
            let removed = record["rule_removed"].as_bool().unwrap_or(false);
            format!("{} {} {removed}", text("rule"), text("state"))
        };
        records.iter().map(text).collect::<Vec<String>>()
    };
    let told = |rules: &[_], signals| told_until(rules, signals, false);
    let (one, other) = (rule("one"), rule("other"));
    let both = [one.clone(), other];
    assert_eq!(told(&both, 1), ["one firing false", "other firing false"]);
    assert_eq!(told(&both, 0), [""; 0], "nothing is gone");
    // A run that fails before anything else is started again, and does not tell it again.
    let rules = [one];
    assert_eq!(told_until(&rules, 0, true), ["other resolved true"]);
    assert_eq!(told_until(&rules, 0, true), [""; 0]);
    assert_eq!(told(&rules, 0), [""; 0]);
    assert_eq!(told(&[], 0), ["one resolved true"]);
    assert_eq!(told(&[], 0), [""; 0], "each once");
}
