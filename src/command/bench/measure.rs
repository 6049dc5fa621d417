//! The measuring: our windows and ONNX Runtime's in turns of some milliseconds, over the same rows.
//!
//! None of them finds its data warmer than where it runs alone: in each turn the first of its kind is not
//! counted, our step and the floor both come right after deferred steps, and ONNX Runtime's window right
//! after another. Subtracts nothing: two readings of the clock are in every latency, and what they cost
//! is stated beside.

use std::hint::black_box;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::Options;
use super::rows::{Tape, Turns};
use crate::clock;
use crate::model::onnx::Onnx;
use crate::model::slide::recurrent::packed::{PackedRecurrent, Scratch};
use crate::model::slide::request::WindowRequest;
use crate::model::slide::state::SlideStateTable;
use crate::model::slide::{PackedNetwork, SlidingWindows};
use crate::model::strategy::{Way, difference};
use crate::model::{Model, ModelError};

/// What was found.
pub(super) struct Measured {
    /// Row given to score known.
    pub(super) critical: Histogram<u64>,
    /// The steps put off until after it.
    pub(super) deferred: Histogram<u64>,
    /// A whole window by ONNX Runtime.
    pub(super) ort: Histogram<u64>,
    /// A whole window by our kernels.
    pub(super) fresh: Histogram<u64>,
    /// Reading the input weights.
    pub(super) floor: Histogram<u64>,
    /// Two readings of the clock with nothing between.
    pub(super) clock: Histogram<u64>,
    /// Processor time of a row, in nanoseconds: ours, ONNX Runtime's.
    pub(super) cpu: [f64; 2],
    /// Of each window in turn.
    pub(super) scores: Vec<f64>,
    /// Numbers that a window gives.
    pub(super) outputs: usize,
    /// Windows scored both ways.
    pub(super) compared: usize,
    /// Largest difference from ONNX Runtime's scores, relative to the largest of them.
    pub(super) apart: f64,
    /// State that an instrument takes.
    pub(super) bytes_per_instrument: usize,
}

/// Measures the chosen way beside ONNX Runtime.
pub(super) fn measure(
    way: &Way,
    onnx: Onnx,
    tape: &Tape,
    options: &Options,
) -> Result<Measured, ModelError> {
    let whole = Whole::new(onnx, tape);
    match (&way.network, way.sliding_windows(options.every)) {
        (Some(network), Some(slide)) => slid(network, slide, whole, options),
        _ => plain(whole, options),
    }
}

/// Windows of which both ways are measured, in turns.
fn slid(
    network: &PackedNetwork,
    slide: SlidingWindows,
    mut whole: Whole<'_>,
    options: &Options,
) -> Result<Measured, ModelError> {
    let tape = whole.tape;
    let mut ours = Ours::new(network, slide, tape, options.instruments);
    while !ours.turns.have_taken(tape.before_due()) {
        ours.tick();
    }
    // The first window, so that there is one to compare.
    ours.tick();
    let (mut ticks, mut stretch, mut windows, mut afresh) = (2, 2, 1, 1);
    let mut fresh = Fresh::new(network, tape);
    let until = clock::instant() + options.time;
    let mut rounds = 0;
    while rounds < ROUNDS_MIN || clock::instant() < until {
        paced(&mut ticks, |count| ours.latencies(count.max(TICKS_MIN)));
        paced(&mut stretch, |count| ours.processor(count));
        paced(&mut windows, |count| {
            let until = ours.windows().min(whole.windows() + count);
            whole.follow(until, count)
        })?;
        if options.fresh {
            let numbers = (0..ours.windows()).rev().cycle();
            paced(&mut afresh, |count| fresh.score(numbers.take(count)));
        }
        rounds += 1;
    }
    if tape.given {
        ours.turns.leave_the_first();
        while ours.windows() < tape.windows() {
            ours.tick();
        }
        whole.follow(ours.windows(), 0)?;
    }
    let (compared, outputs) = (whole.compared(), whole.onnx.outputs());
    let [mine, theirs] = [&ours.scores, &whole.scores].map(|of| &of[..compared * outputs]);
    let apart = difference(mine, theirs);
    Ok(Measured {
        critical: ours.critical,
        deferred: ours.deferred,
        ort: whole.latency,
        fresh: fresh.latency,
        floor: ours.floor,
        clock: clock_cost(),
        cpu: [ours.cpu.each(), whole.cpu.each() / options.every as f64],
        outputs,
        compared,
        scores: ours.scores,
        apart: apart.max(ours.apart),
        bytes_per_instrument: ours.slide.bytes_per_key(),
    })
}

