//! Windows with shared columns give the bits of whole windows, with deferred work in any order.
//!
//! The whole windows are computed one by one in plain Rust, with zeros before the first row where a file
//! pads.

use proptest::prelude::*;

use super::*;
use crate::model::kernel::Isa;
use crate::model::slide::convolution::network::{ConvolutionFilter, ConvolutionNetwork, HeadInput};
use crate::model::slide::head::{Head, activate};
use crate::model::slide::recurrent::network::{Activation, DenseLayer, ScaleStep};
use crate::model::slide::state::SlideStateTable;

/// Numbers that look random, the same every time.
fn numbers(count: usize, seed: u64, scale: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0) * scale
    };
    (0..count).map(|_| next()).collect()
}

const FEATURES: usize = 3;
const STEPS: usize = 14;
const ENDINGS: [HeadInput; 4] = [
    HeadInput::Last,
    HeadInput::Flat(STEPS - REACH),
    HeadInput::Mean(STEPS - REACH),
    HeadInput::Max(STEPS - REACH),
];
/// Of the last filter of [`network`].
const REACH: usize = 9;

fn filter(
    from: usize,
    inputs: usize,
    channels: usize,
    kernel: usize,
    dilation: usize,
) -> ConvolutionFilter {
    let seed = (100 * from + 10 * kernel + dilation + channels) as u64;
    ConvolutionFilter {
        from,
        inputs,
        channels,
        kernel,
        dilation,
        w: numbers(channels * inputs * kernel, seed, 0.6),
        b: numbers(channels, seed + 50, 0.3),
        activation: Activation::Relu,
        plus: None,
        then: Activation::Identity,
    }
}

/// Four filters, the last one added to one that takes the rows.
fn network(head_input: HeadInput, channels: usize) -> ConvolutionNetwork {
    let skip = ConvolutionFilter {
        activation: Activation::Identity,
        ..filter(0, FEATURES, channels, 1, 1)
    };
    let last = ConvolutionFilter {
        activation: Activation::Sigmoid,
        plus: Some(3),
        then: Activation::Tanh,
        ..filter(2, channels, channels, 3, 3)
    };
    let filters = vec![
        filter(0, FEATURES, 7, 2, 1),
        filter(1, 7, channels, 2, 2),
        skip,
        last,
    ];
    let mut network = ConvolutionNetwork {
        features: FEATURES,
        steps: STEPS,
        scale: vec![(ScaleStep::Div, vec![0.7; FEATURES])],
        filters,
        head_input,
        head: vec![],
    };
    let mut inputs = network.head_inputs();
    for (outputs, activation) in [(6, Activation::Relu), (2, Activation::Softmax)] {
        let (w, b) = (
            numbers(inputs * outputs, 70, 0.4),
            numbers(outputs, 71, 0.4),
        );
        network.head.push(DenseLayer {
            inputs,
            outputs,
            w,
            b,
            activation,
        });
        inputs = outputs;
    }
    network
}

/// Row number `row` of a key.
fn row(key: usize, row: u64) -> Vec<f64> {
    let values = numbers(FEATURES, 1_000 * key as u64 + row, 2.0);
    values.iter().map(|&x| f64::from(x)).collect()
}

/// The window of a key that ends at a row, filter by filter.
fn whole(network: &ConvolutionNetwork, key: usize, end: u64) -> Vec<f64> {
    let rows = (end + 1 - network.steps as u64..=end).map(|number| {
        let row = row(key, number);
        row.iter().map(|&x| x as f32 / 0.7).collect::<Vec<f32>>()
    });
    let mut sources: Vec<Vec<Vec<f32>>> = vec![rows.collect()];
    for filter in &network.filters {
        let from = &sources[filter.from];
        let columns = (0..from.len()).map(|step| column(filter, &sources, step));
        let columns = columns.collect();
        sources.push(columns);
    }
    let columns = sources.last().expect("there is a filter");
    head(
        network,
        &columns[columns.len() - network.head_input.columns()..],
    )
}

