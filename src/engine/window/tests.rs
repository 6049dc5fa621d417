//! Windows against a slow twin, and the borders of their spans.

use proptest::prelude::*;

use super::*;

/// The slow twin: keeps everything, looks at everything.
fn slow(history: &[(i64, f64)], span: Span, now: i64) -> Vec<f64> {
    let kept = match span {
        Span::Count(n) => &history[history.len().saturating_sub(n)..],
        Span::Time(_) => history,
    };
    let young = |ts: i64| matches!(span, Span::Count(_)) || span.keeps(ts, now, 0);
    kept.iter()
        .filter(|(ts, _)| young(*ts))
        .map(|(_, value)| *value)
        .collect()
}

fn close(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-9 * scale.max(1e-12)
}

proptest! {
    #[test]
    fn windows_equal_their_slow_twin(
        steps in prop::collection::vec((0_i64..40, -1.0_f64..1.0, 0_u8..30), 1..400),
        by_time in any::<bool>(),
        length in 1_i64..90,
        offset in prop::sample::select(vec![0.0, 60_000.0]),
    ) {
        let span = if by_time { Span::Time(length) } else { Span::Count(length as usize) };
        let (mut moments, mut sums) = (Moments::new(span), Sums::<1>::new(span));
        let (mut least, mut most) = (Extreme::smallest(span), Extreme::largest(span));
        let (mut now, mut history) = (0, Vec::new());
        for (wait, value, outlier) in steps {
            now += wait;
            if outlier == 1 {
                history.push((now, f64::NAN));
                moments.push_undefined(now);
                sums.push_undefined(now);
                least.push_undefined(now);
                most.push_undefined(now);
            } else {
                let value = offset + if outlier == 0 { value * 1e6 } else { value };
                history.push((now, value));
                moments.push(now, value);
                sums.push(now, [value]);
                least.push(now, value);
                most.push(now, value);
            }
            let twin = slow(&history, span, now);
            let undefined = twin.iter().any(|value| value.is_nan());
            prop_assert_eq!(moments.holds_undefined(now), undefined);
            prop_assert_eq!(sums.holds_undefined(now), undefined);
            prop_assert_eq!(least.holds_undefined(now), undefined);
            prop_assert_eq!(most.holds_undefined(now), undefined);
            if undefined {
                continue;
            }
            let n = twin.len() as f64;
            let mean = twin.iter().sum::<f64>() / n;
            let std = (twin.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
            let scale = twin.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
            prop_assert!(close(moments.mean().unwrap(), mean, scale));
            prop_assert!(close(moments.std(), std, scale), "{} {}", moments.std(), std);
            prop_assert!(close(sums.sums()[0], mean * n, 1e6 * n));
            prop_assert_eq!(least.value(), twin.iter().copied().reduce(f64::min));
            prop_assert_eq!(most.value(), twin.iter().copied().reduce(f64::max));
        }
    }
}

/// A step of time, and a value, an outlier, a repeat of the value before or an undefined one.
fn values(offset: f64, steps: Vec<(i64, f64, u8)>) -> Vec<(i64, f64)> {
    let (mut now, mut last) = (0, offset);
    let mut history = vec![];
    for (wait, value, what) in steps {
        now += wait;
        last = match what {
            0 => offset + value * 1e6,
            2..6 => last,
            _ => offset + value,
        };
        history.push((now, if what == 1 { f64::NAN } else { last }));
    }
    history
}

/// Feeds a rolling window up to and with the value at `at`.
fn feed<A: Aggregate>(window: &mut Rolling<A>, (now, entry): (i64, A::Entry), undefined: bool) {
    match undefined {
        true => window.push_undefined(now),
        false => window.push(now, entry),
    }
}

/// The mean of the powers about the mean.
fn moment(values: &[f64], power: i32) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|x| x - values[0]).sum::<f64>() / n;
    let powers = values.iter().map(|x| (x - values[0] - mean).powi(power));
    powers.sum::<f64>() / n
}

