//! The load: trades due at fixed moments, sent whether or not the answers come, and the clock on the answers.
//!
//! A trade's `ts_event` is its place on the schedule, so that an answer tells when its trade was due. All
//! moments are of one monotonic clock in one process.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use foretick::clock;
use hdrhistogram::Histogram;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use super::echo;
use super::latency::histogram;

/// How much is sent.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Trades a second.
    pub(crate) rate: u64,
    /// The subject gives no answer to the first trade of an instrument.
    pub(crate) silent_first: bool,
}

/// What came back.
pub(crate) struct Outcome {
    /// From when a trade was due until its answer was here, in nanoseconds; warm-up left out.
    pub(crate) latency: Histogram<u64>,
    /// How late trades were handed to the producer: the part that is our own thread's.
    late: Histogram<u64>,
    sent: u64,
    received: u64,
    /// Answers that were not the next one due: lost, doubled or overtaken.
    disordered: u64,
}

impl Load {
    /// Sends the load into the first topic and waits for the answers in the second.
    pub(crate) fn run(self, bootstrap: &str, topics: &[String; 2]) -> Outcome {
        let [input, output] = topics;
        let answers = echo::consumer(bootstrap, output);
        let mut place = TopicPartitionList::new();
        place
            .add_partition_offset(output, 0, Offset::Beginning)
            .expect("an offset may be logical");
        answers.assign(&place).expect("the topic has one partition");
        let producer = echo::producer(bootstrap);
        let send = |number: i64| {
            let (instrument, text) = trade(number, self.interval());
            let record = BaseRecord::to(input)
                .key(instrument.as_bytes())
                .payload(text.as_bytes())
                .partition(0);
            echo::send(&producer, record);
        };
        // A subject that has answered once has joined its group and opened its topics.
        (-2 * INSTRUMENTS..0).for_each(send);
        let silent = if self.silent_first { INSTRUMENTS } else { 0 };
        self.await_first(&answers, 2 * INSTRUMENTS - silent);
        let start = clock::instant() + Duration::from_millis(100);
        let outcome = thread::scope(|scope| {
            let listener = scope.spawn(|| self.listen(&answers, start));
            let mut late = histogram();
            for number in 0..self.total() {
                let due = self.due(start, number);
                thread::sleep(due.saturating_duration_since(clock::instant()));
                send(number);
                late.saturating_record(nanos(due, clock::instant()));
            }
            let heard = listener.join().expect("the listener does not panic");
            Outcome {
                late,
                sent: self.total() as u64,
                ..heard
            }
        });
        producer
            .flush(Duration::from_secs(5))
            .expect("what was answered was delivered");
        outcome
    }

    fn await_first(self, answers: &BaseConsumer, expected: i64) {
        let deadline = clock::instant() + PATIENCE;
        let mut heard = 0;
        while heard < expected {
            assert!(
                clock::instant() < deadline,
                "while waiting for the first answer: none within {PATIENCE:?}"
            );
            heard += i64::from(matches!(
                answers.poll(Duration::from_millis(100)),
                Some(Ok(_))
            ));
        }
    }

    fn listen(self, answers: &BaseConsumer, start: Instant) -> Outcome {
        let deadline = self.due(start, self.total()) + PATIENCE_AT_END;
        let (mut latency, mut received, mut disordered) = (histogram(), 0, 0);
        while received < self.total() && clock::instant() < deadline {
            let Some(Ok(answer)) = answers.poll(Duration::from_millis(100)) else {
                continue;
            };
            let now = clock::instant();
            let ts = ts_event_of(answer.payload().unwrap_or_default());
            let number = ts.map(|ts| (ts - BASE) / self.interval());
            disordered += u64::from(number != Some(received));
            received += 1;
            if let Some(number) = number.filter(|&number| number >= self.rate as i64 * WARM_UP_S) {
                latency.saturating_record(nanos(self.due(start, number), now));
            }
        }
        Outcome {
            latency,
            late: histogram(),
            sent: 0,
            received: received as u64,
            disordered,
        }
    }

    fn total(self) -> i64 {
        self.rate as i64 * (WARM_UP_S + MEASURED_S)
    }

    /// Nanoseconds between two trades.
    fn interval(self) -> i64 {
        1_000_000_000 / self.rate as i64
    }

    fn due(self, start: Instant, number: i64) -> Instant {
        start + Duration::from_nanos((number * self.interval()) as u64)
    }
}

impl Outcome {
    /// Whether every trade was answered, once and in its turn.
    pub(crate) fn is_sound(&self) -> bool {
        self.sent == self.received && self.disordered == 0
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sent,
            received,
            disordered,
            late,
            ..
        } = self;
        let late = late.value_at_quantile(0.99) / 1_000;
        write!(
            f,
            "{sent} sent, {received} received, {disordered} out of turn; 99 % sent within {late} µs"
        )?;
        if self.is_sound() {
            Ok(())
        } else {
            f.write_str("; FAILED")
        }
    }
}

/// Of whose trades the load consists, in turns.
pub(crate) const INSTRUMENTS: i64 = 16;
const WARM_UP_S: i64 = 3;
const MEASURED_S: i64 = 10;
/// For joining a group and loading a pipeline.
const PATIENCE: Duration = Duration::from_secs(60);
const PATIENCE_AT_END: Duration = Duration::from_secs(5);
/// `ts_event` of trade 0.
const BASE: i64 = 1_700_000_000_000_000_000;

/// Key and text of a trade.
pub(crate) fn trade(number: i64, interval: i64) -> (String, String) {
    let instrument = format!("SIM{:02}", number.rem_euclid(INSTRUMENTS));
    let (ts, cents) = (BASE + number * interval, 10_000 + number.rem_euclid(97));
    let price = format!("{}.{:02}", cents / 100, cents % 100);
    let text = format!(
        r#"{{"ts_event":{ts},"symbol":"{instrument}","price":{price},"size":0.5,"side":"buy"}}"#
    );
    (instrument, text)
}

/// The time of the trade that this answers; all subjects begin with it.
pub(crate) fn ts_event_of(answer: &[u8]) -> Option<i64> {
    let digits = answer
        .strip_prefix(b"{\"ts_event\":")?
        .split(|byte| !byte.is_ascii_digit())
        .next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn nanos(from: Instant, to: Instant) -> u64 {
    to.saturating_duration_since(from).as_nanos() as u64
}
