//! Sliding windows give the bits of whole windows, with deferred work in any order.

use proptest::prelude::*;

use super::*;
use crate::model::kernel::Isa;
use crate::model::slide::recurrent::network::{
    Activation, CellKind, DenseLayer, RecurrentLayer, RecurrentNetwork, ScaleStep,
};
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

/// A network of random weights with long memory: without it a window and a state that is never reset
/// would hardly differ, and these tests would prove nothing.
fn network(cell: CellKind, steps: usize, units: &[usize]) -> RecurrentNetwork {
    let mut inputs = FEATURES;
    let mut layers = vec![];
    for (seed, &units) in (1_u64..).zip(units) {
        let (gates, bound) = (cell.gates(), 1.0 / (units as f32).sqrt());
        let mut b = numbers(2 * gates * units, 30 + seed, bound);
        let open = if cell == CellKind::Lstm { 2 } else { 0 };
        for b in &mut b[open * units..(open + 1) * units] {
            *b += 3.0;
        }
        layers.push(RecurrentLayer {
            cell,
            inputs,
            units,
            w: numbers(gates * units * inputs, 10 + seed, bound),
            r: numbers(gates * units * units, 20 + seed, bound),
            b,
            start: (seed == 1).then(|| (numbers(units, 40, 0.3), numbers(units, 41, 0.3))),
        });
        inputs = units;
    }
    let dense = |inputs, outputs, activation, seed| DenseLayer {
        inputs,
        outputs,
        w: numbers(inputs * outputs, seed, 0.5),
        b: numbers(outputs, seed + 1, 0.5),
        activation,
    };
    RecurrentNetwork {
        features: FEATURES,
        steps,
        scale: vec![
            (ScaleStep::Sub, vec![0.1; FEATURES]),
            (ScaleStep::Div, vec![0.7; FEATURES]),
        ],
        layers,
        head: vec![
            dense(inputs, 5, Activation::Tanh, 50),
            dense(5, 2, Activation::Softmax, 52),
        ],
    }
}

const CELLS: [CellKind; 3] = [
    CellKind::Lstm,
    CellKind::Gru { reset_after: true },
    CellKind::Gru { reset_after: false },
];

/// Row number `row` of a key.
fn row(key: usize, row: u64) -> Vec<f64> {
    let values = numbers(FEATURES, 1_000 * key as u64 + row, 2.0);
    values.iter().map(|&x| f64::from(x)).collect()
}

/// The window of a key that ends at a row, computed whole.
fn whole(network: &PackedRecurrent, key: usize, end: u64) -> Vec<f64> {
    let mut window = vec![];
    for number in end + 1 - network.steps() as u64..=end {
        let mut scaled = vec![0.0; FEATURES];
        network.scale(&row(key, number), &mut scaled);
        window.extend(scaled);
    }
    let mut scores = vec![];
    network.score_window(&window, &mut RecurrentScratch::default(), &mut scores);
    scores
}