fn column(filter: &ConvolutionFilter, sources: &[Vec<Vec<f32>>], step: usize) -> Vec<f32> {
    let zeros = vec![0.0; filter.inputs];
    let mut column = filter.b.clone();
    for (channel, sum) in column.iter_mut().enumerate() {
        for tap in 0..filter.kernel {
            let back = (filter.kernel - 1 - tap) * filter.dilation;
            let given = step.checked_sub(back).map(|at| &sources[filter.from][at]);
            for (at, x) in given.unwrap_or(&zeros).iter().enumerate() {
                let w = filter.w[(channel * filter.inputs + at) * filter.kernel + tap];
                *sum = x.mul_add(w, *sum);
            }
        }
    }
    activate(Isa::Scalar, filter.activation, &mut column);
    if let Some(plus) = filter.plus {
        let other = &sources[plus][step];
        column.iter_mut().zip(other).for_each(|(sum, x)| *sum += x);
    }
    activate(Isa::Scalar, filter.then, &mut column);
    column
}

fn head(network: &ConvolutionNetwork, columns: &[Vec<f32>]) -> Vec<f64> {
    let channel = |at: usize| columns.iter().map(move |column| column[at]);
    let channels = 0..columns[0].len();
    let mut layers = &network.head[..];
    let given: Vec<f32> = match network.head_input {
        HeadInput::Last => columns[0].clone(),
        HeadInput::Mean(count) => channels
            .map(|at| channel(at).reduce(|sum, x| sum + x).expect("one at least") / count as f32)
            .collect(),
        HeadInput::Max(_) => channels
            .map(|at| channel(at).fold(f32::NEG_INFINITY, f32::max))
            .collect(),
        HeadInput::Flat(_) => {
            let (first, behind) = layers.split_first().expect("it has a dense layer");
            layers = behind;
            let mut sums = flat_sums(first, columns);
            activate(Isa::Scalar, first.activation, &mut sums);
            sums
        }
    };
    let mut scores = vec![];
    Head::new(layers, Isa::Scalar).score(&given, &mut Default::default(), &mut scores);
    scores
}

/// A sum for each column, added in order.
fn flat_sums(layer: &DenseLayer, columns: &[Vec<f32>]) -> Vec<f32> {
    let width = columns[0].len();
    let sum = |output: usize| {
        let parts = columns.iter().enumerate().map(|(at, column)| {
            let w = &layer.w[output * layer.inputs + at * width..][..width];
            column
                .iter()
                .zip(w)
                .fold(0.0_f32, |sum, (x, w)| x.mul_add(*w, sum))
        });
        parts.fold(layer.b[output], |sum, part| sum + part)
    };
    (0..layer.outputs).map(sum).collect()
}

/// The states after they were saved as text and restored for other windows.
fn restarted(states: &SlideStateTable, windows: &mut ConvolutionWindows) -> SlideStateTable {
    let saved = serde_json::to_string(states).expect("states can be saved");
    let mut states: SlideStateTable = serde_json::from_str(&saved).expect("it was saved before");
    for (key, state) in states.iter_mut().enumerate() {
        if let Some(state) = state {
            windows
                .restore(key, state)
                .expect("the windows are the same");
        }
    }
    states
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 64 }))]

    #[test]
    fn deferred_work_in_any_order_gives_the_same_bits(
        ending in 0_usize..4,
        channels in 4_usize..20,
        every in 1_u64..8,
        // The key of each row and for how many keys deferred work is done after it; then the rows of a batch,
        // and before which batch the states are saved and restored.
        moves in prop::collection::vec((0_usize..3, 0_usize..4), if cfg!(miri) { 20..21 } else { 90..150 }),
        together in 1_usize..9,
        restart in 0_usize..60,
    ) {
        let plain = network(ENDINGS[ending], channels);
        let packed = Arc::new(PackedConvolution::new(&plain, Isa::best()));
        let mut columns = ConvolutionWindows::new(Arc::clone(&packed), every);
        let (mut states, mut taken) = (SlideStateTable::new(), [0_u64; 3]);
        for (number, batch) in moves.chunks(together).enumerate() {
            if number == restart {
                columns = ConvolutionWindows::new(Arc::clone(&packed), every);
                states = restarted(&states, &mut columns);
            }
            let (mut rows, mut cells, mut right) = (vec![], vec![], vec![]);
            for &(key, _) in batch {
                taken[key] += 1;
                let due = taken[key].is_multiple_of(every) && taken[key] >= STEPS as u64;
                rows.push(WindowRequest::Row { key, due });
                cells.extend(row(key, taken[key]));
                if due {
                    right.extend(whole(&plain, key, taken[key]));
                }
            }
            let mut scores = vec![];
            columns.step(&mut states, &rows, &cells, &mut scores);
            prop_assert_eq!(&scores, &right);
            let mut left = batch[0].1;
            if left > 0 {
                columns.run_deferred_work(&mut states, || {
                    left -= 1;
                    left == 0
                });
            }
            prop_assert!(columns.waiting() <= 3);
        }
        // A repeat gives the scores of the newest window.
        for (key, &taken) in taken.iter().enumerate().filter(|(_, taken)| **taken >= STEPS as u64) {
            let mut again = vec![];
            columns.step(&mut states, &[WindowRequest::Repeat { key }], &[], &mut again);
            prop_assert_eq!(again, whole(&plain, key, taken));
        }
    }
}

