//! Late events that are put in their place: the last revision of each signal is the signal of a run in which
//! all events had come in the order of their times.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use foretick::command::diff::{DiffOptions, diff};
use foretick::engine::Engine;
use foretick::engine::row::EventCounts;
use foretick::engine::state::EngineState;
use foretick::event::{Batch, Body};
use foretick::frame::Origin;
use foretick::instrument::InstrumentId;
use foretick::pipeline::{Loaded, Pipeline};
use foretick::run::replay::{ReplayOptions, replay};
use foretick::signal::Signal;
use foretick::signal::quality::Quality;
use foretick::units::Nanos;

use crate::given::{self, Folder};
use crate::needs;

const MS: i64 = 1_000_000;
const START: i64 = 1_790_000_000_000_000_000;
const LATENESS_MS: i64 = 100;
const CORRECT_MS: i64 = 3_000;
const NAMES: [&str; 3] = ["BTCUSDT.BINANCE", "ETHUSDT.BINANCE", "SOLUSDT.BINANCE"];

/// Numbers that look random, the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    fn of(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.below(2);
        random
    }

    /// How late an event comes, in milliseconds: mostly not at all, seldom too late to be put in its place.
    fn delay(&mut self) -> i64 {
        let most = match self.below(20) {
            0..=12 => 1,
            13..=15 => LATENESS_MS,
            16..=18 => CORRECT_MS,
            _ => 2 * CORRECT_MS,
        };
        self.below(most as u64) as i64
    }
}

/// A frame, and when it was received.
type Received = (i64, String);

/// What a session of made-up events has.
#[derive(Clone, Copy)]
struct Session {
    seed: u64,
    events: u64,
    symbols: u64,
    /// Trades have successive numbers.
    numbered: bool,
    /// Lost connections and gaps.
    gaps: bool,
    bars: bool,
    /// Silences of a second and ticks.
    ticks: bool,
}

