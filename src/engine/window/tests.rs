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
