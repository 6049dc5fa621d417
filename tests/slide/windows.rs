//! Consecutive windows of every exporter's network: the scores of ONNX Runtime and of a naive forward pass,
//! and the same bits at every stride, together with other keys and with any deferred work.

use std::sync::Arc;

use foretick::model::Model;
use foretick::model::kernel::Isa;
use foretick::model::onnx::Onnx;
use foretick::model::proto::ModelProto;
use foretick::model::recognise::{long_memory, normal_form, recognise};
use foretick::model::slide::RecognisedNetwork;
use foretick::model::slide::recurrent::network::RecurrentNetwork;
use foretick::model::slide::recurrent::packed::{PackedRecurrent, RecurrentScratch};
use foretick::model::slide::recurrent::windows::RecurrentWindows;
use foretick::model::slide::request::WindowRequest;
use foretick::model::slide::state::SlideStateTable;
use foretick::model::strategy::{TOLERANCE, difference};

use crate::recurrent::{draw, files};
use crate::{naive, needs};

/// Consecutive windows of each key.
const WINDOWS: usize = 200;
/// Windows before them that are not due, as while features warm up.
const NOT_DUE: usize = 20;
/// Keys that take their rows in turn, and by how many rows each is ahead of the one before: one
/// sequence of rows serves all.
const KEYS: usize = 3;
const AHEAD: usize = 11;

/// A network, and the file that ONNX Runtime runs.
struct Case {
    name: String,
    network: RecurrentNetwork,
    file: Vec<u8>,
    long_memory: bool,
}

/// How much deferred work is done after each batch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum DeferredWork {
    All,
    OneBlock,
    Nothing,
}

#[test]
fn sliding_windows_of_every_exporter_s_network_score_as_whole_ones() {
    if !needs::onnx("sliding_windows_of_every_exporter_s_network_score_as_whole_ones") {
        return;
    }
    let mut compared = 0;
    for case in cases() {
        let steps = case.network.steps;
        let rows = case.rows(NOT_DUE + WINDOWS + steps - 1 + (KEYS - 1) * AHEAD);
        let whole = case.whole(&rows, Isa::Scalar);
        for isa in Isa::available() {
            assert_eq!(case.whole(&rows, isa), whole, "{} on {isa:?}", case.name);
        }
        case.hold(&rows, &whole);
        let recurrent = Arc::new(PackedRecurrent::new(&case.network, Isa::best()));
        for every in [1, 2, 3, 7, steps as u64 + 4] {
            for deferred in [
                DeferredWork::All,
                DeferredWork::OneBlock,
                DeferredWork::Nothing,
            ] {
                let what = format!(
                    "{}, every {every}, deferred work done: {deferred:?}",
                    case.name
                );
                let slide = RecurrentWindows::new(Arc::clone(&recurrent), every);
                slides(slide, deferred, every, (&rows, steps), &whole, &what);
            }
        }
        compared += 1;
    }
    assert!(compared >= 40, "only {compared} networks");
}

/// Lets the keys take rows in a mixed order, in batches of one to six, and compares every score.
fn slides(
    mut slide: RecurrentWindows,
    deferred: DeferredWork,
    every: u64,
    (rows, steps): (&[f64], usize),
    whole: &[Vec<f64>],
    what: &str,
) {
    let (first, features) = (NOT_DUE + steps, rows.len() / (whole.len() + steps - 1));
    let most = first + WINDOWS - 1;
    let (mut taken, mut scored) = ([0; KEYS], [0; KEYS]);
    let (mut states, mut random) = (SlideStateTable::new(), Random(every));
    while taken.iter().any(|&taken| taken < most) {
        let (mut requests, mut cells, mut right, mut scores) = (vec![], vec![], vec![], vec![]);
        for _ in 0..=random.below(6) {
            let key = random.below(KEYS);
            if taken[key] >= steps && random.below(12) == 0 {
                requests.push(WindowRequest::Repeat { key });
            } else if taken[key] < most {
                let at = (key * AHEAD + taken[key]) * features;
                cells.extend_from_slice(&rows[at..at + features]);
                taken[key] += 1;
                let due = taken[key] >= first && (taken[key] as u64).is_multiple_of(every);
                requests.push(WindowRequest::Row { key, due });
                if !due {
                    continue;
                }
                scored[key] += 1;
            } else {
                continue;
            }
            right.extend_from_slice(&whole[key * AHEAD + taken[key] - steps]);
        }
        slide.step(&mut states, &requests, &cells, &mut scores);
        assert_eq!(bits(&scores), bits(&right), "{what}, rows {taken:?}");
        match deferred {
            DeferredWork::All => assert!(slide.run_deferred_work(&mut states, || false)),
            DeferredWork::OneBlock => drop(slide.run_deferred_work(&mut states, || true)),
            DeferredWork::Nothing => {}
        }
    }
    let windows = (first as u64..=most as u64).filter(|row| row % every == 0);
    assert_eq!(scored, [windows.count(); KEYS], "{what}");
}

