//! A worker that waits for company: frames that come soon after one another are worked on together.
//!
//! The clock is the real one, and a busy machine may be late for anything: the best of a few attempts
//! counts, except where no delay can excuse the result.

use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use crossbeam::channel::{Receiver, bounded};
use foretick::clock;
use foretick::frame::{Frame, Origin};
use foretick::run::shard::Shard;
use foretick::run::worker::{Delivery, Settings, Window, work};
use foretick::source::ring::{Sender, ring};
use foretick::units::Nanos;

use crate::given::{self, Folder};

#[test]
fn frames_that_come_within_the_wait_are_one_batch() {
    let together = (0..ATTEMPTS).any(|_| {
        let sizes = batches("within", WAIT, 256, |sender| {
            for offset in 0..5 {
                send(sender, offset);
                thread::sleep(Duration::from_millis(1));
            }
        });
        assert_eq!(sizes.iter().sum::<usize>(), 5);
        sizes == [5]
    });
    assert!(together);
}

#[test]
fn frames_are_not_held_without_a_wait() {
    let sizes = batches("without", Duration::ZERO, 256, |sender| {
        for offset in 0..5 {
            send(sender, offset);
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert!(sizes.len() > 1, "{sizes:?}");
}

#[test]
fn a_full_batch_waits_no_longer() {
    let took = fastest(|| {
        let began = clock::instant();
        let sizes = batches("full", Duration::from_millis(800), 3, |sender| {
            for offset in 0..3 {
                send(sender, offset);
            }
            // The sender is there meanwhile: it is not its end that ends the wait.
            thread::sleep(Duration::from_millis(100));
        });
        assert_eq!(sizes, [3]);
        clock::instant().duration_since(began)
    });
    assert!(took < Duration::from_millis(800), "{took:?}");
}

#[test]
fn a_lone_frame_is_answered_after_the_wait() {
    let took = fastest(|| {
        let mut took = Duration::ZERO;
        let sizes = run("lone", WAIT, 256, |sender, deliveries| {
            let sent = clock::instant();
            send(sender, 0);
            let delivery = deliveries.recv().expect("the worker is there");
            took = clock::instant().duration_since(sent);
            vec![delivery]
        });
        assert_eq!(sizes, [1]);
        took
    });
    assert!(took >= WAIT, "{took:?}");
    assert!(took < WAIT + Duration::from_millis(20), "{took:?}");
}

const WAIT: Duration = Duration::from_millis(20);
const ATTEMPTS: usize = 5;

fn fastest(attempt: impl FnMut() -> Duration) -> Duration {
    let took = std::iter::repeat_with(attempt).take(ATTEMPTS);
    took.min().expect("there are attempts")
}

/// How many frames each batch had.
fn batches(name: &str, wait: Duration, most: usize, feed: impl FnOnce(&Sender)) -> Vec<usize> {
    run(name, wait, most, |sender, _| {
        feed(sender);
        vec![]
    })
}

/// Runs a worker while `drive` feeds its ring, which may take deliveries; gives the sizes of all.
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
    let settings = Settings {
        batch,
        batch_wait,
        captures: true,
        ..Settings::default()
    };
    let (sender, receiver) = ring(64);
    let (deliver, deliveries) = bounded(64);
    let worker = thread::spawn(move || {
        let (window, stop) = (Window::default(), AtomicBool::new(false));
        work(shard, settings, &receiver, &deliver, &window, &stop).map(|_| ())
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
        known: false,
    };
    let bytes = Bytes::from_static(b"no message of any venue");
    sender
        .send(Frame { origin, bytes })
        .expect("the worker is there");
}