fn near(ours: f64, twin: f64, room: f64) -> bool {
    ours.is_nan() && twin.is_nan() || (ours - twin).abs() <= room * twin.abs().max(1.0)
}

proptest! {
    #[test]
    fn rolling_windows_equal_their_slow_twin(
        steps in prop::collection::vec((0_i64..40, -1.0_f64..1.0, 0_u8..30), 1..400),
        by_time in any::<bool>(),
        length in 1_i64..90,
        offset in prop::sample::select(vec![0.0, 60_000.0]),
        ddof in 0_usize..3,
    ) {
        let span = if by_time { Span::Time(length) } else { Span::Count(length as usize) };
        let history = values(offset, steps);
        let (mut shape, mut ranks) = (Rolling::<Shape>::new(span), Rolling::<Ranks>::new(span));
        let (mut products, mut ends) = (Rolling::<Products>::new(span), Rolling::<Lag>::new(span));
        for at in 0..history.len() {
            let (now, value) = history[at];
            let is_undefined = value.is_nan();
            feed(&mut shape, (now, value), is_undefined);
            feed(&mut ranks, (now, value), is_undefined);
            feed(&mut products, (now, value - offset), is_undefined);
            feed(&mut ends, (now, value), is_undefined);
            let twin = slow(&history[..=at], span, now);
            let both = twin.first().copied().zip(twin.last().copied());
            let both = both.filter(|(first, last)| !first.is_nan() && !last.is_nan());
            prop_assert_eq!(ends.ends(), both);
            let undefined = twin.iter().any(|value| value.is_nan());
            for held in [shape.holds_undefined(now), ranks.holds_undefined(now),
                         products.holds_undefined(now)] {
                prop_assert_eq!(held, undefined);
            }
            if undefined {
                continue;
            }
            let (n, newest) = (twin.len() as f64, value);
            let are_equal = twin.iter().all(|&x| x == newest);
            let below = twin.iter().filter(|&&x| x < newest).count() as f64;
            let equal = twin.iter().filter(|&&x| x == newest).count() as f64;
            prop_assert_eq!(ranks.rank(), (below + (equal + 1.0) / 2.0) / n);
            let sum: f64 = twin.windows(2).map(|x| (x[0] - offset).abs() * (x[1] - offset).abs()).sum();
            prop_assert!(near(products.aggregate().sum(), sum, 1e-9));
            let (second, third) = (moment(&twin, 2), moment(&twin, 3));
            let deviation = match twin.len() > ddof {
                true => (second * n / (n - ddof as f64)).sqrt(),
                false => f64::NAN,
            };
            if are_equal {
                prop_assert!(shape.z_score(ddof).is_nan() && shape.skew().is_nan());
                continue;
            }
            let mean = twin.iter().map(|x| x - newest).sum::<f64>() / n;
            prop_assert!(near(shape.z_score(ddof), -mean / deviation, 1e-7));
            if twin.len() > 2 {
                let skew = (n * (n - 1.0)).sqrt() / (n - 2.0) * third / libm::pow(second, 1.5);
                prop_assert!(near(shape.skew(), skew, 1e-6), "{} {skew}", shape.skew());
            }
        }
    }

    #[test]
    fn pairs_equal_their_slow_twin(
        steps in prop::collection::vec((0_i64..40, -1.0_f64..1.0, 0_u8..30), 1..400),
        others in prop::collection::vec((-1.0_f64..1.0, 0_u8..30), 400),
        by_time in any::<bool>(),
        length in 1_i64..90,
        offset in prop::sample::select(vec![0.0, 60_000.0]),
    ) {
        let span = if by_time { Span::Time(length) } else { Span::Count(length as usize) };
        let others = others.into_iter().map(|(value, what)| (0, value, what.max(2))).collect();
        let (x, y) = (values(offset, steps), values(1.0, others));
        let mut pairs = Rolling::<Pairs>::new(span);
        for at in 0..x.len() {
            let (now, value) = x[at];
            feed(&mut pairs, (now, [value, y[at].1]), value.is_nan());
            let xs = slow(&x[..=at], span, now);
            let dated = |at: usize| (x[at].0, y[at].1);
            let ys: Vec<_> = (0..=at).map(dated).collect();
            let ys = slow(&ys, span, now);
            if xs.iter().any(|x| x.is_nan()) {
                continue;
            }
            let n = xs.len() as f64;
            let about = |all: &[f64]| -> Vec<f64> {
                let mean = all.iter().map(|one| one - all[0]).sum::<f64>() / n;
                all.iter().map(|one| one - all[0] - mean).collect()
            };
            let vary = |all: &[f64]| all.iter().any(|&one| one != all[0]);
            let (dx, dy) = (about(&xs), about(&ys));
            let product: f64 = dx.iter().zip(&dy).map(|(x, y)| x * y).sum();
            let squares = |all: &[f64]| all.iter().map(|one| one * one).sum::<f64>();
            let (vx, vy) = (squares(&dx), squares(&dy));
            prop_assert_eq!(pairs.slope().is_nan(), !vary(&ys));
            prop_assert_eq!(pairs.correlation().is_nan(), !vary(&ys) || !vary(&xs));
            if vary(&ys) && vary(&xs) {
                prop_assert!(near(pairs.correlation(), product / vx.sqrt() / vy.sqrt(), 1e-7));
                prop_assert!(near(pairs.slope() * (vy / vx).sqrt(), product / vx.sqrt() / vy.sqrt(), 1e-7));
            }
        }
    }
}

