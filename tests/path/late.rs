//! The signals of a shard that has been behind for too long are `degraded`, live and in a replay.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use crossbeam::channel::bounded;
use foretick::frame::{Frame, Origin};
use foretick::run::delivery::Delivery;
use foretick::run::replay::{ReplayOptions, replay};
use foretick::run::shard::Shard;
use foretick::run::status::WorkerStatus;
use foretick::run::worker::{WorkerSettings, work};
use foretick::signal::field::SignalField;
use foretick::signal::quality::Quality;
use foretick::source::capture::{CaptureSettings, CaptureWriter};
use foretick::source::ring::ring;
use foretick::units::Nanos;

use crate::given::{self, Folder};

/// Processes the lines, which are all in the ring when the worker starts: it is behind until the last batch.
fn deliveries(folder: &Folder, lines: &[&str], late_after: Option<Duration>) -> Vec<Delivery> {
    let pipeline = folder.pipeline(given::SMALL, &[]);
    let loaded = pipeline.load_model().expect("a sum needs no file");
    let engine = loaded.engine().expect("a sum needs no file");
    let shard = Shard::new(pipeline.decoder(), engine, &loaded.lineage, true);
    let (sender, receiver) = ring(lines.len());
    for (offset, line) in lines.iter().enumerate() {
        let (stamp, message) = line.split_once(' ').expect("a capture has stamps");
        let origin = Origin {
            ts_recv: Nanos(stamp.parse().expect("a stamp is a number")),
            offset: offset as i64,
            partition: 0,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        let bytes = Bytes::copy_from_slice(message.as_bytes());
        assert!(sender.try_send(Frame { origin, bytes }).is_ok());
    }
    drop(sender);
    let settings = WorkerSettings {
        batch: 100,
        late_after,
        captures: true,
        ..WorkerSettings::default()
    };
    let (deliver, delivered) = bounded(lines.len());
    let (status, stop) = (WorkerStatus::default(), AtomicBool::new(false));
    let worked = work(shard, settings, &receiver, &deliver, &status, &stop);
    assert!(worked.is_ok());
    let all: Vec<Delivery> = delivered.try_iter().collect();
    let frames = all.iter().flat_map(|delivery| &delivery.frames);
    let late = frames.filter(|frame| frame.origin.late).count();
    assert_eq!(status.figures().counts.late_frames, late as u64);
    all
}

#[test]
fn late_frames_are_degraded_live_and_in_the_replay() {
    let folder = Folder::new("late");
    let text = given::capture(11, 3, &["BTCUSDT"]);
    let lines: Vec<&str> = text.lines().collect();
    let qualities = |deliveries: &[Delivery]| -> Vec<Quality> {
        let signals = deliveries.iter().flat_map(|delivery| &delivery.signals);
        signals.map(|signal| signal.quality).collect()
    };
    let calm = qualities(&deliveries(&folder, &lines, None));
    assert!(!calm.contains(&Quality::Degraded));

    let all = deliveries(&folder, &lines, Some(Duration::ZERO));
    let (last, before) = all.split_last().expect("there are batches");
    assert!(
        before
            .iter()
            .all(|batch| batch.frames.iter().all(|frame| frame.origin.late))
    );
    assert!(
        last.frames.iter().all(|frame| !frame.origin.late),
        "it has caught up"
    );
    let hurried = qualities(&all);
    let marked = qualities(before).len();
    assert!(marked > 10, "{marked} signals");
    for (at, (calm, hurried)) in calm.iter().zip(&hurried).enumerate() {
        let right = if at < marked {
            (*calm).max(Quality::Degraded)
        } else {
            *calm
        };
        assert_eq!(*hurried, right, "signal {at}");
    }

    let capture = folder.path("capture.zst");
    let mut writer = CaptureSettings::new(&capture)
        .map(|settings| CaptureWriter::create(settings).expect("a test's folder takes files"))
        .expect("no placeholders");
    for frame in all.iter().flat_map(|delivery| &delivery.frames) {
        writer.write(frame).expect("a test's folder takes files");
    }
    writer.close().expect("a test's folder takes files");
    let options = ReplayOptions {
        inputs: vec![capture],
        output: Some(folder.path("signals.jsonl")),
        ..ReplayOptions::default()
    };
    let pipeline = folder.pipeline(given::SMALL, &[]);
    assert!(pipeline.fields.contains(&SignalField::Quality));
    let summary = replay(&pipeline, &options).expect("the capture was just written");
    let late: usize = before.iter().map(|batch| batch.frames.len()).sum();
    assert_eq!(summary.events.late_frames, late as u64);
    let again: Vec<String> = folder
        .read("signals.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("signals are JSON"))
        .map(|signal| {
            signal["quality"]
                .as_str()
                .expect("it has a quality")
                .to_owned()
        })
        .collect();
    let words: Vec<&str> = hurried.iter().map(|quality| quality.word()).collect();
    assert_eq!(again, words);
}
