//! The signals that leave too late to act on are `late`, live and in a replay.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use bytes::Bytes;
use foretick::clock;
use foretick::frame::{Frame, Origin};
use foretick::run::delivery::Delivery;
use foretick::run::lateness::LateRule;
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

/// Every third frame was received so long ago, the others now.
const OLD: Duration = Duration::from_secs(3_600);

/// Processes the lines in batches of so many frames.
fn deliveries(
    folder: &Folder,
    set: &[&str],
    lines: &[&str],
    rule: Option<LateRule>,
    batch: usize,
) -> Vec<Delivery> {
    let pipeline = folder.pipeline(given::SMALL, set);
    let loaded = pipeline.load_model().expect("a sum needs no file");
    let engine = loaded.engine().expect("a sum needs no file");
    let shard = Shard::new(pipeline.decoder(), engine, &loaded.lineage, true).marking_late(rule);
    let (sender, receiver) = ring(lines.len());
    let now = clock::now().0;
    for (offset, line) in lines.iter().enumerate() {
        let (_, message) = line.split_once(' ').expect("a capture has stamps");
        let age = if is_old(offset as i64) {
            OLD
        } else {
            Duration::ZERO
        };
        let origin = Origin {
            ts_recv: Nanos(now - age.as_nanos() as i64),
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
        batch,
        captures: true,
        ..WorkerSettings::default()
    };
    let (deliver, delivered) = sync_channel(lines.len());
    let (status, stop) = (WorkerStatus::default(), AtomicBool::new(false));
    let worked = work(shard, settings, &receiver, &deliver, &status, &stop);
    assert!(worked.is_ok());
    let all: Vec<Delivery> = delivered.try_iter().collect();
    let frames = all.iter().flat_map(|delivery| &delivery.frames);
    let late = frames.filter(|frame| frame.origin.late).count();
    assert_eq!(status.figures().counts.late_frames, late as u64);
    all
}

fn is_old(offset: i64) -> bool {
    offset % 3 == 0
}

/// The offsets and qualities of all signals.
fn qualities(deliveries: &[Delivery]) -> Vec<(i64, Quality)> {
    let signals = deliveries.iter().flat_map(|delivery| &delivery.signals);
    signals
        .map(|signal| (signal.origin.offset, signal.quality))
        .collect()
}

/// Nothing depends on how old frames are.
const NO_SILENCE: &str = "row.max_gap_ms=100000000";

#[test]
fn signals_of_old_frames_are_late_live_and_in_the_replay_in_any_batches() {
    let folder = Folder::new("late");
    let text = given::capture(11, 3, &["BTCUSDT"]);
    let lines: Vec<&str> = text.lines().collect();
    let set = [NO_SILENCE];
    let calm = qualities(&deliveries(&folder, &set, &lines, None, 100));
    assert!(!calm.iter().any(|&(_, quality)| quality == Quality::Late));

    let rule = LateRule {
        age_max: Some(OLD / 2),
    };
    let all = deliveries(&folder, &set, &lines, Some(rule), 100);
    let hurried = qualities(&all);
    let right = calm.iter().map(|&(offset, quality)| match is_old(offset) {
        true => (offset, quality.max(Quality::Late)),
        false => (offset, quality),
    });
    assert_eq!(hurried, right.collect::<Vec<_>>());
    let late = hurried.iter().filter(|one| one.1 == Quality::Late).count();
    assert!(
        late > 10 && late * 2 < hurried.len(),
        "{late} of {}",
        hurried.len()
    );
    let one_by_one = deliveries(&folder, &set, &lines, Some(rule), 1);
    assert_eq!(qualities(&one_by_one), hurried);

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
    let pipeline = folder.pipeline(given::SMALL, &set);
    assert!(pipeline.fields.contains(&SignalField::Quality));
    let summary = replay(&pipeline, &options).expect("the capture was just written");
    let frames = all.iter().flat_map(|delivery| &delivery.frames);
    let late = frames.filter(|frame| frame.origin.late).count();
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
    let words: Vec<&str> = hurried.iter().map(|one| one.1.word()).collect();
    assert_eq!(again, words);
}

#[test]
fn signals_that_are_out_of_date_are_late_however_new_their_frames_are() {
    let folder = Folder::new("late-horizon");
    let text = given::capture(11, 3, &["BTCUSDT"]);
    let lines: Vec<&str> = text.lines().collect();
    let any_age = Some(LateRule::default());
    let made = |horizon: &str| {
        let set = [NO_SILENCE, horizon];
        qualities(&deliveries(&folder, &set, &lines, any_age, 100))
    };
    let is_late = |one: &(i64, Quality)| one.1 == Quality::Late;
    // The capture is of a day in 2026; so is the clock, or later.
    let short = made("signal.horizon_ms=1000");
    let late = short.iter().filter(|one| is_late(one)).count();
    assert!(late > 10, "{late} of {}", short.len());
    assert!(short.iter().all(|one| one.1 != Quality::Ok));
    let long = made("signal.horizon_ms=3000000000000");
    assert_eq!(long.len(), short.len());
    assert!(!long.iter().any(is_late) && long.iter().any(|one| one.1 == Quality::Ok));
}