#[test]
fn a_time_window_empties_without_new_values() {
    let mut moments = Moments::new(Span::Time(10));
    moments.push(100, 3.0);
    moments.advance(109);
    assert_eq!(moments.mean(), Some(3.0));
    moments.advance(110);
    assert_eq!(
        moments.mean(),
        None,
        "a value leaves when it is exactly as old as the window"
    );
    assert!(moments.is_full(110) && !Moments::new(Span::Time(10)).is_full(1_000));
}

#[test]
fn millions_of_values_do_not_drift() {
    let mut sums = Sums::<1>::new(Span::Count(3));
    let mut moments = Moments::new(Span::Count(3));
    for step in 0..2_000_000_i64 {
        let value = 0.1 * (step % 7) as f64 + 1e5;
        sums.push(step, [value]);
        moments.push(step, value);
    }
    // The last three: 1999997 % 7 = 1, 2, 3 in turn.
    let last: Vec<f64> = (1_999_997..2_000_000)
        .map(|s| 0.1 * (s % 7) as f64 + 1e5)
        .collect();
    let mean = last.iter().sum::<f64>() / 3.0;
    let std = (last.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 3.0).sqrt();
    assert!((sums.sums()[0] - 3.0 * mean).abs() < 1e-9);
    assert!(
        (moments.std() - std).abs() < 1e-9,
        "{} {std}",
        moments.std()
    );
}

#[test]
fn a_window_of_equal_values_does_not_vary_whatever_came_before() {
    let mut shape = Rolling::<Shape>::new(Span::Count(7));
    let mut pairs = Rolling::<Pairs>::new(Span::Count(7));
    for step in 0..2_000_i64 {
        let value = match step % 50 {
            ..20 => 0.1 + step as f64 * 1e-3,
            20 => 1e9,
            _ => 61_234.1,
        };
        shape.push(step, value);
        pairs.push(step, [value, (step % 11) as f64 * 0.1]);
        let is_equal = step % 50 >= 27;
        assert_eq!(shape.z_score(1).is_nan(), is_equal || step == 0, "{step}");
        assert_eq!(
            pairs.correlation().is_nan(),
            is_equal || step == 0,
            "{step}"
        );
        if is_equal {
            assert_eq!((shape.deviation(0), pairs.slope()), (0.0, 0.0), "{step}");
        }
    }
}