#[test]
fn every_processor_gives_the_same_scores() {
    for ending in ENDINGS {
        let network = network(ending, 19);
        let right = whole(&network, 1, 20);
        for isa in Isa::available() {
            let mut columns =
                ConvolutionWindows::new(Arc::new(PackedConvolution::new(&network, isa)), 1);
            let mut states = SlideStateTable::new();
            let (mut scores, cells) = (vec![], (1..=20).flat_map(|number| row(1, number)));
            let requests = (1..=20).map(|number| WindowRequest::Row {
                key: 1,
                due: number == 20,
            });
            columns.step(
                &mut states,
                &requests.collect::<Vec<_>>(),
                &cells.collect::<Vec<_>>(),
                &mut scores,
            );
            let bits = |scores: &[f64]| scores.iter().map(|s| s.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&scores), bits(&right), "{ending:?} {isa:?}");
        }
    }
}

/// A window sees its oldest row, and no row before it: a wrong place would show.
#[test]
fn a_score_depends_on_the_oldest_row_of_its_window_and_on_none_before() {
    for ending in ENDINGS {
        let network = network(ending, 8);
        let packed = Arc::new(PackedConvolution::new(&network, Isa::best()));
        // The oldest row that the last column sees, or the first of the columns taken.
        let seen = REACH + network.head_input.columns() - 1;
        let score = |changed: usize| {
            let mut columns = ConvolutionWindows::new(Arc::clone(&packed), 1);
            let mut cells: Vec<f64> = (1..=20).flat_map(|number| row(0, number)).collect();
            cells[(19 - changed) * FEATURES] += 40.0;
            let requests = (1..=20).map(|number| WindowRequest::Row {
                key: 0,
                due: number == 20,
            });
            let (mut states, mut scores) = (SlideStateTable::new(), vec![]);
            columns.step(
                &mut states,
                &requests.collect::<Vec<_>>(),
                &cells,
                &mut scores,
            );
            scores
        };
        assert_ne!(
            score(seen),
            score(seen + 1),
            "{ending:?}: the oldest row does not count"
        );
        assert_eq!(
            score(seen + 1),
            score(seen + 2),
            "{ending:?}: an older row counts"
        );
    }
}

#[test]
fn each_row_defers_one_column_per_key() {
    let packed = Arc::new(PackedConvolution::new(&network(ENDINGS[1], 8), Isa::best()));
    let mut columns = ConvolutionWindows::new(packed, 1);
    let mut states = SlideStateTable::new();
    for number in 1..=30 {
        columns.step(
            &mut states,
            &[WindowRequest::Row {
                key: 0,
                due: number >= 14,
            }],
            &row(0, number),
            &mut vec![],
        );
        assert_eq!(columns.waiting(), 1);
        if number % 2 == 0 {
            assert!(columns.run_deferred_work(&mut states, || false));
            assert_eq!((columns.waiting(), columns.deferred()), (0, number));
        }
    }
}