/// Windows that ONNX Runtime computes either way.
fn plain(mut whole: Whole<'_>, options: &Options) -> Result<Measured, ModelError> {
    let tape = whole.tape;
    let until = clock::instant() + options.time;
    let (mut windows, mut rounds) = (1, 0);
    while rounds < ROUNDS_MIN
        || clock::instant() < until
        || tape.given && whole.windows() < tape.windows()
    {
        paced(&mut windows, |count| {
            whole.follow(whole.windows() + count, 0)
        })?;
        rounds += 1;
    }
    let each = whole.cpu.each() / options.every as f64;
    let (outputs, compared) = (whole.onnx.outputs(), whole.compared());
    let mut deferred = histogram();
    record(&mut deferred, Duration::ZERO);
    Ok(Measured {
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
        apart: 0.0,
        // The engine keeps a window's rows twice over, so that each window lies in one piece.
        bytes_per_instrument: 2 * size_of_val(tape.window(0)),
    })
}

/// Turns of each kind at least, however long they take.
const ROUNDS_MIN: usize = 3;

/// Rows in a turn of latencies at least: a model that fills the turn with one should have figures too.
const TICKS_MIN: usize = 8;

/// How long a turn is to take.
const TURN: Duration = Duration::from_millis(20);

/// Does so many of something, and finds how many of it fill a turn.
fn paced<T>(count: &mut usize, work: impl FnOnce(usize) -> T) -> T {
    let begin = clock::instant();
    let done = work(*count);
    let fits = *count as f64 * TURN.as_secs_f64() / begin.elapsed().as_secs_f64().max(1e-9);
    *count = (fits as usize).clamp(1, 16 * *count);
    done
}

/// Our path: instruments in random order, each row a step and the deferred steps after it.
struct Ours<'a> {
    network: &'a PackedNetwork,
    slide: SlidingWindows,
    states: SlideStateTable,
    tape: &'a Tape,
    turns: Turns,
    /// Scores of the row last given.
    given: Vec<f64>,
    scores: Vec<f64>,
    apart: f64,
    critical: Histogram<u64>,
    deferred: Histogram<u64>,
    floor: Histogram<u64>,
    cpu: Cpu,
}

impl<'a> Ours<'a> {
    fn new(
        network: &'a PackedNetwork,
        slide: SlidingWindows,
        tape: &'a Tape,
        instruments: usize,
    ) -> Self {
        Self {
            network,
            slide,
            states: SlideStateTable::new(),
            tape,
            turns: Turns::new(instruments),
            given: vec![],
            scores: vec![],
            apart: 0.0,
            critical: histogram(),
            deferred: histogram(),
            floor: histogram(),
            cpu: Cpu::default(),
        }
    }

    fn windows(&self) -> usize {
        self.scores.len() / self.network.outputs()
    }

    /// One row of one instrument, not measured.
    fn tick(&mut self) {
        let (key, row) = self.turns.next();
        let request = self.request(key, row);
        let cells = self.tape.row(row);
        self.slide
            .step(&mut self.states, &[request], cells, &mut self.given);
        self.slide.settle(&mut self.states, || false);
        self.keep(row);
    }

    fn request(&self, key: usize, row: u64) -> WindowRequest {
        let due = self.tape.is_due(row);
        WindowRequest::Row { key, due }
    }

    /// So many rows, each timed alone. Before half of them the floor is read instead: it and a step would
    /// each leave the other's weights warm.
    fn latencies(&mut self, ticks: usize) {
        self.tick();
        for _ in 0..ticks {
            if self.turns.below(2) == 0 {
                let begin = clock::instant();
                black_box(black_box(self.network).read_weights());
                record(&mut self.floor, begin.elapsed());
                self.tick();
                continue;
            }
            let (key, row) = self.turns.next();
            let (request, cells) = (self.request(key, row), self.tape.row(row));
            let begin = clock::instant();
            self.slide
                .step(&mut self.states, &[request], cells, &mut self.given);
            let scored = clock::instant();
            self.slide.settle(&mut self.states, || false);
            let settled = clock::instant();
            if self.tape.is_due(row) {
                record(&mut self.critical, scored - begin);
            }
            record(&mut self.deferred, settled - scored);
            self.keep(row);
        }
    }

    /// So many rows, for the processor time of all of them.
    fn processor(&mut self, ticks: usize) {
        self.tick();
        let begin = clock::thread_cpu();
        for _ in 0..ticks {
            self.tick();
        }
        self.cpu.add(clock::thread_cpu() - begin, ticks);
    }

