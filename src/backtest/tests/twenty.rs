//! Twenty trades on quotes, computed by hand.

use super::*;

/// A trade: the score, the quote at the signal, the quote at the exit, what it wins before fees, its fees.
///
/// It is of 2: a buyer pays the ask and gets the bid, a seller the other way. Fees are 10 basis points of
/// both notionals.
type ByHand = (f64, [&'static str; 2], [&'static str; 2], f64, f64);

const TWENTY: [ByHand; 20] = [
    (0.5, ["99", "101"], ["104", "106"], 6.0, 0.41),
    (-0.5, ["104", "106"], ["99", "101"], 6.0, 0.41),
    (0.5, ["99", "101"], ["99", "101"], -4.0, 0.40),
    (-0.5, ["99", "101"], ["99", "101"], -4.0, 0.40),
    (0.9, ["100", "101"], ["110", "111"], 18.0, 0.422),
    (-0.2, ["110", "111"], ["120", "121"], -22.0, 0.462),
    (0.2, ["120", "121"], ["121", "122"], 0.0, 0.484),
    (-0.3, ["121", "122"], ["120", "121"], 0.0, 0.484),
    (1.0, ["50", "50.5"], ["49", "49.5"], -3.0, 0.199),
    (-1.0, ["49", "49.5"], ["48", "48.5"], 1.0, 0.195),
    (0.4, ["48.25", "48.5"], ["48.75", "49"], 0.5, 0.1945),
    (-0.4, ["48.75", "49"], ["48.25", "48.5"], 0.5, 0.1945),
    (0.2, ["10", "20"], ["10", "20"], -20.0, 0.06),
    (-0.2, ["10", "20"], ["10", "20"], -20.0, 0.06),
    (0.2, ["10", "11"], ["12", "13"], 2.0, 0.046),
    (-0.2, ["12", "13"], ["10", "11"], 2.0, 0.046),
    (0.2, ["1000", "1001"], ["1003", "1004"], 4.0, 4.008),
    (-0.2, ["1003", "1004"], ["1000", "1001"], 4.0, 4.008),
    (0.2, ["1000", "1001"], ["1000.5", "1001.5"], -1.0, 4.003),
    (-0.2, ["1000.5", "1001.5"], ["999", "1000"], 1.0, 4.001),
];

/// One trade every 1.5 s: its order takes effect after 0.1 s, before a quote that means nothing, and the exit
/// a second later, after the second quote. What else is signalled is passed over.
fn script() -> Script {
    let mut script = Script::default();
    for (number, (score, entry, exit, ..)) in TWENTY.iter().enumerate() {
        let ms = 1_500 * number as i64;
        script = script
            .quote(ms, entry[0], entry[1])
            .signal(ms, *score)
            .signal(ms + 50, -score)
            .signal(ms + 200, -score)
            .quote(ms + 500, "1", "10000")
            .quote(ms + 1_000, exit[0], exit[1])
            .signal_of(ms + 1_200, *score, Quality::Stale)
            .signal(ms + 1_201, 0.199);
    }
    script.quote(30_000, "1", "10000")
}

#[test]
fn twenty_trades_win_what_was_computed_by_hand() {
    let outcome = script().play(FillOn::Quotes, &terms());
    let tally = &outcome.tally;
    let trips = tally.trips.as_ref().unwrap();
    assert_eq!(trips.len(), 20);
    for (number, (trip, (score, .., gross, fees))) in trips.iter().zip(TWENTY).enumerate() {
        let ms = 1_500 * number as i64;
        assert_eq!(
            (trip.entered, trip.exited),
            ((ms + 100) * MS, (ms + 1_100) * MS)
        );
        assert_eq!(
            (trip.signal.score, trip.sign),
            (score, score.signum() as i8)
        );
        assert_eq!(
            (trip.quantity, trip.reason),
            (quantity("2"), ExitReason::Hold)
        );
        near(trip.gross(), gross);
        near(trip.fees, fees);
    }
    let all = &tally.all;
    near(all.gross, -29.0);
    near(all.fees, 20.487);
    near(all.net(), -49.487);
    assert_eq!((all.trades, all.wins, all.gross_wins), (20, 8, 11));
    near(all.hit_rate().unwrap(), 0.4);
    // Fees of 10 basis points are a thousandth of the turnover.
    near(all.turnover, 20_487.0);
    near(all.breakeven_bps().unwrap(), -29.0 / 20_487.0 * 10_000.0);
    assert_eq!(tally.by_exit[&ExitReason::Hold], 20);
    assert_eq!(tally.held_ns, 20_000 * i128::from(MS));
    let passed_over: Vec<_> = tally
        .passed_over
        .iter()
        .map(|(why, count)| (*why, *count))
        .collect();
    let expected = [
        (PassedOver::Quality, 20),
        (PassedOver::Order, 20),
        (PassedOver::Weak, 20),
        (PassedOver::Held, 20),
    ];
    assert_eq!(passed_over, expected);
    assert!(outcome.open.is_empty());
}

#[test]
fn the_equity_curve_ends_at_what_was_won() {
    let outcome = script().play(FillOn::Quotes, &terms());
    let equity = &outcome.equity;
    near(equity.last.unwrap().net(), -49.487);
    near(equity.changes.mean() * equity.changes.count(), -49.487);
    // At 1 s the first position of 2 is held at the middle of 104 and 106, and its first fee is paid.
    let points = equity.points.as_ref().unwrap();
    assert_eq!(points[0].ts, 1_000 * MS);
    near(points[0].gross, 2.0 * (105.0 - 101.0));
    near(points[0].costs, 0.202);
    near(points[0].exposure, 210.0);
    // At 2 s the first is closed, and the second holds −2 at the middle of 1 and 10000.
    near(points[1].gross, 6.0 + 2.0 * (104.0 - 5_000.5));
    let lows = points.iter().scan(0.0_f64, |peak, point| {
        *peak = peak.max(point.net());
        Some(*peak - point.net())
    });
    near(equity.max_drawdown, lows.fold(0.0, f64::max));
    // Samples at 1, 2, … 30 s: even seconds of each three that begin with a trade are without a position.
    assert_eq!(equity.changes.count(), 30.0);
    assert_eq!(equity.samples_held, 20);
}

#[test]
fn steps_of_any_size_give_the_same() {
    let (one, all) = (
        script().play(FillOn::Quotes, &terms()),
        script().play_at_once(FillOn::Quotes, &terms()),
    );
    assert_eq!(one.tally.trips, all.tally.trips);
    assert_eq!(one.tally.passed_over, all.tally.passed_over);
    assert_eq!(one.equity.points, all.equity.points);
    assert_eq!(one.equity.changes, all.equity.changes);
}
