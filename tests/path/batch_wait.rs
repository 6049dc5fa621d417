//! A worker with a batch wait holds frames until further ones arrive, at most for that time.
//!
//! No test has an upper limit of time: a busy machine may delay anything. A wait is either so long that it
//! does not end within a test, or the test waits for its end.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use foretick::clock;
use foretick::frame::{Frame, Origin};
use foretick::run::delivery::Delivery;
use foretick::run::shard::Shard;
use foretick::run::status::WorkerStatus;
use foretick::run::worker::{WorkerSettings, work};
use foretick::source::ring::{Sender, ring};
use foretick::units::Nanos;

use crate::given::{self, Folder};

#[test]
fn frames_that_come_within_the_wait_are_one_batch() {
    let sizes = run("within", LONG, 256, |sender, _| {
        for offset in 0..5 {
            send(sender, offset);
            thread::sleep(Duration::from_millis(1));
        }
        vec![]
    });
    assert_eq!(sizes, [5]);
}

#[test]
fn frames_are_not_held_without_a_wait() {
    let sizes = run("without", Duration::ZERO, 256, |sender, deliveries| {
        let deliver = |offset| {
            send(sender, offset);
            receive(deliveries)
        };
        (0..5).map(deliver).collect()
    });
    assert_eq!(sizes, [1; 5]);
}

#[test]
fn a_full_batch_is_not_held() {
    let sizes = run("full", LONG, 3, |sender, deliveries| {
        for offset in 0..3 {
            send(sender, offset);
        }
        // The sender still exists, so that its end cannot end the wait.
        vec![receive(deliveries)]
    });
    assert_eq!(sizes, [3]);
}

#[test]
fn a_lone_frame_is_delivered_after_the_wait() {
    let wait = Duration::from_millis(20);
    let mut took = Duration::ZERO;
    let sizes = run("lone", wait, 256, |sender, deliveries| {
        let sent = clock::instant();
        send(sender, 0);
        let delivery = receive(deliveries);
        took = sent.elapsed();
        vec![delivery]
    });
    assert_eq!(sizes, [1]);
    assert!(took >= wait, "{took:?}");
}

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

fn receive(deliveries: &Receiver<Delivery>) -> Delivery {
    deliveries
        .recv_timeout(given::PATIENCE)
        .expect("the worker delivers")
}

/// Runs a worker while `drive` feeds its ring and returns the deliveries that it took; gives the number of
/// frames in each delivery, also in those that `drive` left.
fn run(
    name: &str,
    batch_wait: Duration,
    batch: usize,
    drive: impl FnOnce(&Sender, &Receiver<Delivery>) -> Vec<Delivery>,
) -> Vec<usize> {
    let folder = Folder::new(&format!("wait-{name}"));
    let pipeline = folder.pipeline(given::SMALL, &[]);
    let loaded = pipeline.load_model().expect("a sum needs no file");
    let engine = loaded.engine().expect("a sum needs no file");
    let shard = Shard::new(pipeline.decoder(), engine, &loaded.lineage, true);
    let settings = WorkerSettings {
        batch,
        batch_wait,
        captures: true,
        ..WorkerSettings::default()
    };
    let (sender, receiver) = ring(64);
    let (deliver, deliveries) = sync_channel(64);
    let worker = thread::spawn(move || {
        let (status, stop) = (WorkerStatus::default(), AtomicBool::new(false));
        work(shard, settings, &receiver, &deliver, &status, &stop).map(|_| ())
    });
    let mut all = drive(&sender, &deliveries);
    drop(sender);
    worker
        .join()
        .expect("it does not panic")
        .expect("a sum is sound");
    all.extend(deliveries.try_iter());
    all.iter().map(|delivery| delivery.frames.len()).collect()
}

fn send(sender: &Sender, offset: i64) {
    let origin = Origin {
        ts_recv: Nanos(offset),
        offset,
        partition: 0,
        stream: 0,
        late: false,
        reprocessed: false,
    };
    let bytes = Bytes::from_static(b"no message of any venue");
    sender
        .send(Frame { origin, bytes })
        .expect("the worker is there");
}