/// The states after they were saved as text and restored for other windows.
fn restarted(states: &SlideStateTable, windows: &mut RecurrentWindows) -> SlideStateTable {
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
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 48 }))]

    #[test]
    fn deferred_work_in_any_order_gives_the_same_bits(
        cell in 0_usize..3,
        steps in 1_usize..24,
        every in 1_u64..30,
        wide in prop::bool::ANY,
        // The key of each row and the blocks of deferred work done after it; then the rows of a batch, and
        // before which batch the states are saved and restored.
        moves in prop::collection::vec((0_usize..3, 0_usize..6), if cfg!(miri) { 12..13 } else { 90..150 }),
        together in 1_usize..9,
        restart in 0_usize..60,
    ) {
        // The wide one has enough weights for several groups of rows.
        let units: &[usize] = if wide && !cfg!(miri) { &[40, 9] } else { &[5, 4] };
        let recurrent = Arc::new(PackedRecurrent::new(&network(CELLS[cell], steps, units), Isa::best()));
        let mut slide = RecurrentWindows::new(Arc::clone(&recurrent), every);
        let (mut states, mut taken) = (SlideStateTable::new(), [0_u64; 3]);
        for (number, batch) in moves.chunks(together).enumerate() {
            if number == restart {
                slide = RecurrentWindows::new(Arc::clone(&recurrent), every);
                states = restarted(&states, &mut slide);
            }
            let (mut rows, mut cells, mut right) = (vec![], vec![], vec![]);
            for &(key, _) in batch {
                taken[key] += 1;
                let due = taken[key].is_multiple_of(every) && taken[key] >= steps as u64;
                rows.push(WindowRequest::Row { key, due });
                cells.extend(row(key, taken[key]));
                if due {
                    right.extend(whole(&recurrent, key, taken[key]));
                }
            }
            let mut scores = vec![];
            slide.step(&mut states, &rows, &cells, &mut scores);
            prop_assert_eq!(&scores, &right);
            let mut left = batch[0].1;
            slide.run_deferred_work(&mut states, || {
                left = left.saturating_sub(1);
                left == 0
            });
        }
        // A repeat gives the scores of the newest window.
        for (key, &taken) in taken.iter().enumerate().filter(|(_, taken)| **taken >= steps as u64) {
            let mut again = vec![];
            slide.step(&mut states, &[WindowRequest::Repeat { key }], &[], &mut again);
            prop_assert_eq!(again, whole(&recurrent, key, taken));
        }
    }

    #[test]
    fn a_carried_state_is_never_reset(
        cell in 0_usize..3, together in 1_usize..5, does_deferred_work in prop::bool::ANY,
    ) {
        let rows = if cfg!(miri) { 4 } else { 40 };
        // One window over all rows is the same thing.
        let long = PackedRecurrent::new(&network(CELLS[cell], rows, &[5, 4]), Isa::best());
        let short = Arc::new(PackedRecurrent::new(&network(CELLS[cell], 3, &[5, 4]), Isa::best()));
        let mut slide = RecurrentWindows::carried(Arc::clone(&short));
        let (mut states, mut scores) = (SlideStateTable::new(), vec![]);
        let all: Vec<(usize, u64)> = (1..=rows as u64).flat_map(|n| [(0, n), (1, n)]).collect();
        for batch in all.chunks(together) {
            let request = |&(key, number): &(usize, u64)| WindowRequest::Row { key, due: number == rows as u64 };
            let rows: Vec<WindowRequest> = batch.iter().map(request).collect();
            let cells: Vec<f64> = batch.iter().flat_map(|&(key, number)| row(key, number)).collect();
            slide.step(&mut states, &rows, &cells, &mut scores);
            if does_deferred_work {
                prop_assert!(slide.run_deferred_work(&mut states, || false));
            } else {
                slide = RecurrentWindows::carried(Arc::clone(&short));
                states = restarted(&states, &mut slide);
            }
        }
        let right = [whole(&long, 0, rows as u64), whole(&long, 1, rows as u64)].concat();
        prop_assert_eq!(&scores, &right);
        let mut again = vec![];
        slide.step(&mut states, &[WindowRequest::Repeat { key: 1 }], &[], &mut again);
        prop_assert_eq!(&again, &right[2..]);
    }
}

#[test]
fn every_processor_gives_the_same_scores() {
    for cell in CELLS {
        let network = network(cell, 12, &[37, 11]);
        let scalar = whole(&PackedRecurrent::new(&network, Isa::Scalar), 1, 12);
        for isa in Isa::available() {
            let bits = |scores: &[f64]| scores.iter().map(|s| s.to_bits()).collect::<Vec<_>>();
            let other = whole(&PackedRecurrent::new(&network, isa), 1, 12);
            assert_eq!(bits(&scalar), bits(&other), "{cell:?} {isa:?}");
        }
    }
}

#[test]
fn the_window_that_completes_next_is_prepared_before_other_steps() {
    let packed = Arc::new(PackedRecurrent::new(
        &network(CellKind::Lstm, 40, &[40, 9]),
        Isa::best(),
    ));
    let mut slide = RecurrentWindows::new(packed, 1);
    let mut states = SlideStateTable::new();
    assert!(
        slide.schedule.slots > slide.schedule.group_slots,
        "several groups"
    );
    for number in 1..=60 {
        let due = number >= 40;
        slide.step(
            &mut states,
            &[WindowRequest::Row { key: 0, due }],
            &row(0, number),
            &mut vec![],
        );
        assert!(slide.run_deferred_work(&mut states, || false));
    }
    slide.step(
        &mut states,
        &[WindowRequest::Row { key: 0, due: true }],
        &row(0, 61),
        &mut vec![],
    );
    assert!(
        !slide.run_deferred_work(&mut states, || true),
        "interrupted after the first block"
    );
    let state = recurrent(&mut states, 0);
    assert_eq!(state.next_end, 62, "the window that completes next");
    let behind = state.advanced_to.iter().filter(|&&row| row < 61);
    // Its own group, and one step of the next: the others wait.
    assert_eq!(behind.count(), state.advanced_to.len() - 2);
    assert_eq!(slide.waiting(), 1);
}