/// Appends rows of key 0, doing all deferred work after each; gives the score of the last.
fn score_of_last(
    windows: &mut ConvolutionWindows,
    states: &mut SlideStateTable,
    rows: std::ops::RangeInclusive<u64>,
) -> Vec<f64> {
    let (last, mut scores) = (*rows.end(), vec![]);
    for number in rows {
        let due = number == last;
        let request = WindowRequest::Row { key: 0, due };
        windows.step(states, &[request], &row(0, number), &mut scores);
        windows.run_deferred_work(states, || false);
    }
    scores
}

#[test]
fn a_state_saved_on_one_processor_continues_on_another() {
    for ending in ENDINGS {
        let network = network(ending, 8);
        let right = whole(&network, 0, 30);
        for from in Isa::available() {
            for to in Isa::available() {
                let packed = [from, to].map(|isa| Arc::new(PackedConvolution::new(&network, isa)));
                let [mut first, mut second] =
                    packed.map(|packed| ConvolutionWindows::new(packed, 3));
                let mut states = SlideStateTable::new();
                score_of_last(&mut first, &mut states, 1..=25);
                let mut states = restarted(&states, &mut second);
                assert_eq!(
                    score_of_last(&mut second, &mut states, 26..=30),
                    right,
                    "{from:?} {to:?}"
                );
            }
        }
    }
}

#[test]
fn deferred_work_of_an_evicted_key_is_dropped() {
    let network = network(ENDINGS[1], 8);
    let packed = Arc::new(PackedConvolution::new(&network, Isa::best()));
    let mut windows = ConvolutionWindows::new(packed, 1);
    let mut states = SlideStateTable::new();
    for key in [0, 1] {
        let request = WindowRequest::Row { key, due: false };
        windows.step(&mut states, &[request], &row(key, 1), &mut vec![]);
    }
    states.fill(None);
    assert!(
        windows.run_deferred_work(&mut states, || true),
        "nothing is left to do"
    );
    assert_eq!(windows.waiting(), 0);
    let right = whole(&network, 0, 20);
    assert_eq!(score_of_last(&mut windows, &mut states, 1..=20), right);
}

#[test]
fn a_saved_state_of_other_windows_is_refused() {
    let packed = |ending, channels| {
        Arc::new(PackedConvolution::new(
            &network(ending, channels),
            Isa::best(),
        ))
    };
    let mut windows = ConvolutionWindows::new(packed(ENDINGS[1], 8), 1);
    let mut states = SlideStateTable::new();
    score_of_last(&mut windows, &mut states, 1..=20);
    let state = states[0].as_mut().expect("it has rows");
    assert_eq!(windows.restore(0, state), Ok(()));
    for (ending, channels, every) in [(1, 9, 1), (0, 8, 1), (1, 8, 2)] {
        let mut other = ConvolutionWindows::new(packed(ENDINGS[ending], channels), every);
        assert_eq!(
            other.restore(0, state),
            Err(StateMismatch),
            "{ending} {channels} {every}"
        );
    }
}

/// After `begin` the rows of a window's length are enough for all windows behind them, and for a repeat.
#[test]
fn a_key_that_begins_anew_goes_on_with_the_same_bits() {
    for ending in ENDINGS {
        let network = network(ending, 9);
        let packed = Arc::new(PackedConvolution::new(&network, Isa::best()));
        for known in [0, 1, STEPS as u64 - 1, 45] {
            let mut windows = ConvolutionWindows::new(Arc::clone(&packed), 1);
            let mut states = SlideStateTable::new();
            // Rows that count no more.
            score_of_last(&mut windows, &mut states, 201..=233);
            let first = known.saturating_sub(STEPS as u64);
            let mut requests = vec![WindowRequest::Begin {
                key: 0,
                rows: first,
            }];
            let (mut cells, mut right, mut scores) = (vec![], vec![], vec![]);
            for number in first + 1..=known + 20 {
                let due = number > known && number >= STEPS as u64;
                requests.push(WindowRequest::Row { key: 0, due });
                cells.extend(row(0, number));
                if due {
                    right.extend(whole(&network, 0, number));
                }
                if number == known && known >= STEPS as u64 {
                    requests.push(WindowRequest::Repeat { key: 0 });
                    right.extend(whole(&network, 0, number));
                }
            }
            windows.step(&mut states, &requests, &cells, &mut scores);
            assert_eq!(scores, right, "{ending:?}, {known} rows known");
        }
    }
}
