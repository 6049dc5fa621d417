//! Frames to events: our decoder against `serde_json::Value`, the parser one reaches for first.
//!
//! Both read every frame of a capture; only ours also makes fixed-point numbers and events of it, and keeps
//! the books of a venue. At the end it prints both for each venue, side by side.

mod market;
mod venue_frames;

use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use foretick::decode::{Decoder, Venues};
use foretick::engine::book::{Applied, Book};
use foretick::event::{Batch, Body};
use foretick::frame::split_stamp;
use foretick::instrument::Instruments;

fn main() {
    divan::main();
    // Cargo says so where it measures; a test of benchmarks only runs them.
    if std::env::args().any(|argument| argument == "--bench") {
        compare_venues();
    }
}

/// The cost of measuring: looks at each frame and reads none.
#[divan::bench(args = FORMATS)]
fn nothing(bencher: Bencher<'_, '_>, format: &str) {
    let frames = frames(format);
    bencher
        .counter(ItemsCount::new(frames.len()))
        .bench_local(|| {
            frames
                .iter()
                .map(|frame| black_box(frame).len())
                .sum::<usize>()
        });
}

#[divan::bench(args = FORMATS)]
fn foretick(bencher: Bencher<'_, '_>, format: &str) {
    let frames = frames(format);
    let mut decoder = Decoder::new(Instruments::new(&[], 16), market::MAX_FRAME_BYTES);
    let mut batch = Batch::default();
    bencher
        .counter(ItemsCount::new(frames.len()))
        .bench_local(|| {
            for (number, frame) in (0..).zip(&frames) {
                if number % BATCH == 0 {
                    batch.clear();
                }
                decoder
                    .decode(market::origin(number), frame, &mut batch)
                    .expect("every frame is readable");
            }
            batch.events.len()
        });
}

#[divan::bench(args = FORMATS)]
fn serde_json_value(bencher: Bencher<'_, '_>, format: &str) {
    let frames = frames(format);
    bencher
        .counter(ItemsCount::new(frames.len()))
        .bench_local(|| {
            for frame in &frames {
                let (_, message) = split_stamp(frame);
                let value: serde_json::Value =
                    serde_json::from_slice(message).expect("every frame is JSON");
                drop(black_box(value));
            }
        });
}

/// Reads the frames of a venue and keeps its books, from nothing.
#[divan::bench(args = venue_frames::VENUES)]
fn venue_decode_and_book(bencher: Bencher<'_, '_>, venue: &str) {
    let (frames, _) = venue_frames::frames(venue);
    let count = ItemsCount::new(frames.len());
    bencher
        .counter(count)
        .bench_local(|| decode_and_book(venue, &frames));
}

/// Parses them.
#[divan::bench(args = venue_frames::VENUES)]
fn venue_serde_json_value(bencher: Bencher<'_, '_>, venue: &str) {
    let (frames, _) = venue_frames::frames(venue);
    let count = ItemsCount::new(frames.len());
    bencher.counter(count).bench_local(|| parse(&frames));
}

/// The frames that were read, and the changes of books.
fn decode_and_book(venue: &str, frames: &[Vec<u8>]) -> (usize, usize) {
    let venues = Venues::default().preferring(std::iter::once(venue));
    let instruments = Instruments::new(&[], 64);
    let mut decoder = Decoder::new(instruments, market::MAX_FRAME_BYTES).with_venues(venues);
    let mut books: Vec<Book> = vec![];
    let mut batch = Batch::default();
    let (mut read, mut changes) = (0, 0);
    for (number, frame) in (0..).zip(frames) {
        batch.clear();
        let decoded = decoder.decode(market::origin(number), frame, &mut batch);
        read += usize::from(decoded.is_ok());
        for event in &batch.events {
            let Body::Depth(depth) = event.body else {
                continue;
            };
            let at = event.instrument.index();
            if at >= books.len() {
                books.resize_with(at + 1, Book::default);
            }
            let (bids, asks) = batch.levels(&depth);
            let applied = books[at].apply(&depth, bids, asks, event.ts_event);
            let changed = matches!(applied, Applied::Changed | Applied::Spliced { .. });
            changes += usize::from(changed);
        }
    }
    (read, changes)
}

fn parse(frames: &[Vec<u8>]) -> usize {
    let mut read = 0;
    for frame in frames {
        let value: Result<serde_json::Value, _> = serde_json::from_slice(frame);
        read += usize::from(black_box(&value).is_ok());
    }
    read
}

/// Prints messages of each venue in a second of processor time: ours, those of the parser, and the ratio.
/// Both in turns, the fastest round of each: other rounds measure other processes.
fn compare_venues() {
    println!("\nmessages in a CPU-second | frames | decode + book | serde_json::Value | ratio");
    for venue in venue_frames::VENUES {
        let (frames, is_recorded) = venue_frames::frames(venue);
        let (read, changes) = decode_and_book(venue, &frames);
        let (mut ours, mut parser) = (Duration::MAX, Duration::MAX);
        let begin = cpu_time();
        while cpu_time() - begin < COMPARED_FOR {
            ours = ours.min(timed(|| decode_and_book(venue, &frames)));
            parser = parser.min(timed(|| parse(&frames)));
        }
        let rate = |time: Duration| frames.len() as f64 / time.as_secs_f64();
        println!(
            "{venue} | {} {}, {read} read, {changes} changes | {:.0} | {:.0} | {:.2}",
            frames.len(),
            if is_recorded { "recorded" } else { "made up" },
            rate(ours),
            rate(parser),
            rate(ours) / rate(parser),
        );
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let begin = cpu_time();
    black_box(work());
    cpu_time() - begin
}

/// Processor time of this thread.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// How long the two are compared for each venue.
const COMPARED_FOR: Duration = Duration::from_secs(2);

/// Binance's messages of all kinds, and our own trades topic.
const FORMATS: [&str; 2] = ["binance", "md.trades"];
const BATCH: i64 = 256;

fn frames(format: &str) -> Vec<Vec<u8>> {
    match format {
        "binance" => market::capture(),
        _ => market::trade_records(),
    }
}
