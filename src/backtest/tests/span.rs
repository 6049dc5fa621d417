//! The equity curve covers what is traded, whatever the input has beside it.

use super::*;

/// Quotes each 500 ms from one time to another, in seconds, with a mid that is its second modulo 7; a signal
/// to buy at 10.5 s and one to sell at 14.5 s.
fn script(from: i64, to: i64) -> Script {
    let mut script = Script::default();
    for half in 2 * from..=2 * to {
        let mid = 100 + (half / 2) % 7;
        let (bid, ask) = ((mid - 1).to_string(), (mid + 1).to_string());
        script = script.quote(half * 500, &bid, &ask);
        script = match half {
            21 => script.signal(10_500, 0.3),
            29 => script.signal(14_500, -0.3),
            _ => script,
        };
    }
    script
}

fn span(from: i64, to: i64) -> TradedSpan {
    TradedSpan {
        from: Some(from * 1_000 * MS),
        to: Some(to * 1_000 * MS),
    }
}

fn curve(script: &Script, span: TradedSpan) -> Equity {
    let outcome = script.play_within(span, FillOn::Quotes, &terms());
    assert_eq!(outcome.tally.all.trades, 2);
    outcome.equity
}

/// Positions are held from 10.6 to 11.6 s and from 14.6 to 15.6 s.
#[test]
fn time_beside_the_span_changes_nothing() {
    let own = curve(&script(10, 20), span(10, 20));
    assert_eq!(own.changes.count(), 10.0, "samples at 11, 12, … 20 s");
    assert_eq!(own.samples_held, 2);
    near(own.time_in_market().unwrap(), 0.2);
    for wider in [
        script(3, 20),
        script(10, 700),
        script(1, 90_000),
        script(10, 17),
    ] {
        let wider = curve(&wider, span(10, 20));
        assert_eq!(wider.changes.count(), 10.0);
        near(wider.changes.mean(), own.changes.mean());
        near(
            wider.changes.deviation().unwrap(),
            own.changes.deviation().unwrap(),
        );
        near(wider.below_zero, own.below_zero);
        assert_eq!(wider.samples_held, own.samples_held);
        assert_eq!(wider.exposure, own.exposure);
        assert_eq!(wider.points, own.points);
        assert_eq!(wider.last, own.last);
    }
    // Without a span it is that of the input.
    let all = curve(&script(3, 700), TradedSpan::default());
    assert_eq!(all.changes.count(), 697.0, "samples at 4, 5, … 700 s");
}

/// Signals end at 15 s, and the position that the last one opened is closed at 15.6 s.
#[test]
fn the_span_ends_when_nothing_is_held_any_more() {
    let late = curve(&script(3, 700), span(10, 15));
    assert_eq!(late.changes.count(), 6.0, "samples at 11, 12, … 16 s");
    assert_eq!(late.last.unwrap().ts, 16_000 * MS);
    near(late.changes.mean() * 6.0, late.last.unwrap().net());
    // A position that is held for 100 s is sampled all the time, and one that waits for its order counts the
    // silence before it.
    let mut long = terms();
    long.rule.hold_ns = Some(100_000 * MS);
    let outcome = script(3, 700).play_within(span(10, 11), FillOn::Quotes, &long);
    assert_eq!(outcome.tally.all.trades, 1);
    assert_eq!(outcome.equity.changes.count(), 101.0);
    long.rule.hold_ns = Some(1_000 * MS);
    long.latency.constant_ns = 50_000 * MS;
    let outcome = script(3, 700).play_within(span(10, 11), FillOn::Quotes, &long);
    assert_eq!(outcome.tally.all.trades, 1);
    assert_eq!(outcome.equity.changes.count(), 52.0);
    assert_eq!(outcome.equity.samples_held, 1);
}

#[test]
fn the_kept_samples_are_the_whole_curve() {
    let curve = curve(&script(3, 700), span(5, 30));
    let points = curve.points.as_ref().unwrap();
    let (first, last) = (points[0].ts, points[points.len() - 1].ts);
    assert_eq!((first, last), (6_000 * MS, 30_000 * MS));
    let mut moments = ChangeMoments::default();
    let (mut before, mut held) = (0.0, 0);
    for ts in (first..=last).step_by(1_000 * MS as usize) {
        let point = points.iter().rfind(|point| point.ts <= ts).unwrap();
        moments.add(point.net() - before);
        before = point.net();
        held += u64::from(point.exposure > 0.0);
    }
    assert_eq!(moments.count(), curve.changes.count());
    near(moments.mean(), curve.changes.mean());
    near(
        moments.deviation().unwrap(),
        curve.changes.deviation().unwrap(),
    );
    assert_eq!(held, curve.samples_held);
}
