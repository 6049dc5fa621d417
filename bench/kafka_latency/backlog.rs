//! How fast a backlog is worked off: trades that wait in a topic when the subject starts.
//!
//! The broker stamps each answer as it takes it, in the topic of the answers, so that nothing else has work
//! meanwhile. The rate counts from the first answer to the last: starting up is not in it.

use std::thread;
use std::time::Duration;

use foretick::clock;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use super::load::{INSTRUMENTS, trade, ts_event_of};
use super::subject::Subject;
use super::{echo, topics};

/// Measures all subjects in turns and prints a table. Whether every trade was answered once and in its turn.
pub(crate) fn compare(bootstrap: &str, rounds: u64) -> bool {
    println!("\na backlog of {TRADES} trades, {rounds} rounds in turns; the medians");
    let mut all = Subject::ALL.map(|_| vec![]);
    let mut is_sound = true;
    for round in 0..rounds {
        for (figures, subject) in all.iter_mut().zip(Subject::ALL) {
            match measure(bootstrap, subject, round) {
                Some(one) => figures.push(one),
                None => is_sound = false,
            }
        }
    }
    let median = |figures: &[Figures], of: fn(&Figures) -> f64| {
        let mut sorted: Vec<f64> = figures.iter().map(of).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    };
    println!(
        "{:>15} {:>16} {:>9} {:>13}   rounds, thousands a second",
        "", "thousands/s", "/ echo", "CPU µs each"
    );
    let echo = median(&all[0], |one| one.rate);
    for (figures, subject) in all.iter().zip(Subject::ALL) {
        let rate = median(figures, |one| one.rate);
        let rounds: Vec<_> = figures
            .iter()
            .map(|one| format!("{:.0}", one.rate))
            .collect();
        println!(
            "{:>15} {rate:>16.0} {:>9.2} {:>13.2}   {}",
            subject.name(),
            rate / echo,
            median(figures, |one| one.processor),
            rounds.join(" ")
        );
    }
    is_sound
}

/// How a backlog was worked off.
struct Figures {
    /// Thousands of answers a second.
    rate: f64,
    /// Microseconds of processor time of the subject for each trade; starting up is in it.
    processor: f64,
}

const TRADES: i64 = 1_000_000;
/// For starting up, and for all trades.
const PATIENCE: Duration = Duration::from_secs(120);
/// Far below the time between two trades of the latency measurement: of no matter here but that times differ.
const INTERVAL: i64 = 100_000;

/// None where answers are missing, doubled or out of turn.
fn measure(bootstrap: &str, subject: Subject, round: u64) -> Option<Figures> {
    let topics = topics::create(bootstrap, &format!("backlog.{}.{round}", subject.name()));
    let [input, output] = &topics;
    fill(bootstrap, input);
    let expected = match subject.is_silent_first() {
        true => TRADES - INSTRUMENTS,
        false => TRADES,
    };
    let reader = echo::consumer(bootstrap, output);
    let running = subject.start(bootstrap, &topics);
    await_end(&reader, output, expected);
    let processor = running.processor().as_secs_f64() * 1e6 / TRADES as f64;
    drop(running);
    let rate = answers(&reader, output, expected);
    if rate.is_none() {
        println!(
            "    {:<15} answers are missing, doubled or out of turn; FAILED",
            subject.name()
        );
    }
    rate.map(|rate| Figures { rate, processor })
}

/// Puts the trades into a topic, in large batches.
fn fill(bootstrap: &str, topic: &str) {
    let producer = echo::producer_with(bootstrap, &[("linger.ms", "20")]);
    for number in 0..TRADES {
        let (key, text) = trade(number, INTERVAL);
        let record = BaseRecord::to(topic)
            .key(key.as_bytes())
            .payload(text.as_bytes())
            .partition(0);
        echo::send(&producer, record);
    }
    producer
        .flush(PATIENCE)
        .expect("the broker takes the backlog");
}

/// Waits until a topic has as many records, and no more come.
fn await_end(reader: &BaseConsumer, topic: &str, expected: i64) {
    let deadline = clock::instant() + PATIENCE;
    let mut before = 0;
    loop {
        thread::sleep(Duration::from_secs(1));
        let ends = reader.fetch_watermarks(topic, 0, Duration::from_secs(5));
        let end = ends.map_or(0, |(_, end)| end);
        if end >= expected && end == before || clock::instant() > deadline {
            return;
        }
        before = end;
    }
}

/// Reads the answers, and gives their rate by the broker's stamps.
fn answers(reader: &BaseConsumer, topic: &str, expected: i64) -> Option<f64> {
    let mut place = TopicPartitionList::new();
    place
        .add_partition_offset(topic, 0, Offset::Beginning)
        .expect("an offset may be logical");
    reader.assign(&place).expect("the topic has one partition");
    let (mut first, mut last, mut heard, mut next) = (None, 0, 0, i64::MIN);
    while let Some(answer) = reader.poll(Duration::from_secs(2)) {
        let Ok(answer) = answer else { continue };
        let ts = ts_event_of(answer.payload().unwrap_or_default())?;
        if ts < next {
            return None;
        }
        next = ts + INTERVAL;
        last = answer.timestamp().to_millis()?;
        first.get_or_insert(last);
        heard += 1;
    }
    let seconds = (last - first?) as f64 / 1e3;
    (heard == expected).then(|| heard as f64 / seconds / 1e3)
}
