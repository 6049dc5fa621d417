//! A burst of rows, open loop: latency from when a row was due to when its score is known.
//!
//! Rows come at a third of what one core sustains, then ten times as fast for 100 ms, then as before. They
//! are due whether or not the ones before are done, so that a wait counts for all that was due in it. The
//! order of work is that of a worker: all rows that have come in one step, then deferred steps until the
//! next row is due. Beside it the same without interruption of deferred steps, and ONNX Runtime's windows.

use std::time::{Duration, Instant};

use foretick::clock;
use foretick::kernel::Isa;
use foretick::model::Model;
use foretick::model::onnx::{self, Onnx};
use foretick::model::slide::{Ask, Slide};
use foretick::model::way::{Way, Windows};
use hdrhistogram::Histogram;

fn main() {
    if let Err(error) = onnx::environment() {
        println!("burst: left out: {error}");
        return;
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(MODEL);
    let bytes = std::fs::read(&path).expect("the model lies beside its pipeline");
    let way = Way::choose(&path, &bytes, STEPS, Windows::Auto, Isa::best()).expect("it can run");
    let features = way.network.as_ref().expect("it is recognised").features();
    let whole = Onnx::bare(&bytes, STEPS).expect("it can run");
    let mut subjects = [
        Subject::new("slid", Windower::slid(&way, true), features),
        Subject::new("slid, deferred steps not interrupted", Windower::slid(&way, false), features),
        Subject::new("ONNX Runtime's windows", Windower::whole(whole, features), features),
    ];
    for instruments in [1, 16] {
        println!("\ninstruments: {instruments}; µs from when a row was due");
        println!("{:<38}{:>8}{:>26}{:>26}{:>26}", "", "rows/s", "before", "burst", "after");
        print!("{:<46}", "");
        println!("{}", format!("{:>10}{:>8}{:>8}", "p50", "p99", "max").repeat(3));
        for subject in &mut subjects {
            subject.warm_up(instruments);
        }
        let rate = subjects[0].sustained(instruments) / 3.0;
        let own = subjects[2].sustained(instruments) / 3.0;
        for subject in &mut subjects {
            subject.report(instruments, rate);
        }
        subjects[2].report(instruments, own);
    }
}

const MODEL: &str = "pipelines/price-direction/model.onnx";
const STEPS: usize = 50;

/// Phases before, in and after the burst: how long, and how many times the mean rate.
const PHASES: [(Duration, f64); 3] = [
    (Duration::from_millis(300), 1.0),
    (Duration::from_millis(100), 10.0),
    (Duration::from_millis(600), 1.0),
];

/// Bursts that are measured, one after the other.
const BURSTS: usize = 5;

/// Rows of a step at most.
const TOGETHER: usize = 64;

/// What keeps the windows.
enum Windower {
    Slid {
        slide: Box<Slide>,
        interrupted: bool,
        asks: Vec<Ask>,
    },
    /// The last rows of each instrument twice over, so that a window lies in one piece.
    Whole {
        onnx: Box<Onnx>,
        rings: Vec<Vec<f64>>,
        features: usize,
    },
}

impl Windower {
    fn slid(way: &Way, interrupted: bool) -> Self {
        Self::Slid {
            slide: Box::new(way.slide(1).expect("it is recognised")),
            interrupted,
            asks: vec![],
        }
    }

    fn whole(onnx: Onnx, features: usize) -> Self {
        Self::Whole {
            onnx: Box::new(onnx),
            rings: vec![],
            features,
        }
    }

    /// Takes one row of each of these instruments and scores their windows.
    fn step(&mut self, rows: &[Row], cells: &[f64], scores: &mut Vec<f64>) {
        match self {
            Self::Slid { slide, asks, .. } => {
                asks.clear();
                asks.extend(rows.iter().map(|row| Ask::Row {
                    key: row.key,
                    due: row.number >= STEPS,
                }));
                slide.step(asks, cells, scores);
            }
            Self::Whole { onnx, rings, features } => {
                for (row, cells) in rows.iter().zip(cells.chunks_exact(*features)) {
                    if rings.len() <= row.key {
                        rings.resize_with(row.key + 1, || vec![0.0; 2 * STEPS * *features]);
                    }
                    let ring = &mut rings[row.key];
                    let at = (row.number - 1) % STEPS * *features;
                    for at in [at, at + STEPS * *features] {
                        ring[at..at + *features].copy_from_slice(cells);
                    }
                    if row.number >= STEPS {
                        let begin = row.number % STEPS * *features;
                        let window = &ring[begin..begin + STEPS * *features];
                        onnx.score(window, scores).expect("the window has the model's shape");
                    }
                }
            }
        }
    }

    fn settle(&mut self, wanted: impl Fn() -> bool) {
        if let Self::Slid { slide, interrupted, .. } = self {
            let interrupted = *interrupted;
            slide.settle(|| interrupted && wanted());
        }
    }
}

/// A row of an instrument.
struct Row {
    key: usize,
    /// Counted from 1.
    number: usize,
    due: Instant,
}

/// One way to compute windows, and what it has taken.
struct Subject {
    name: &'static str,
    windower: Windower,
    features: usize,
    taken: Vec<usize>,
    cells: Vec<f64>,
    rows: Vec<Row>,
    scores: Vec<f64>,
    state: u64,
}

impl Subject {
    fn new(name: &'static str, windower: Windower, features: usize) -> Self {
        Self {
            name,
            windower,
            features,
            taken: vec![],
            cells: vec![],
            rows: vec![],
            scores: vec![],
            state: 1,
        }
    }

    fn report(&mut self, instruments: usize, rate: f64) {
        let mut phases = PHASES.map(|_| histogram());
        for _ in 0..BURSTS {
            self.burst(instruments, rate, &mut phases);
        }
        print!("{:<38}{rate:>8.0}", self.name);
        for phase in phases {
            let [p50, p99] = [0.5, 0.99].map(|at| micros(phase.value_at_quantile(at)));
            print!("{p50:>10}{p99:>8}{:>8}", micros(phase.max()));
        }
        println!();
    }

    /// One burst with what comes before and after; afterwards everything is done.
    fn burst(&mut self, instruments: usize, rate: f64, phases: &mut [Histogram<u64>; 3]) {
        let mut schedule = vec![];
        let mut begin = Duration::ZERO;
        for (phase, (length, times)) in PHASES.into_iter().enumerate() {
            let count = (length.as_secs_f64() * rate * times) as u32;
            schedule.extend((0..count).map(|at| (phase, begin + length * at / count)));
            begin += length;
        }
        let start = clock::instant();
        let mut next = 0;
        while next < schedule.len() {
            let now = clock::instant();
            let come = schedule[next..].iter().take(TOGETHER);
            let come = come.take_while(|(_, due)| start + *due <= now).count();
            if come == 0 {
                std::hint::spin_loop();
                continue;
            }
            for (_, due) in &schedule[next..next + come] {
                self.take(instruments, start + *due);
            }
            self.step(|row, done| {
                let at = next + row;
                phases[schedule[at].0].saturating_record((done - (start + schedule[at].1)).as_nanos() as u64);
            });
            next += come;
            let due = schedule.get(next).map(|(_, due)| start + *due);
            self.windower.settle(|| due.is_some_and(|due| clock::instant() >= due));
        }
        self.windower.settle(|| false);
    }
}
