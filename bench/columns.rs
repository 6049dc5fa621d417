//! What a row costs a convolution network whose windows slide, beside ONNX Runtime's whole window.
//!
//! `cargo bench --bench columns -- FOLDER` takes the models that `bench/causal_models.py` wrote there. Each
//! case takes turns with the others; the median over the rounds counts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use foretick::clock::instant;
use foretick::model::Model;
use foretick::model::kernel::Isa;
use foretick::model::onnx::Onnx;
use foretick::model::slide::SlidingWindows;
use foretick::model::slide::request::WindowRequest;
use foretick::model::slide::state::SlideStateTable;
use foretick::model::strategy::{Strategy, WindowMode};

const ROUNDS: usize = 21;
const ROWS: usize = 400;
/// A whole window costs far more: fewer of them take as long.
const WHOLE: usize = 20;

/// One model, and what was measured of it: microseconds, a round each.
struct Case {
    name: String,
    strategy: Strategy,
    slide: SlidingWindows,
    states: SlideStateTable,
    whole: Onnx,
    rows: Vec<f64>,
    steps: usize,
    floor: Vec<f64>,
    critical: Vec<f64>,
    deferred: Vec<f64>,
    window: Vec<f64>,
}

fn main() {
    let folder = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let Some(folder) = folder else {
        println!("columns: no folder of models was given; bench/causal_models.py writes one");
        return;
    };
    let entries = std::fs::read_dir(&folder).expect("the folder can be read");
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "onnx"))
        .collect();
    paths.sort();
    let mut cases: Vec<Case> = paths.iter().filter_map(|path| Case::load(path)).collect();
    for _ in 0..ROUNDS {
        cases.iter_mut().for_each(Case::round);
    }
    println!(
        "{:20} {:>8} {:>8} {:>8} {:>8} {:>7} {:>8} {:>8}",
        "model, µs", "floor", "critical", "deferred", "ORT", "ratio", "bytes", "diff"
    );
    cases.iter_mut().for_each(Case::print);
}

impl Case {
    /// Nothing where the model's windows do not slide; says why.
    fn load(path: &Path) -> Option<Self> {
        let name = path.file_stem()?.to_string_lossy().into_owned();
        let steps = name
            .split('-')
            .find_map(|part| part.strip_prefix('T')?.parse().ok())?;
        let bytes = std::fs::read(path).expect("the model can be read");
        let strategy = Strategy::choose(path, &bytes, steps, WindowMode::Auto, Isa::best());
        let strategy = strategy.expect("ONNX Runtime is there");
        let Some(slide) = strategy.sliding_windows(1) else {
            println!("{name}: {}: {}", strategy.name(), strategy.reason);
            return None;
        };
        let whole = Onnx::bare(&bytes, steps).expect("it was loaded before");
        let rows = (0..(ROWS + steps) * whole.features()).map(|at| libm::sin(at as f64 * 0.7));
        Some(Self {
            rows: rows.collect(),
            name,
            strategy,
            slide,
            states: SlideStateTable::new(),
            whole,
            steps,
            floor: vec![],
            critical: vec![],
            deferred: vec![],
            window: vec![],
        })
    }

    fn round(&mut self) {
        let (mut critical, mut deferred, mut scores) = (Duration::ZERO, Duration::ZERO, vec![]);
        let features = self.whole.features();
        for (at, row) in self.rows.chunks_exact(features).enumerate() {
            let due = at >= self.steps;
            let start = instant();
            let request = WindowRequest::Row { key: 0, due };
            self.slide
                .step(&mut self.states, &[request], row, &mut scores);
            let scored = instant();
            self.slide.run_deferred_work(&mut self.states, || false);
            if due {
                critical += scored - start;
                deferred += scored.elapsed();
            }
        }
        self.critical.push(micros(critical, ROWS));
        self.deferred.push(micros(deferred, ROWS));
        let start = instant();
        for window in self
            .rows
            .windows(self.steps * features)
            .step_by(features)
            .take(WHOLE)
        {
            self.whole
                .score(window, &mut scores)
                .expect("it ran before");
        }
        self.window.push(micros(start.elapsed(), WHOLE));
        let (start, mut sum) = (instant(), 0.0);
        for _ in 0..ROWS {
            sum += self
                .strategy
                .network
                .as_ref()
                .map_or(0.0, |network| network.read_weights());
        }
        std::hint::black_box(sum);
        self.floor.push(micros(start.elapsed(), ROWS));
    }

    fn print(&mut self) {
        let [floor, critical, deferred, window] = [
            &mut self.floor,
            &mut self.critical,
            &mut self.deferred,
            &mut self.window,
        ]
        .map(|rounds| median(rounds));
        let far = self.strategy.max_rel_diff.unwrap_or(f64::NAN);
        println!(
            "{:20} {floor:8.2} {critical:8.2} {deferred:8.2} {window:8.1} {:7.0} {:8} {far:8.1e}",
            self.name,
            window / critical,
            self.slide.bytes_per_key(),
        );
    }
}

fn micros(all: Duration, items: usize) -> f64 {
    all.as_secs_f64() * 1e6 / items as f64
}

fn median(rounds: &mut [f64]) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}