/// Appends rows 1 to `last` of key 0, doing all deferred work after each; gives the score of the last.
fn score_of_last(
    windows: &mut RecurrentWindows,
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
    for cell in CELLS {
        // Layers whose padding differs with the width of a register.
        let network = network(cell, 12, &[5, 20]);
        let right = whole(&PackedRecurrent::new(&network, Isa::Scalar), 0, 30);
        for from in Isa::available() {
            for to in Isa::available() {
                let packed = [from, to].map(|isa| Arc::new(PackedRecurrent::new(&network, isa)));
                let [mut first, mut second] = packed.map(|packed| RecurrentWindows::new(packed, 3));
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
    let recurrent = Arc::new(PackedRecurrent::new(
        &network(CellKind::Lstm, 12, &[5]),
        Isa::best(),
    ));
    let mut windows = RecurrentWindows::new(Arc::clone(&recurrent), 1);
    let mut states = SlideStateTable::new();
    for key in [0, 1] {
        let request = WindowRequest::Row { key, due: false };
        windows.step(&mut states, &[request], &row(key, 1), &mut vec![]);
    }
    windows.run_deferred_work(&mut states, || true);
    states.fill(None);
    assert!(
        windows.run_deferred_work(&mut states, || true),
        "nothing is left to do"
    );
    assert_eq!(windows.waiting(), 0);
    let right = whole(&recurrent, 0, 20);
    assert_eq!(score_of_last(&mut windows, &mut states, 1..=20), right);
}

#[test]
fn a_saved_state_of_other_windows_is_refused() {
    let packed = |steps, units: &[usize]| {
        Arc::new(PackedRecurrent::new(
            &network(CellKind::Lstm, steps, units),
            Isa::best(),
        ))
    };
    let mut windows = RecurrentWindows::new(packed(12, &[5, 4]), 1);
    let mut states = SlideStateTable::new();
    score_of_last(&mut windows, &mut states, 1..=20);
    let state = states[0].as_mut().expect("it has rows");
    assert_eq!(windows.restore(0, state), Ok(()));
    for (steps, units, every) in [
        (13, &[5, 4][..], 1),
        (12, &[40, 4], 1),
        (12, &[5], 1),
        (12, &[5, 4], 2),
    ] {
        let mut other = RecurrentWindows::new(packed(steps, units), every);
        assert_eq!(
            other.restore(0, state),
            Err(StateMismatch),
            "{steps} {units:?} {every}"
        );
    }
}

/// After `begin` the rows of a window's length are enough for all windows behind them, and for a repeat.
#[test]
fn a_key_that_begins_anew_goes_on_with_the_same_bits() {
    for (cell, steps, units) in [
        (CellKind::Lstm, 12, &[40, 9][..]),
        (CELLS[1], 30, &[40, 9]),
        (CELLS[2], 2, &[5, 4]),
        (CellKind::Lstm, 1, &[5]),
    ] {
        let recurrent = Arc::new(PackedRecurrent::new(
            &network(cell, steps, units),
            Isa::best(),
        ));
        for known in [0, 1, steps as u64 - 1, 45] {
            let mut windows = RecurrentWindows::new(Arc::clone(&recurrent), 1);
            let mut states = SlideStateTable::new();
            // Rows that count no more.
            score_of_last(&mut windows, &mut states, 201..=233);
            let first = known.saturating_sub(steps as u64);
            let mut requests = vec![WindowRequest::Begin {
                key: 0,
                rows: first,
            }];
            let (mut cells, mut right, mut scores) = (vec![], vec![], vec![]);
            for number in first + 1..=known + 20 {
                let due = number > known && number >= steps as u64;
                requests.push(WindowRequest::Row { key: 0, due });
                cells.extend(row(0, number));
                if due {
                    right.extend(whole(&recurrent, 0, number));
                }
                if number == known && known >= steps as u64 {
                    requests.push(WindowRequest::Repeat { key: 0 });
                    right.extend(whole(&recurrent, 0, number));
                }
            }
            windows.step(&mut states, &requests, &cells, &mut scores);
            assert_eq!(scores, right, "{cell:?}, {steps} steps, {known} rows known");
        }
    }
}