#[test]
fn a_carried_state_scores_as_one_window_over_the_whole_history() {
    if !needs::onnx("a_carried_state_scores_as_one_window_over_the_whole_history") {
        return;
    }
    const HISTORY: usize = 60;
    for case in cases() {
        let (features, steps) = (case.network.features, case.network.steps);
        let rows = case.rows(HISTORY + AHEAD);
        let narrow: Vec<f32> = rows.iter().map(|&x| x as f32).collect();
        let recurrent = PackedRecurrent::new(&case.network, Isa::best());
        let mut slide = RecurrentWindows::carried(Arc::new(recurrent));
        let mut states = SlideStateTable::new();
        let (mut ours, mut history, mut windows) = (vec![], vec![], vec![]);
        for number in 1..=HISTORY {
            let due = number >= steps && number % 3 == 0;
            let requests = [0, 1].map(|key| WindowRequest::Row { key, due });
            let cells = [0, AHEAD].map(|ahead| {
                let at = (ahead + number - 1) * features;
                &rows[at..at + features]
            });
            slide.step(&mut states, &requests, &cells.concat(), &mut ours);
            for ahead in [0, AHEAD].into_iter().filter(|_| due) {
                let all = &narrow[ahead * features..(ahead + number) * features];
                let longer = RecurrentNetwork {
                    steps: number,
                    ..case.network.clone()
                };
                history.extend(naive::forward(
                    &RecognisedNetwork::Recurrent(longer.clone()),
                    all,
                ));
                let last = &all[all.len() - steps * features..];
                windows.extend(naive::forward(
                    &RecognisedNetwork::Recurrent(case.network.clone()),
                    last,
                ));
            }
        }
        let far = difference(&ours, &history);
        assert!(far <= TOLERANCE, "{}: {far}", case.name);
        let apart = difference(&ours, &windows);
        assert!(
            apart > 1e-3 || !case.long_memory,
            "{}: {apart} from windows proves nothing",
            case.name
        );
    }
}

impl Case {
    fn rows(&self, count: usize) -> Vec<f64> {
        let numbers = draw(count * self.network.features, 17);
        numbers.into_iter().map(f64::from).collect()
    }

    /// The scores of each window of the rows, computed whole by our kernels.
    fn whole(&self, rows: &[f64], isa: Isa) -> Vec<Vec<f64>> {
        let RecurrentNetwork {
            features, steps, ..
        } = self.network;
        let recurrent = PackedRecurrent::new(&self.network, isa);
        let mut scaled = vec![0.0; rows.len()];
        for (row, scaled) in rows
            .chunks_exact(features)
            .zip(scaled.chunks_exact_mut(features))
        {
            recurrent.scale(row, scaled);
        }
        let (mut scratch, windows) = (
            RecurrentScratch::default(),
            scaled.windows(steps * features),
        );
        let score = |window: &[f32]| {
            let mut scores = vec![];
            recurrent.score_window(window, &mut scratch, &mut scores);
            scores
        };
        windows.step_by(features).map(score).collect()
    }

    /// Compares the scores of each window with those of ONNX Runtime and of the naive forward pass.
    fn hold(&self, rows: &[f64], whole: &[Vec<f64>]) {
        let RecurrentNetwork {
            features, steps, ..
        } = self.network;
        let mut onnx = Onnx::bare(&self.file, steps).expect("the model loads");
        let (mut theirs, mut twins) = (vec![], vec![]);
        for window in rows.windows(steps * features).step_by(features) {
            onnx.score(window, &mut theirs).expect("the model runs");
            let narrow: Vec<f32> = window.iter().map(|&x| x as f32).collect();
            twins.extend(naive::forward(
                &RecognisedNetwork::Recurrent(self.network.clone()),
                &narrow,
            ));
        }
        let ours = whole.concat();
        assert!(whole.len() >= WINDOWS);
        for (who, theirs) in [
            ("ONNX Runtime", &theirs),
            ("the naive forward pass", &twins),
        ] {
            let far = difference(&ours, theirs);
            assert!(far <= TOLERANCE, "{}: {far} from {who}", self.name);
        }
    }
}

/// The network of every file that is recognised, as it is and with long memory.
fn cases() -> impl Iterator<Item = Case> {
    let recognised = files().filter(|(name, _, _)| !name.contains("refused"));
    recognised.flat_map(|(name, steps, bytes)| {
        let folded = normal_form(&bytes, steps).expect("the file is recognised");
        let long = long_memory(&folded);
        let case = |name, model, file, long_memory| Case {
            name,
            network: layers(model, steps),
            file,
            long_memory,
        };
        let longer = case(
            format!("{name} with long memory"),
            &long,
            long.bytes(),
            true,
        );
        [case(name, &folded, bytes, false), longer]
    })
}

fn layers(model: &ModelProto, steps: usize) -> RecurrentNetwork {
    match recognise(model, steps).expect("the graph is recognised") {
        RecognisedNetwork::Recurrent(network) => network,
        RecognisedNetwork::Convolution(_) => panic!("no recurrent layer"),
    }
}

fn bits(scores: &[f64]) -> Vec<u64> {
    scores.iter().map(|score| score.to_bits()).collect()
}

/// Numbers that look random, the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}
