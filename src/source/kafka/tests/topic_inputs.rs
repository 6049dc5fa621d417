//! Topics as inputs among files: in the order that files with the same records would have.

use std::path::PathBuf;

use super::*;
use crate::source::file::{FileOptions, FileSource, SpanEnd};
use crate::tests::scratch::Scratch;

const PARTITIONS: i32 = 3;
const BEGAN: i64 = 1_700_000_000_000_000_000;

/// The record of a partition at an offset: its time goes up and down, and some are of one time.
fn record(partition: i32, offset: i64) -> (i64, String) {
    let jitter = (offset * 7_919 + i64::from(partition) * 104_729) % 5;
    let ts = BEGAN + (offset / 2 + jitter) * 1_000_000_000;
    let text = format!(r#"{{"ts_event":{ts},"symbol":"S{partition}","n":{offset}}}"#);
    (ts, text)
}

fn records_of(partition: i32) -> i64 {
    [900, 30, 5_000][partition as usize]
}

/// Writes the records of all partitions, those of each in its order, partitions one behind the other: no
/// record is near others of its time. Some have a receive time in a header, some have no value.
fn write(producer: &ThreadedProducer<DefaultProducerContext>, topic: &str) {
    for partition in (0..PARTITIONS).rev() {
        for offset in 0..records_of(partition) {
            let (ts, text) = record(partition, offset);
            let mut sent: BaseRecord<'_, (), str> = BaseRecord::to(topic)
                .partition(partition)
                .timestamp(ts / 1_000_000);
            if offset % 10 != 9 {
                sent = sent.payload(&text);
            }
            if partition == 1 {
                let received = received(ts).to_string();
                let header = Header {
                    key: "ts_recv",
                    value: Some(received.as_bytes()),
                };
                sent = sent.headers(OwnedHeaders::new().insert(header));
            }
            let mut again = Some(sent);
            while let Some(sent) = again.take() {
                if let Err((_, back)) = producer.send(sent) {
                    clock::sleep(Duration::from_millis(1));
                    again = Some(back);
                }
            }
        }
    }
    producer.flush(PATIENCE).unwrap();
}

fn received(ts: i64) -> i64 {
    ts + 700_000_000
}

/// A frame as it is read: receive time, partition, offset, and message.
type Seen = (Nanos, i32, i64, String);

fn read(inputs: &[PathBuf], begin: Option<i64>, end: Option<i64>) -> Vec<Seen> {
    let options = FileOptions {
        max_frame_bytes: 1_000,
        begin: begin.map(Nanos),
        end: end.map(|end| SpanEnd::new(Nanos(end), 0)),
        ..FileOptions::default()
    };
    let mut source = FileSource::open_with(inputs, &options).unwrap();
    let mut seen = vec![];
    while let Some((origin, bytes)) = source.next_frame().unwrap() {
        let text = String::from_utf8_lossy(bytes).into_owned();
        seen.push((origin.ts_recv, origin.partition, origin.offset, text));
    }
    let progress = source.progress();
    assert_eq!(progress.read, progress.all);
    seen
}

/// What a topic gives, and files with the records of its partitions; both beside a further file.
fn compare(bootstrap: &str, topic: &str) {
    let scratch = Scratch::new();
    let further: String = (0..40).map(|at| record(0, 20 * at + 3).1 + "\n").collect();
    let further = scratch.write("further.jsonl", further);
    let file = |partition: i32| {
        let lines = (0..records_of(partition)).filter(|offset| offset % 10 != 9);
        let line = |offset| {
            let (ts, text) = record(partition, offset);
            match partition {
                1 => format!("{} {text}\n", received(ts)),
                _ => text + "\n",
            }
        };
        scratch.write(
            &format!("{partition}.jsonl"),
            lines.map(line).collect::<String>(),
        )
    };
    let files: Vec<PathBuf> = (0..PARTITIONS).map(file).collect();
    let topic = PathBuf::from(format!("kafka://{bootstrap}/{topic}"));
    let mut all = vec![further.clone()];
    all.extend(files);
    let inputs = [further, topic];
    let from_files = read(&all, None, None);
    let from_topic = read(&inputs, None, None);
    let texts = |seen: &[Seen]| -> Vec<(Nanos, String)> {
        seen.iter().map(|one| (one.0, one.3.clone())).collect()
    };
    assert_eq!(from_topic.len(), 40 + 810 + 27 + 4_500);
    assert_eq!(texts(&from_topic), texts(&from_files));
    // Positions are those of the topic.
    for (_, partition, offset, text) in &from_topic {
        if text.contains("\"S1\"") || text.contains("\"S2\"") {
            assert_eq!(*text, record(*partition, *offset).1);
        }
    }
    assert_eq!(
        read(&inputs, None, None),
        from_topic,
        "in the same order each time"
    );
    // A part of it: exactly what lies in the span.
    let (begin, end) = (BEGAN + 100_000_000_000, BEGAN + 200_000_000_000);
    let part = read(&inputs[1..], Some(begin), Some(end));
    let is_within = |one: &&Seen| {
        let at = one.3.find("17").unwrap();
        let ts: i64 = one.3[at..at + 19].parse().unwrap();
        let time = if one.0 == Nanos::UNDEFINED {
            ts
        } else {
            one.0.0
        };
        one.1 >= 0 && time >= begin && ts < end
    };
    let whole = read(&inputs[1..], None, None);
    let expected: Vec<Seen> = whole.iter().filter(is_within).cloned().collect();
    assert!(
        expected.len() > 300 && expected.len() < 500,
        "{}",
        expected.len()
    );
    assert_eq!(part, expected);
}

#[test]
fn a_topic_is_read_in_the_order_of_files_with_its_records() {
    let broker = EmbeddedBroker::start(&[("bars", PARTITIONS)]).unwrap();
    write(&producer(&broker), "bars");
    compare(&broker.bootstrap(), "bars");
}

#[test]
fn a_topic_that_is_not_there_is_an_error_that_names_it() {
    let broker = EmbeddedBroker::start(&[("bars", 1)]).unwrap();
    let open = |input: String| {
        let source = FileSource::open(&[PathBuf::from(input)], 100);
        source
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    // The embedded broker makes topics that it is asked for: the address alone is wrong here.
    let error = open("kafka://127.0.0.1:1/bars".into());
    assert!(
        error.contains("127.0.0.1:1") && !error.contains("capture"),
        "{error}"
    );
    let error = open(format!("kafka://{}", broker.bootstrap()));
    assert!(error.contains("names no topic"), "{error}");
}

/// Commit markers, an aborted end, an open transaction, and more records than wait of a partition.
#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn a_topic_of_a_real_broker_is_read_in_that_order_too() {
    let bootstrap = std::env::var("KAFKA_BOOTSTRAP").expect("KAFKA_BOOTSTRAP");
    let topic = format!("foretick-test-{}", clock::now().0);
    let producer: ThreadedProducer<DefaultProducerContext> =
        client_config(&bootstrap, &[("linger.ms", "5")], &Properties::new())
            .unwrap()
            .create()
            .unwrap();
    // Made with the partitions of the broker's default, 4: the last of them stays empty.
    write(&producer, &topic);
    compare(&bootstrap, &topic);
    let absent = PathBuf::from(format!("kafka://{bootstrap}/{topic}-absent"));
    let error = FileSource::open(&[absent], 100).err().unwrap().to_string();
    assert!(error.contains("does not exist"), "{error}");
}

#[test]
#[ignore = "needs a real Kafka, its address in KAFKA_BOOTSTRAP"]
fn markers_and_aborted_records_behind_a_partition_that_was_paused_are_its_end() {
    let bootstrap = std::env::var("KAFKA_BOOTSTRAP").expect("KAFKA_BOOTSTRAP");
    let topic = format!("foretick-test-{}", clock::now().0);
    let producer = transactional(&bootstrap, &topic);
    send_in_transaction(&producer, &topic, 9_000);
    producer.commit_transaction(PATIENCE).unwrap();
    send_in_transaction(&producer, &topic, 5);
    producer.abort_transaction(PATIENCE).unwrap();
    send_in_transaction(&producer, &topic, 3);
    let input = PathBuf::from(format!("kafka://{bootstrap}/{topic}"));
    let seen = read(std::slice::from_ref(&input), None, None);
    assert_eq!(seen.len(), 9_000);
    let scratch = Scratch::new();
    let late = scratch.write("late.jsonl", record(0, 10).1);
    assert_eq!(read(&[late, input], None, None).len(), 9_001);
}
