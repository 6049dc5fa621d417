//! The measurement: our windows and ONNX Runtime's in turns of some milliseconds, over the same rows.
//!
//! Each finds its data as cold as where it runs alone: in each turn the first item of its kind is not
//! counted; our step and the floor come right after deferred steps, and ONNX Runtime's window right after
//! another window. Nothing is subtracted: each latency includes two readings of the clock, and their cost is
//! reported beside it.

use std::time::Duration;

use super::full_window_run::{FreshWindowRun, FullWindowRun};
use super::measurement::Measurement;
use super::options::BenchOptions;
use super::sliding_run::SlidingRun;
use super::tape::Tape;
use super::timing::{clock_cost, histogram, record};
use crate::clock;
use crate::model::ModelError;
use crate::model::onnx::Onnx;
use crate::model::slide::{PackedNetwork, SlidingWindows};
use crate::model::strategy::{Strategy, difference};

/// Measures the chosen strategy, and ONNX Runtime's whole windows in turns with it.
pub(super) fn measure(
    strategy: &Strategy,
    onnx: Onnx,
    tape: &Tape,
    options: &BenchOptions,
) -> Result<Measurement, ModelError> {
    let whole = FullWindowRun::new(onnx, tape);
    match (&strategy.network, strategy.sliding_windows(options.stride)) {
        (Some(network), Some(windows)) => measure_sliding(network, windows, whole, options),
        _ => measure_whole(whole, options),
    }
}

/// Sliding windows and whole ones, in turns.
fn measure_sliding(
    network: &PackedNetwork,
    windows: SlidingWindows,
    mut whole: FullWindowRun<'_>,
    options: &BenchOptions,
) -> Result<Measurement, ModelError> {
    let tape = whole.tape;
    let mut ours = SlidingRun::new(network, windows, tape, options.instruments);
    while !ours.turns.have_taken(tape.rows_before_due()) {
        ours.tick();
    }
    // The first window, so that there is one to compare with.
    ours.tick();
    let (mut latencies, mut processor, mut whole_windows, mut fresh_windows) = (2, 2, 1, 1);
    let mut fresh = FreshWindowRun::new(network, tape);
    let until = clock::instant() + options.time;
    let mut rounds = 0;
    while rounds < ROUNDS_MIN || clock::instant() < until {
        fill_turn(&mut latencies, |count| ours.latencies(count.max(ROWS_MIN)));
        fill_turn(&mut processor, |count| ours.processor(count));
        fill_turn(&mut whole_windows, |count| {
            let until = ours.windows_scored().min(whole.windows() + count);
            whole.score_until(until, count)
        })?;
        if options.fresh {
            let numbers = (0..ours.windows_scored()).rev().cycle();
            fill_turn(&mut fresh_windows, |count| fresh.score(numbers.take(count)));
        }
        rounds += 1;
    }
    if tape.from_file {
        ours.turns.keep_first();
        while ours.windows_scored() < tape.windows() {
            ours.tick();
        }
        whole.score_until(ours.windows_scored(), 0)?;
    }
    let (compared, outputs) = (whole.compared(), whole.onnx.outputs());
    let [our_scores, ort_scores] =
        [&ours.scores, &whole.scores].map(|of| &of[..compared * outputs]);
    let max_rel_diff = difference(our_scores, ort_scores);
    let bytes_per_instrument = ours.bytes_per_instrument();
    Ok(Measurement {
        critical: ours.critical,
        deferred: ours.deferred,
        ort: whole.latency,
        fresh: fresh.latency,
        floor: ours.floor,
        clock: clock_cost(),
        cpu: [
            ours.cpu.per_item(),
            whole.cpu.per_item() / options.stride as f64,
        ],
        outputs,
        compared,
        max_rel_diff: max_rel_diff.max(ours.max_rel_diff),
        bytes_per_instrument,
        scores: ours.scores,
    })
}

/// Whole windows alone: nothing slides.
fn measure_whole(
    mut whole: FullWindowRun<'_>,
    options: &BenchOptions,
) -> Result<Measurement, ModelError> {
    let tape = whole.tape;
    let until = clock::instant() + options.time;
    let (mut windows, mut rounds) = (1, 0);
    while rounds < ROUNDS_MIN
        || clock::instant() < until
        || tape.from_file && whole.windows() < tape.windows()
    {
        fill_turn(&mut windows, |count| {
            whole.score_until(whole.windows() + count, 0)
        })?;
        rounds += 1;
    }
    let each = whole.cpu.per_item() / options.stride as f64;
    let (outputs, compared) = (whole.onnx.outputs(), whole.compared());
    let mut deferred = histogram();
    record(&mut deferred, Duration::ZERO);
    Ok(Measurement {
        critical: whole.latency.clone(),
        deferred,
        ort: whole.latency,
        fresh: histogram(),
        floor: histogram(),
        clock: clock_cost(),
        cpu: [each, each],
        outputs,
        compared,
        scores: whole.scores,
        max_rel_diff: 0.0,
        // The engine keeps the rows of a window twice, so that each window lies in one piece.
        bytes_per_instrument: 2 * size_of_val(tape.window(0)),
    })
}

/// Turns of each kind at least, however long one takes.
const ROUNDS_MIN: usize = 3;

/// Rows in a turn of latencies at least, so that a model that fills a turn with one row has figures too.
const ROWS_MIN: usize = 8;

/// How long a turn is to take.
const TURN: Duration = Duration::from_millis(20);

/// Does `count` items of work, and sets `count` to the number that fills a turn.
fn fill_turn<T>(count: &mut usize, work: impl FnOnce(usize) -> T) -> T {
    let begin = clock::instant();
    let done = work(*count);
    let fits = *count as f64 * TURN.as_secs_f64() / begin.elapsed().as_secs_f64().max(1e-9);
    *count = (fits as usize).clamp(1, 16 * *count);
    done
}