/// Events of several instruments in the order in which they are received.
fn session(given: Session) -> Vec<Received> {
    let mut random = Random::of(given.seed);
    let mut all: Vec<(i64, i64, String)> = vec![];
    let (mut at, mut numbers) = (START, vec![0_u64; given.symbols as usize]);
    let mut books = vec![1_u64; given.symbols as usize];
    for symbol in 0..given.symbols {
        all.push((at, at, snapshot(symbol as usize, at, 1)));
    }
    for _ in 0..given.events {
        // Some events have the same time.
        at += [0, 1, 7, 30][random.below(4) as usize] * MS;
        if given.ticks && random.below(25) == 0 {
            at += 1_200 * MS;
            let tick = format!(r#"{{"foretick":"tick","ts":{at}}}"#);
            all.push((at, at, tick));
        }
        let symbol = random.below(given.symbols) as usize;
        let name = NAMES[symbol];
        let head = format!(r#"{{"ts_event":{at},"symbol":"{name}""#);
        let price = 99 + random.below(3);
        let (size, bid) = (1 + random.below(9), 97 + random.below(3));
        let mut delay = random.delay() * MS;
        let line = match random.below(20) {
            0..=9 if given.bars => {
                let close = price + random.below(2);
                format!(
                    r#"{head},"open":{price},"high":{},"low":{price},"close":{close},"volume":{size}}}"#,
                    close + 1
                )
            }
            0..=9 => {
                numbers[symbol] += 1;
                let number = if given.numbered { numbers[symbol] } else { 0 };
                let side = ["buy", "sell"][random.below(2) as usize];
                format!(
                    r#"{head},"price":"{price}","size":"{size}","side":"{side}","trade_id":{number}}}"#
                )
            }
            10..=14 => {
                // A side may be withdrawn.
                let bid_sz = if random.below(150) == 0 { 0 } else { size };
                format!(
                    r#"{head},"bid_px":{bid},"bid_sz":{bid_sz},"ask_px":{},"ask_sz":{size}}}"#,
                    bid + 1 + random.below(3)
                )
            }
            15 if given.gaps && random.below(3) == 0 => {
                delay = 0;
                match random.below(3) {
                    0 => {
                        let gap = r#"{"foretick":"gap","reason":"reconnect","missing":0}"#;
                        all.push((at, at, gap.into()));
                        for (symbol, number) in books.iter_mut().enumerate() {
                            *number += 1;
                            all.push((at, at, snapshot(symbol, at, *number)));
                        }
                        continue;
                    }
                    1 => format!(
                        r#"{{"foretick":"gap","symbol":"{name}","reason":"overflow","missing":2}}"#
                    ),
                    _ => {
                        books[symbol] += 1;
                        snapshot(symbol, at, books[symbol])
                    }
                }
            }
            _ => {
                delay = 0;
                books[symbol] += 1;
                let number = books[symbol];
                format!(
                    r#"{head},"first_sequence":{number},"sequence":{number},"snapshot":false,"bids":[[{bid},{size}]],"asks":[[{},{}]]}}"#,
                    101 + random.below(3),
                    1 + random.below(4)
                )
            }
        };
        all.push((at + delay, at, line));
    }
    all.sort_by_key(|(received, ..)| *received);
    all.into_iter().map(|(at, _, line)| (at, line)).collect()
}

/// A whole book.
fn snapshot(symbol: usize, at: i64, number: u64) -> String {
    let name = NAMES[symbol];
    format!(
        r#"{{"ts_event":{at},"symbol":"{name}","first_sequence":{number},"sequence":{number},"snapshot":true,"bids":[[99,3],[98,2],[97,5]],"asks":[[101,2],[102,4],[103,1]]}}"#
    )
}

fn origin(number: usize, received: i64) -> Origin {
    Origin {
        ts_recv: Nanos(received),
        offset: number as i64,
        partition: 0,
        stream: 0,
        late: false,
        reprocessed: false,
    }
}

/// The instrument of a frame, its time, whether it may be put in its place, and whether it is a tick.
type Decoded = (String, i64, bool, bool);

/// What each frame is; none without an event.
fn decoded(pipeline: &Pipeline, frames: &[Received]) -> Vec<Option<Decoded>> {
    let mut decoder = pipeline.decoder();
    let mut all = vec![];
    for (number, (received, frame)) in frames.iter().enumerate() {
        let mut batch = Batch::default();
        let _read = decoder.decode(origin(number, *received), frame.as_bytes(), &mut batch);
        assert!(batch.events.len() < 2, "one event a frame");
        all.push(batch.events.first().map(|event| {
            let name = match event.instrument {
                InstrumentId::ALL => String::new(),
                instrument => decoder.instruments().name(instrument).to_owned(),
            };
            let has_place = matches!(event.body, Body::Trade(_) | Body::Quote(_) | Body::Bar(_));
            (
                name,
                event.ts_event.0,
                has_place && event.ts_event != Nanos::UNDEFINED,
                event.body == Body::Tick,
            )
        }));
    }
    all
}

/// The numbers of an instrument's frames in the order of their times, which is that of an independent model.
fn in_order(all: &[Option<Decoded>], instrument: &str) -> Vec<usize> {
    let (mut latest, mut placed) = (i64::MIN, vec![]);
    for (number, event) in all.iter().enumerate() {
        let Some((name, ts, has_place, is_tick)) = event else {
            continue;
        };
        if name != instrument && !name.is_empty() {
            continue;
        }
        let late_by = latest.saturating_sub(*ts);
        let is_late = late_by > LATENESS_MS * MS && late_by <= CORRECT_MS * MS;
        if *ts != Nanos::UNDEFINED.0 && !(*has_place && is_late) && !is_tick {
            latest = latest.max(*ts);
        }
        let is_placed = *has_place && is_late;
        placed.push((if is_placed { *ts } else { latest }, number));
    }
    placed.sort_by_key(|(at, _)| *at);
    placed.into_iter().map(|(_, number)| number).collect()
}

/// What is compared of a signal.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    ts_event: i64,
    outputs: Vec<u64>,
    quality: Quality,
    origin: Origin,
}

/// A signal's identity, as published.
type Id = (String, String);

fn seen(signal: &Signal) -> Seen {
    Seen {
        ts_event: signal.ts_event.0,
        outputs: signal.outputs.iter().map(|x| x.to_bits()).collect(),
        quality: signal.quality,
        origin: signal.origin,
    }
}

/// How a run goes.
struct How<'a> {
    /// Frames in each batch, in turns.
    batches: &'a [usize],
    /// After how many frames the state is written and read back.
    restart: Option<usize>,
    /// Do deferred work between batches.
    defers: bool,
}

