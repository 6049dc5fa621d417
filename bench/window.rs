//! Sliding windows, one value in and one figure out: ours against recomputing the window each time.

use std::collections::VecDeque;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use foretick::engine::window::{Extreme, Moments, Span, Sums};

fn main() {
    divan::main();
}

/// The cost of measuring: the window moves and computes nothing.
#[divan::bench(args = LENGTHS)]
fn nothing(bencher: Bencher<'_, '_>, length: usize) {
    each_value(bencher, VecDeque::new(), |window, _, value| {
        slide(window, length, value);
        window.len() as f64
    });
}

#[divan::bench(args = LENGTHS)]
fn sum(bencher: Bencher<'_, '_>, length: usize) {
    each_value(
        bencher,
        Sums::<1>::new(Span::Count(length)),
        |window, now, value| {
            window.push(now, [value]);
            window.sums()[0]
        },
    );
}

#[divan::bench(args = LENGTHS)]
fn sum_recomputed(bencher: Bencher<'_, '_>, length: usize) {
    each_value(bencher, VecDeque::new(), |window, _, value| {
        slide(window, length, value);
        window.iter().sum()
    });
}

#[divan::bench(args = LENGTHS)]
fn std(bencher: Bencher<'_, '_>, length: usize) {
    each_value(
        bencher,
        Moments::new(Span::Count(length)),
        |window, now, value| {
            window.push(now, value);
            window.std()
        },
    );
}

#[divan::bench(args = LENGTHS)]
fn std_recomputed(bencher: Bencher<'_, '_>, length: usize) {
    each_value(bencher, VecDeque::new(), |window, _, value| {
        slide(window, length, value);
        let count = window.len() as f64;
        let mean = window.iter().sum::<f64>() / count;
        let squares: f64 = window.iter().map(|x| (x - mean) * (x - mean)).sum();
        (squares / count).sqrt()
    });
}

#[divan::bench(args = LENGTHS)]
fn max(bencher: Bencher<'_, '_>, length: usize) {
    each_value(
        bencher,
        Extreme::largest(Span::Count(length)),
        |window, now, value| {
            window.push(now, value);
            window.value().unwrap_or(f64::NAN)
        },
    );
}

#[divan::bench(args = LENGTHS)]
fn max_recomputed(bencher: Bencher<'_, '_>, length: usize) {
    each_value(bencher, VecDeque::new(), |window, _, value| {
        slide(window, length, value);
        window.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    });
}

const LENGTHS: [usize; 3] = [10, 100, 1_000];
const VALUES: usize = 10_000;

fn each_value<W>(bencher: Bencher<'_, '_>, mut window: W, take: impl Fn(&mut W, i64, f64) -> f64) {
    let values = random_walk();
    let mut now = 0;
    bencher.counter(ItemsCount::new(VALUES)).bench_local(|| {
        for &value in &values {
            now += 1_000_000;
            black_box(take(&mut window, now, value));
        }
    });
}

fn slide(window: &mut VecDeque<f64>, length: usize, value: f64) {
    window.push_back(value);
    if window.len() > length {
        window.pop_front();
    }
}

/// Steps of a linear congruential generator (Knuth, MMIX), summed.
fn random_walk() -> Vec<f64> {
    let (mut state, mut at) = (1_u64, 0.0);
    let step = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        at += (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
        at
    };
    (0..VALUES).map(step).collect()
}
