//! A burst of rows, open loop: latency from when a row was due to when its score is known.
//!
//! Rows come at a share of what one core sustains, then ten times as fast for 100 ms, then as before: at a
//! third, where the burst is more than three times what the core can do, and at a sixteenth, where it is
//! five eighths of it. They are due whether or not the ones before are done, so that a wait counts for all
//! that was due in it. The order of work is that of a worker: all rows that have come in one step, then
//! deferred steps until the next row is due. Beside it the same without interruption of deferred steps, and
//! ONNX Runtime's windows.

use std::time::Duration;

use foretick::clock;
use foretick::model::Model;
use foretick::model::kernel::Isa;
use foretick::model::onnx;
use foretick::model::onnx::Onnx;
use foretick::model::slide::SlidingWindows;
use foretick::model::slide::request::WindowRequest;
use foretick::model::slide::state::SlideStateTable;
use foretick::model::strategy::{Strategy, WindowMode};
use hdrhistogram::Histogram;

fn main() {
    if let Err(error) = onnx::library::environment() {
        println!("burst: left out: {error}");
        return;
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(MODEL);
    let bytes = std::fs::read(&path).expect("the model lies beside its pipeline");
    let strategy =
        Strategy::choose(&path, &bytes, STEPS, WindowMode::Auto, Isa::best()).expect("it can run");
    let features = strategy.network.as_ref().expect("recognised").features();
    println!("µs from when a row was due: p50, p99, max before, in and after the burst");
    for instruments in [1, 16] {
        println!("\ninstruments: {instruments}");
        let subject = |name, windower| Subject::new(name, windower, features, instruments);
        let whole = Onnx::bare(&bytes, STEPS).expect("it can run");
        let mut slid = subject("slid", Windower::slid(&strategy, true));
        let mut patient = subject("slid, never interrupted", Windower::slid(&strategy, false));
        let mut whole = subject("ONNX Runtime's windows", Windower::whole(whole));
        println!("{:<36}{:>8}", "", "rows/s");
        let (rate, own) = (slid.sustained(), whole.sustained());
        for share in SHARES {
            slid.report(rate / share);
            patient.report(rate / share);
            whole.report(rate / share);
            whole.report(own / share);
        }
    }
}

/// price-direction's: 64 → 32 → dense.
const MODEL: &str = "pipelines/price-direction/model.onnx";
const STEPS: usize = 50;

/// Phases before, in and after the burst: how long, and how many times the mean rate.
const PHASES: [(Duration, f64); 3] = [
    (Duration::from_millis(300), 1.0),
    (Duration::from_millis(100), 10.0),
    (Duration::from_millis(600), 1.0),
];

/// What the mean rates are of the sustained one: one in so many.
const SHARES: [f64; 2] = [3.0, 16.0];

/// Bursts that are measured, one after the other.
const BURSTS: usize = 5;

/// Rows over which the sustained rate is taken.
const SUSTAINED: u32 = 5_000;

/// A row of an instrument, numbered from 1.
struct Row {
    key: usize,
    number: usize,
}

/// What keeps the windows.
enum Windower {
    Slid {
        slide: Box<SlidingWindows>,
        states: SlideStateTable,
        interrupted: bool,
    },
    /// The last rows of each instrument twice over, so that a window lies in one piece.
    Whole {
        onnx: Box<Onnx>,
        rings: Vec<Vec<f64>>,
    },
}

impl Windower {
    fn slid(strategy: &Strategy, interrupted: bool) -> Self {
        let slide = Box::new(strategy.sliding_windows(1).expect("it is recognised"));
        let states = SlideStateTable::new();
        Self::Slid {
            slide,
            states,
            interrupted,
        }
    }

    fn whole(onnx: Onnx) -> Self {
        let (onnx, rings) = (Box::new(onnx), vec![]);
        Self::Whole { onnx, rings }
    }

    /// Rows of a step at most: windows that gain nothing by being together do not wait for each other.
    fn together(&self) -> usize {
        match self {
            Self::Slid { .. } => 64,
            Self::Whole { .. } => 1,
        }
    }

    /// Takes rows, whose numbers lie one behind the other in `cells`, and scores the windows they complete.
    fn step(&mut self, rows: &[Row], cells: &[f64], scores: &mut Vec<f64>) {
        match self {
            Self::Slid { slide, states, .. } => {
                let due = |row: &Row| WindowRequest::Row {
                    key: row.key,
                    due: row.number >= STEPS,
                };
                let requests: Vec<WindowRequest> = rows.iter().map(due).collect();
                slide.step(states, &requests, cells, scores);
            }
            Self::Whole { onnx, rings } => {
                let features = cells.len() / rows.len();
                for (row, cells) in rows.iter().zip(cells.chunks_exact(features)) {
                    if rings.len() <= row.key {
                        rings.resize_with(row.key + 1, || vec![0.0; 2 * STEPS * features]);
                    }
                    let (ring, window) = (&mut rings[row.key], STEPS * features);
                    let at = (row.number - 1) % STEPS * features;
                    ring[at..at + features].copy_from_slice(cells);
                    ring[at + window..at + window + features].copy_from_slice(cells);
                    if row.number >= STEPS {
                        let begin = row.number % STEPS * features;
                        let window = &ring[begin..begin + window];
                        onnx.score(window, scores).expect("the window fits");
                    }
                }
            }
        }
    }

    fn run_deferred_work(&mut self, is_row_due: impl Fn() -> bool) {
        if let Self::Slid {
            slide,
            states,
            interrupted,
        } = self
        {
            let interrupted = *interrupted;
            slide.run_deferred_work(states, || interrupted && is_row_due());
        }
    }
}

/// One way to compute windows, fed with rows of instruments in random order.
struct Subject {
    name: &'static str,
    windower: Windower,
    /// Rows that each instrument has taken.
    taken: Vec<usize>,
    features: usize,
    state: u64,
}

impl Subject {
    fn new(name: &'static str, windower: Windower, features: usize, instruments: usize) -> Self {
        let mut subject = Self {
            name,
            windower,
            taken: vec![0; instruments],
            features,
            state: 1,
        };
        while subject.taken.iter().any(|&taken| taken < STEPS) {
            subject.step(1);
            subject.windower.run_deferred_work(|| false);
        }
        subject
    }

    /// Takes so many rows of random instruments in one step.
    fn step(&mut self, count: usize) {
        let (mut rows, mut cells, mut scores) = (vec![], vec![], vec![]);
        for _ in 0..count {
            let key = self.random() as usize % self.taken.len();
            self.taken[key] += 1;
            let number = self.taken[key];
            rows.push(Row { key, number });
            for _ in 0..self.features {
                cells.push((self.random() % 4_001) as f64 / 1_000.0 - 2.0);
            }
        }
        self.windower.step(&rows, &cells, &mut scores);
    }

    /// Rows a second that one core sustains.
    fn sustained(&mut self) -> f64 {
        let begin = clock::thread_cpu();
        for _ in 0..SUSTAINED {
            self.step(1);
            self.windower.run_deferred_work(|| false);
        }
        let taken = clock::thread_cpu() - begin;
        f64::from(SUSTAINED) / taken.as_secs_f64()
    }

    fn report(&mut self, rate: f64) {
        let mut phases = PHASES.map(|_| histogram());
        for _ in 0..BURSTS {
            self.burst(rate, &mut phases);
        }
        print!("{:<36}{rate:>8.0}", self.name);
        for phase in phases {
            for at in [0.5, 0.99, 1.0] {
                print!("{:>10.1}", phase.value_at_quantile(at) as f64 / 1e3);
            }
        }
        println!();
    }

    /// One burst with what comes before and after it, and then what is left to do.
    fn burst(&mut self, rate: f64, phases: &mut [Histogram<u64>; 3]) {
        let schedule = schedule(rate);
        let start = clock::instant();
        let mut next = 0;
        while next < schedule.len() {
            let now = start.elapsed();
            let waiting = schedule[next..].iter().take(self.windower.together());
            let come = waiting.take_while(|(due, _)| *due <= now).count();
            if come == 0 {
                std::hint::spin_loop();
                continue;
            }
            self.step(come);
            let done = start.elapsed();
            for (due, phase) in &schedule[next..next + come] {
                phases[*phase].saturating_record((done - *due).as_nanos() as u64);
            }
            next += come;
            let due = schedule.get(next).map(|(due, _)| *due);
            let is_row_due = || due.is_some_and(|due| due <= start.elapsed());
            self.windower.run_deferred_work(is_row_due);
        }
        self.windower.run_deferred_work(|| false);
    }

    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state >> 11
    }
}

/// When rows are due, and in which phase.
fn schedule(rate: f64) -> Vec<(Duration, usize)> {
    let (mut all, mut begin) = (vec![], Duration::ZERO);
    for (phase, (length, times)) in PHASES.into_iter().enumerate() {
        let count = (length.as_secs_f64() * rate * times) as u32;
        all.extend((0..count).map(|at| (begin + length * at / count, phase)));
        begin += length;
    }
    all
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 600_000_000_000, 3).expect("the bounds are valid")
}