/// Each signal as it was made, with its identity and its revision.
fn run(
    (pipeline, loaded): &(Pipeline, Loaded),
    frames: &[Received],
    order: &[usize],
    how: &How<'_>,
) -> (Vec<(Id, u32, Seen)>, EventCounts) {
    let new = || loaded.engine().expect("it was loaded before");
    let (mut engine, mut decoder): (Engine, _) = (new(), pipeline.decoder());
    let (mut made, mut taken, mut turn) = (vec![], 0, 0);
    let mut counts = EventCounts::default();
    while taken < order.len() {
        let most = how.batches[turn % how.batches.len()];
        let mut end = (taken + most).min(order.len());
        if let Some(restart) = how.restart.filter(|restart| *restart > taken) {
            end = end.min(restart);
        }
        turn += 1;
        let mut batch = Batch::default();
        for &number in &order[taken..end] {
            let (received, frame) = &frames[number];
            let at = origin(number, *received);
            let _read = decoder.decode(at, frame.as_bytes(), &mut batch);
        }
        taken = end;
        let mut signals = vec![];
        engine.step(&batch, &mut signals).expect("the model works");
        for signal in &signals {
            let name = decoder.instruments().name(signal.instrument);
            let id = loaded.lineage.signal_id(signal, name);
            made.push(((name.to_owned(), id), signal.revision, seen(signal)));
        }
        if how.defers && turn % 3 == 0 {
            engine.run_deferred_work(|| false);
        }
        if how.restart == Some(taken) {
            counts += engine.counts();
            let bytes = postcard::to_stdvec(engine.state()).expect("a state can be written");
            let state: EngineState = postcard::from_bytes(&bytes).expect("it can be read back");
            engine = new();
            engine.restore(state).expect("it is of the same model");
        }
    }
    counts += engine.counts();
    (made, counts)
}

