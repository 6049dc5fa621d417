//! The kernels against plain loops in f64, and every set of instructions against the scalar one.

use proptest::prelude::*;

use super::*;

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

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// A layer of one kind, its rows, and the outputs, carry and update gate of a step.
fn step(isa: Isa, cell: StepKind, [rows, units, inputs]: [usize; 3], known: bool) -> [Vec<f32>; 3] {
    let (gates, padded) = (cell.gates(), isa.padded(units));
    let w = numbers(gates * units * inputs, 1, 0.8);
    let r = numbers(gates * units * units, 2, 0.8);
    let b = numbers(gates * units, 3, 1.5);
    let w = PackedWeights::pack(
        isa,
        [gates, units, inputs],
        |g, u, k| w[(g * units + u) * inputs + k],
        |_, _| 0.0,
    );
    let r = PackedWeights::pack(
        isa,
        [gates, units, units],
        |g, u, k| r[(g * units + u) * units + k],
        |g, u| b[g * units + u],
    );
    let (x, h) = (
        numbers(rows * inputs, 4, 2.0),
        numbers(rows * units, 5, 1.0),
    );
    let mut carry = vec![0.0; rows * padded];
    for (row, cells) in carry.chunks_exact_mut(padded).enumerate() {
        cells[..units].copy_from_slice(&numbers(units, 6 + row as u64, 1.0));
    }
    let at = |width: usize| (0..rows).map(|row| row * width).collect::<Vec<_>>();
    let (x_at, h_at, known_at, carry_at) = (at(inputs), at(units), at(r.width()), at(padded));
    let (x, h) = (
        InputRows {
            cells: &x,
            at: &x_at,
        },
        InputRows {
            cells: &h,
            at: &h_at,
        },
    );
    let mut sums = vec![0.0; rows * r.width()];
    r.sums(h, &mut sums);
    let recurrent = if known {
        GateSum::Precomputed(InputRows {
            cells: &sums,
            at: &known_at,
        })
    } else {
        GateSum::Product(&r, h)
    };
    let (mut update_gate, mut out) = (vec![1.5; rows * padded], vec![0.0; rows * padded]);
    isa.step(LayerStep {
        kind: cell,
        units,
        recurrent,
        input: GateSum::Product(&w, x),
        carry: &mut carry,
        carry_at: &carry_at,
        update_gate: &mut update_gate,
        out: &mut out,
    });
    let own = |cells: Vec<f32>| {
        let rows = cells.chunks_exact(padded).map(|row| row[..units].to_vec());
        rows.collect::<Vec<_>>().concat()
    };
    [own(out), own(carry), own(update_gate)]
}

const CELLS: [StepKind; 4] = [
    StepKind::Lstm,
    StepKind::Gru,
    StepKind::GruGates,
    StepKind::GruCandidate,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 64 }))]

    #[test]
    fn every_processor_gives_the_same_bits(
        cell in 0_usize..4, rows in 1_usize..15, units in 1_usize..40, inputs in 1_usize..20,
    ) {
        let (cell, shape) = (CELLS[cell], [rows, units, inputs]);
        let scalar = step(Isa::Scalar, cell, shape, false);
        for isa in Isa::available() {
            for known in [false, true] {
                let other = step(isa, cell, shape, known);
                for (scalar, other) in scalar.iter().zip(&other) {
                    prop_assert_eq!(bits(scalar), bits(other), "{:?} known {}", isa, known);
                }
            }
        }
    }

    #[test]
    fn a_row_gives_the_same_bits_beside_any_other_rows(
        cell in 0_usize..4, rows in 2_usize..15, units in 1_usize..40,
    ) {
        for isa in Isa::available() {
            let many = step(isa, CELLS[cell], [rows, units, 7], false);
            let alone = step(isa, CELLS[cell], [1, units, 7], false);
            for (many, alone) in many.iter().zip(&alone) {
                prop_assert_eq!(bits(&many[..units]), bits(alone), "{:?}", isa);
            }
        }
    }

    #[test]
    fn dense_sums_have_the_same_order_on_every_processor(outputs in 1_usize..20, inputs in 1_usize..40) {
        let w = numbers(outputs * inputs, 8, 1.0);
        let x = numbers(inputs, 9, 1.0);
        let dense = |isa: Isa| {
            let weight = |_, o: usize, k: usize| w[o * inputs + k];
            let weights = PackedWeights::pack(isa, [1, outputs, inputs], weight, |_, o| o as f32);
            let mut out = vec![0.0; isa.padded(outputs)];
            isa.dense(DenseStep { weights: &weights, input: &x, out: &mut out });
            out.truncate(outputs);
            out
        };
        let scalar = dense(Isa::Scalar);
        for (o, y) in scalar.iter().enumerate() {
            let products = w[o * inputs..][..inputs].iter().zip(&x).map(|(w, x)| f64::from(w * x));
            let sum = o as f64 + products.sum::<f64>();
            prop_assert!((f64::from(*y) - sum).abs() < 1e-5, "{} {}", y, sum);
        }
        for isa in Isa::available() {
            prop_assert_eq!(bits(&scalar), bits(&dense(isa)), "{:?}", isa);
        }
    }
}

#[test]
fn activations_are_within_4e_7_of_the_exact_values() {
    let step = if cfg!(miri) { 0.731 } else { 0.000_731 };
    let points = (0..)
        .map(|i| -30.0 + f64::from(i) * step)
        .take_while(|x| *x < 30.0);
    let xs: Vec<f32> = points.map(|x| x as f32).chain([1e-6, -3e-4, 0.0]).collect();
    for isa in Isa::available() {
        let (mut logistic, mut tanh) = (xs.clone(), xs.clone());
        isa.sigmoid(&mut logistic);
        isa.tanh(&mut tanh);
        for ((x, logistic), tanh) in xs.iter().zip(&logistic).zip(&tanh) {
            let (x, near) = (f64::from(*x), 4e-7);
            let right = 1.0 / (1.0 + libm::exp(-x));
            assert!(
                (f64::from(*logistic) / right - 1.0).abs() < near,
                "σ({x}) = {logistic}, not {right}"
            );
            let right = libm::tanh(x);
            let error = (f64::from(*tanh) - right).abs();
            assert!(
                error <= near * right.abs(),
                "tanh({x}) = {tanh}, not {right}"
            );
        }
    }
}

#[test]
fn softmax_sums_to_one_and_nan_stays_nan() {
    for isa in Isa::available() {
        let mut scores = [1.0, 2.0, 3.0];
        isa.softmax(&mut scores);
        assert_eq!(scores, [0.090_030_57, 0.244_728_48, 0.665_240_94]);
        let mut none = [f32::NAN, 1.0, f32::INFINITY, f32::NEG_INFINITY];
        isa.sigmoid(&mut none);
        assert!(none[0].is_nan() && none[2] == 1.0 && none[3] < 1e-17);
        let mut none = [f32::NAN, f32::INFINITY];
        isa.tanh(&mut none);
        assert!(none[0].is_nan() && none[1] == 1.0);
    }
}

#[test]
#[should_panic(expected = "a row reaches beyond its cells")]
fn rows_beyond_their_cells_are_refused() {
    let isa = Isa::best();
    let panels = PackedWeights::pack(isa, [1, 1, 4], |_, _, _| 0.0, |_, _| 0.0);
    let rows = InputRows {
        cells: &[0.0; 5],
        at: &[0, 2],
    };
    panels.sums(rows, &mut vec![0.0; 2 * panels.width()]);
}
