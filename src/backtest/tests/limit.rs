//! Limit orders, by the risk-averse queue.

use super::*;

fn limit() -> Terms {
    Terms {
        fill: FillModel::Limit(LimitTerms {
            cancel_ns: 1_000 * MS,
            ticks_behind: 0,
            tick: Price::UNDEFINED,
        }),
        ..terms()
    }
}

const BIDS: [(&str, &str); 2] = [("100", "5"), ("99", "7")];
const ASKS: [(&str, &str); 1] = [("101", "5")];

/// A bid of 2 behind 5 at 100, from 100 ms on.
fn placed() -> Script {
    Script::default()
        .book(0, &BIDS, &ASKS)
        .signal(0, 0.3)
        .book(150, &BIDS, &ASKS)
}

/// When the first position was opened, its entry's notional, and its fee before the exit.
fn entry(script: Script, terms: &Terms) -> Option<(i64, f64)> {
    let outcome = script.book(1_500, &BIDS, &ASKS).play(FillOn::Book, terms);
    let closed = outcome.tally.trips.as_ref().unwrap().first().copied();
    let trip = closed.or_else(|| outcome.open.first().map(|open| open.trip));
    // In millionths, because 99.5 times 0.1 has no float of its own.
    trip.map(|trip| (trip.entered / MS, (trip.entry_notional * 1e6).round() / 1e6))
}

#[test]
fn it_waits_for_the_volume_ahead_to_trade() {
    let sold = |volume| placed().trade(300, "100", volume, Side::Sell);
    assert_eq!(entry(sold("5"), &limit()), None);
    assert_eq!(entry(sold("6.5"), &limit()), Some((300, 150.0)));
    assert_eq!(entry(sold("9"), &limit()), Some((300, 200.0)));
    let twice = sold("4").trade(400, "100", "3", Side::Sell);
    assert_eq!(entry(twice, &limit()), Some((400, 200.0)));
}

#[test]
fn trades_of_buyers_and_before_it_rested_do_not_count() {
    let bought = placed().trade(300, "100", "9", Side::Buy);
    assert_eq!(entry(bought, &limit()), None);
    let before = Script::default()
        .book(0, &BIDS, &ASKS)
        .signal(0, 0.3)
        .trade(100, "100", "9", Side::Sell)
        .book(150, &BIDS, &ASKS);
    assert_eq!(entry(before, &limit()), None);
}

#[test]
fn what_is_cancelled_counts_only_where_the_price_shows_less() {
    let shown = |left| placed().book(200, &[("100", left), ("99", "7")], &ASKS);
    let sold = |script: Script| script.trade(300, "100", "2", Side::Sell);
    assert_eq!(entry(sold(shown("4")), &limit()), None);
    assert_eq!(entry(sold(shown("1")), &limit()), Some((300, 100.0)));
    // More behind it changes nothing.
    let more = shown("1").book(250, &[("100", "50")], &ASKS);
    assert_eq!(entry(sold(more), &limit()), Some((300, 100.0)));
}

#[test]
fn it_is_filled_whole_where_the_market_goes_through_its_price() {
    let through = placed().trade(300, "99.5", "0.1", Side::Sell);
    assert_eq!(entry(through, &limit()), Some((300, 200.0)));
    let reached = placed().book(300, &[("99", "7")], &[("100", "1")]);
    assert_eq!(entry(reached, &limit()), Some((300, 200.0)));
}

#[test]
fn it_is_cancelled_in_time_and_pays_as_a_maker() {
    let late = placed().trade(1_200, "99", "9", Side::Sell);
    let outcome = late.book(1_500, &BIDS, &ASKS).play(FillOn::Book, &limit());
    assert_eq!((outcome.tally.cancelled, outcome.open.len()), (1, 0));
    let filled = placed()
        .trade(300, "99", "9", Side::Sell)
        .book(1_500, &BIDS, &ASKS)
        .play(FillOn::Book, &limit());
    let trip = filled.tally.trips.as_ref().unwrap()[0];
    // 1 basis point of 200 to rest, 10 of 200 to leave; held for a second from the fill on.
    near(trip.fees, 0.02 + 0.2);
    assert_eq!((trip.entered, trip.exited), (300 * MS, 1_300 * MS));
    assert_eq!(filled.tally.cancelled, 0);
}

#[test]
fn ticks_put_it_behind_or_before_the_best_price_but_never_across() {
    let ticks = |ticks_behind| Terms {
        fill: FillModel::Limit(LimitTerms {
            cancel_ns: 1_000 * MS,
            ticks_behind,
            tick: price("0.25"),
        }),
        ..terms()
    };
    let through = |at: &str| placed().trade(300, at, "0.1", Side::Sell);
    assert_eq!(entry(through("99.75"), &ticks(2)), None);
    // Nothing is shown at its price, so that nothing is ahead of it there.
    assert_eq!(entry(through("99.5"), &ticks(2)), Some((300, 9.95)));
    assert_eq!(entry(through("99.25"), &ticks(2)), Some((300, 199.0)));
    assert_eq!(entry(through("100.5"), &ticks(-2)), Some((300, 10.05)));
    assert_eq!(entry(through("100"), &ticks(-4)), None);
    assert_eq!(entry(through("99.75"), &ticks(-4)), Some((300, 200.0)));
}