/// Runs a pipeline with corrections, and one over the same events in order. Returns the corrections, and how
/// many signals were taken back.
fn compare(path: &Path, set: &[&str], frames: &[Received], seed: u64) -> (u64, usize) {
    let mut set: Vec<String> = set.iter().map(|one| (*one).to_owned()).collect();
    set.push(format!("source.lateness_ms={LATENESS_MS}"));
    let load = |set: &[String], more: &[&str]| {
        let set = set.iter().map(String::as_str).chain(more.iter().copied());
        let pipeline = given::load(path, &set.collect::<Vec<_>>());
        let loaded = pipeline.load_model().expect("the model is sound");
        (pipeline, loaded)
    };
    let within = format!("row.correct_ms={CORRECT_MS}");
    let correcting = load(&set, &["row.late=\"correct\"", &within]);
    let updating = load(&set, &["row.late=\"update\""]);
    let all = decoded(&correcting.0, frames);
    let names: BTreeSet<&str> = all
        .iter()
        .flatten()
        .map(|event| &*event.0)
        .filter(|name| !name.is_empty())
        .collect();

    let mut random = Random::of(seed);
    let arrival: Vec<usize> = (0..frames.len()).collect();
    let single = How {
        batches: &[1],
        restart: None,
        defers: false,
    };
    let (made, counts) = run(&correcting, frames, &arrival, &single);
    let sizes: Vec<usize> = (0..7).map(|_| 1 + random.below(200) as usize).collect();
    let restart = Some(1 + random.below(frames.len() as u64 - 1) as usize);
    for how in [
        How {
            batches: &sizes,
            restart: None,
            defers: true,
        },
        How {
            batches: &[3, 50],
            restart,
            defers: true,
        },
        How {
            batches: &[usize::MAX / 2],
            restart: None,
            defers: false,
        },
    ] {
        let (again, counts_again) = run(&correcting, frames, &arrival, &how);
        assert_eq!(made.len(), again.len());
        let differs = made.iter().zip(&again).position(|(a, b)| a != b);
        let of_instrument = |all: &[(Id, u32, Seen)], name: &str| -> Vec<(Id, u32, Seen)> {
            all.iter().filter(|one| one.0.0 == name).cloned().collect()
        };
        if differs.is_some() {
            for name in &names {
                assert_eq!(
                    of_instrument(&made, name),
                    of_instrument(&again, name),
                    "{name}"
                );
            }
        }
        assert_eq!(counts, counts_again);
    }

    let (mut last, mut corrections) = (BTreeMap::<Id, (u32, Seen)>::new(), 0);
    for (id, revision, seen) in made {
        match last.get(&id) {
            None => assert_eq!(revision, 0, "{id:?}"),
            Some((before, old)) => {
                assert_eq!(revision, before + 1, "{id:?}");
                assert_eq!(old.ts_event, seen.ts_event, "{id:?}");
                assert_ne!(*old, seen, "a correction corrects something");
                corrections += 1;
            }
        }
        last.insert(id, (revision, seen));
    }
    assert_eq!(counts.corrected_signals, corrections);
    assert!(counts.late_corrections > 0 && counts.late_updates > 0);
    assert_eq!(counts.late_unplaced, 0);

    let mut expected = BTreeMap::<Id, Seen>::new();
    for name in names {
        let (signals, _) = run(&updating, frames, &in_order(&all, name), &single);
        let own = signals.into_iter().filter(|(id, ..)| id.0 == name);
        expected.extend(own.map(|(id, _, seen)| (id, seen)));
    }
    let ticks: BTreeSet<i64> = all
        .iter()
        .zip(0..)
        .filter(|(event, _)| event.as_ref().is_some_and(|event| event.3))
        .map(|(_, number)| number)
        .collect();
    let repeats = last
        .values()
        .filter(|(_, seen)| ticks.contains(&seen.origin.offset));
    let repeats = repeats.filter(|(revision, _)| *revision > 0).count();
    assert!(
        ticks.is_empty() || repeats > 5,
        "{repeats} repeats were corrected"
    );
    let mut taken_back = 0;
    for (id, (revision, seen)) in &last {
        match expected.remove(id) {
            Some(right) => assert_eq!(*seen, right, "{id:?}, revision {revision}"),
            // Whether a tick found silence depends on what had been received by then.
            None if ticks.contains(&seen.origin.offset) => {}
            None => {
                assert_eq!(seen.quality, Quality::Gap, "{id:?}, revision {revision}");
                taken_back += 1;
            }
        }
    }
    let is_tick = |seen: &Seen| ticks.contains(&seen.origin.offset);
    expected.retain(|_, seen| !is_tick(seen));
    assert_eq!(expected, BTreeMap::new(), "no signal is missing");
    (corrections, taken_back)
}

#[test]
fn every_kind_of_feature_is_corrected() {
    let folder = Folder::new("corrected-kinds");
    let path = folder.write("pipeline.toml", given::EVERY_KIND);
    let (mut corrections, mut taken_back) = (0, 0);
    for seed in 1..=12 {
        let on = ["row.on=\"trade\"", "row.on=\"quote\"", "row.on=\"book\""][seed as usize % 3];
        let normalise = ["model.normalise=\"expanding\"", "model.normalise=\"none\""];
        let warming = ["row.while_warming=true", "row.while_warming=false"];
        let ticks = seed % 3 == 1;
        let steps = ["model.steps=1", "model.steps=6"][seed as usize / 2 % 2];
        let stale = ["row.stale_after_ms=2000", "row.stale_after_ms=400"][usize::from(ticks)];
        let set = [
            on,
            stale,
            steps,
            normalise[seed as usize / 3 % 2],
            warming[seed as usize % 2],
        ];
        let frames = session(Session {
            seed,
            events: 1_200,
            symbols: 1 + seed % 3,
            numbered: seed % 4 < 2,
            gaps: seed % 2 == 0,
            bars: false,
            ticks,
        });
        let (corrected, back) = compare(&path, &set, &frames, seed);
        corrections += corrected;
        taken_back += back;
    }
    assert!(corrections > 5_000, "{corrections}");
    assert!(taken_back > 10, "{taken_back}");
}