    /// Keeps the scores of the instrument that comes to a row first; those of the others must be the same.
    fn keep(&mut self, row: u64) {
        if self.given.is_empty() {
            return;
        }
        let at = self.tape.number(row) * self.given.len();
        match self.scores.get(at..at + self.given.len()) {
            Some(known) => self.apart = self.apart.max(difference(&self.given, known)),
            None => self.scores.extend_from_slice(&self.given),
        }
        self.given.clear();
    }
}

/// ONNX Runtime's windows.
struct Whole<'a> {
    onnx: Onnx,
    tape: &'a Tape,
    scores: Vec<f64>,
    /// Scores of windows scored before.
    again: Vec<f64>,
    latency: Histogram<u64>,
    cpu: Cpu,
}

impl<'a> Whole<'a> {
    fn new(onnx: Onnx, tape: &'a Tape) -> Self {
        Self {
            onnx,
            tape,
            scores: vec![],
            again: vec![],
            latency: histogram(),
            cpu: Cpu::default(),
        }
    }

    fn windows(&self) -> usize {
        self.scores.len() / self.onnx.outputs()
    }

    /// Windows whose scores count. Those that reach from the end of a file to its beginning do not.
    fn compared(&self) -> usize {
        let all = if self.tape.given {
            self.tape.windows()
        } else {
            usize::MAX
        };
        self.windows().min(all)
    }

    /// Scores the windows up to the one of number `until`, and of those before again until there are
    /// `least`.
    fn follow(&mut self, until: usize, least: usize) -> Result<(), ModelError> {
        let from = self.windows();
        let again = least.saturating_sub(until - from);
        if from == until && again == 0 {
            return Ok(());
        }
        self.again.clear();
        self.onnx.score(self.tape.window(from), &mut self.again)?;
        let begin = clock::thread_cpu();
        for number in from..until {
            let begin = clock::instant();
            self.onnx
                .score(self.tape.window(number), &mut self.scores)?;
            record(&mut self.latency, begin.elapsed());
        }
        for number in (0..until).rev().cycle().take(again) {
            let begin = clock::instant();
            self.onnx.score(self.tape.window(number), &mut self.again)?;
            record(&mut self.latency, begin.elapsed());
        }
        let taken = clock::thread_cpu() - begin;
        self.cpu.add(taken, until - from + again);
        Ok(())
    }
}

/// Whole new windows by our kernels, of recurrent networks.
struct Fresh<'a> {
    network: Option<&'a PackedRecurrent>,
    tape: &'a Tape,
    rows: Vec<f32>,
    scratch: Scratch,
    scores: Vec<f64>,
    latency: Histogram<u64>,
}

impl<'a> Fresh<'a> {
    fn new(network: &'a PackedNetwork, tape: &'a Tape) -> Self {
        let network = match network {
            PackedNetwork::Recurrent(network) => Some(&**network),
            PackedNetwork::Convolution(_) => None,
        };
        Self {
            network,
            tape,
            rows: vec![0.0; tape.window(0).len()],
            scratch: Scratch::default(),
            scores: vec![],
            latency: histogram(),
        }
    }

    fn score(&mut self, numbers: impl Iterator<Item = usize>) {
        self.scores.clear();
        let Some(network) = self.network else { return };
        for number in numbers {
            let begin = clock::instant();
            let features = self.tape.features();
            let rows = self.tape.window(number).chunks_exact(features);
            for (row, scaled) in rows.zip(self.rows.chunks_exact_mut(features)) {
                network.scale(row, scaled);
            }
            network.score_window(&self.rows, &mut self.scratch, &mut self.scores);
            record(&mut self.latency, begin.elapsed());
        }
    }
}

/// Processor time of so many of something.
#[derive(Debug, Default)]
struct Cpu {
    taken: Duration,
    count: usize,
}

impl Cpu {
    fn add(&mut self, taken: Duration, count: usize) {
        self.taken += taken;
        self.count += count;
    }

    /// Nanoseconds of one.
    fn each(&self) -> f64 {
        self.taken.as_secs_f64() * 1e9 / self.count.max(1) as f64
    }
}

/// What reading the clock twice takes.
fn clock_cost() -> Histogram<u64> {
    let mut cost = histogram();
    for _ in 0..10_000 {
        record(&mut cost, clock::instant().elapsed());
    }
    cost
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 600_000_000_000, 3).expect("the bounds are valid")
}

fn record(histogram: &mut Histogram<u64>, took: Duration) {
    histogram.saturating_record(took.as_nanos() as u64);
}