/// Late trades change the flow in the rows of book changes; a window has 50 of these.
#[test]
fn windows_of_an_onnx_model_are_corrected() {
    let test = "windows_of_an_onnx_model_are_corrected";
    let path = given::repository("pipelines/price-direction");
    if !needs::onnx(test) || !needs::file(test, &path.join("model.onnx")) {
        return;
    }
    let mut corrections = 0;
    for (seed, window, on) in [
        (1, "auto", "book"),
        (2, "plain", "trade"),
        (3, "auto", "trade"),
    ] {
        let frames = session(Session {
            seed,
            events: 700,
            symbols: 1 + seed % 2,
            numbered: seed % 2 == 0,
            gaps: seed == 3,
            bars: false,
            ticks: false,
        });
        let set = [format!("model.window={window}"), format!("row.on=\"{on}\"")];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        corrections += compare(&path, &set, &frames, seed).0;
    }
    assert!(corrections > 1_000, "{corrections}");
}

/// The same by the command, on several shards. Its file of signals is equal to that of the events in order,
/// as `diff` reads it.
#[test]
fn replays_on_several_shards_give_the_same_corrections() {
    let folder = Folder::new("corrected-shards");
    let path = folder.write("pipeline.toml", given::EVERY_KIND);
    let frames = session(Session {
        seed: 7,
        events: 1_500,
        symbols: 3,
        numbered: false,
        gaps: false,
        bars: false,
        ticks: false,
    });
    let write = |name: &str, order: &mut dyn Iterator<Item = usize>| {
        let line = |number: usize| format!("{} {}\n", frames[number].0, frames[number].1);
        folder.write(name, order.map(line).collect::<String>())
    };
    let arrival = write("arrival", &mut (0..frames.len()));
    let all = decoded(&given::load(&path, &[]), &frames);
    let in_order = write(
        "in-order",
        &mut NAMES.iter().flat_map(|name| in_order(&all, name)),
    );
    let lateness = format!("source.lateness_ms={LATENESS_MS}");
    let within = format!("row.correct_ms={CORRECT_MS}");
    let run = |input: &Path, output: &str, shards: &str, batch: &str, late: &[&str]| {
        let set = [&[&*lateness, "row.on=\"trade\"", shards, batch], late].concat();
        let options = ReplayOptions {
            inputs: vec![input.to_owned()],
            output: Some(folder.path(output)),
            ..ReplayOptions::default()
        };
        replay(&given::load(&path, &set), &options).expect("a sound replay")
    };
    let correct = ["row.late=\"correct\"", &*within];
    let first = run(
        &arrival,
        "first",
        "engine.shards=1",
        "engine.batch=1",
        &correct,
    );
    assert!(
        first.events.engine.corrected_signals > 500,
        "{:?}",
        first.events.engine
    );
    for (shards, batch) in [(3, 1), (3, 64), (2, 4_096), (1, 4_096)] {
        let (shards, batch) = (
            format!("engine.shards={shards}"),
            format!("engine.batch={batch}"),
        );
        let again = run(&arrival, "again", &shards, &batch, &correct);
        assert_eq!(first.digest, again.digest, "{shards} {batch}");
        assert_eq!(first.events.engine, again.events.engine);
        assert!(again.frames.balances());
    }
    let (shards, batch) = ("engine.shards=1", "engine.batch=256");
    let ordered = run(&in_order, "ordered", shards, batch, &[]);
    let nothing_late = run(&in_order, "nothing-late", shards, batch, &correct);
    assert_eq!(ordered.digest, nothing_late.digest);
    let report = diff(
        &folder.path("first"),
        &folder.path("ordered"),
        DiffOptions::default(),
    );
    let report = report.expect("both are signals");
    assert!(report.equal && report.equal_pairs > 500, "{report:?}");
}

/// The last 65,536 events have a place, whatever the batches; a copy of a trade needs none.
#[test]
fn the_events_that_are_kept_are_bounded() {
    let folder = Folder::new("corrected-bounded");
    let set = [
        "source.lateness_ms=0",
        "row.late=\"correct\"",
        "row.correct_ms=3600000",
    ];
    let text = BARS
        .split("[[feature]]")
        .next()
        .expect("a head")
        .replace("\"bar\"", "\"trade\"");
    let text = format!(
        "{text}[[feature]]\nname = \"price\"\nkind = \"price\"\n[model]\nkind = \"sum\"\nnormalise = \"none\"\n"
    );
    let pipeline = folder.pipeline(&text, &set);
    let loaded = pipeline.load_model().expect("a sum needs no file");
    let trade = |ms: i64, number: i64| {
        let ts = START + ms * MS;
        let line = format!(
            r#"{{"ts_event":{ts},"symbol":"A.X","price":"{}","size":"1","side":"buy","trade_id":{number}}}"#,
            1 + number % 9
        );
        (START + 100_000 * MS, line)
    };
    let mut frames: Vec<Received> = (0..70_000).map(|ms| trade(ms, 2 * ms + 1)).collect();
    let first = 70_000 - (1 << 16);
    frames.extend([
        trade(first - 3, 2 * first - 4), // before the events kept
        trade(first + 1, 2 * first + 3), // a copy
        trade(first + 1, 2 * first + 4), // in its place; one event more is given up
        trade(69_999, 139_999),          // a copy, in time
    ]);
    let order: Vec<usize> = (0..frames.len()).collect();
    let both = (pipeline, loaded);
    let mut all = vec![];
    for batches in [&[256][..], &[70_000], &[usize::MAX / 2]] {
        let how = How {
            batches,
            restart: None,
            defers: false,
        };
        let (made, counts) = run(&both, &frames, &order, &how);
        assert_eq!(
            (
                counts.late_corrections,
                counts.late_unplaced,
                counts.late_updates
            ),
            (1, 1, 1)
        );
        assert_eq!(
            counts.duplicates, 3,
            "two copies, and one whose number is below the last"
        );
        all.push(made);
    }
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0], all[2]);
    // The trade in its place, and the one after it, before which none is missing any more.
    let revisions: Vec<u32> = all[0][70_000..]
        .iter()
        .map(|(_, revision, _)| *revision)
        .collect();
    assert_eq!(revisions[0], 0);
    assert!(revisions.len() < 10, "{revisions:?}");
}

#[test]
fn bars_are_corrected() {
    let folder = Folder::new("corrected-bars");
    let path = folder.write("pipeline.toml", BARS);
    let mut corrections = 0;
    for seed in 1..=6 {
        let frames = session(Session {
            seed,
            events: 900,
            symbols: 2,
            numbered: true,
            gaps: seed % 2 == 0,
            bars: true,
            ticks: false,
        });
        corrections += compare(&path, &[], &frames, seed).0;
    }
    assert!(corrections > 1_000, "{corrections}");
}

const BARS: &str = r#"
name = "bars"
[row]
on = "bar"
[[feature]]
name = "close"
kind = "close"
[[feature]]
name = "return"
kind = "log_return"
of = "close"
[[feature]]
name = "slow"
kind = "ema"
of = "close"
alpha = 0.1
[[feature]]
name = "high"
kind = "high"
hidden = true
[[feature]]
name = "range"
kind = "max"
of = "high"
window = 10
[model]
kind = "sum"
normalise = "expanding"
"#;
