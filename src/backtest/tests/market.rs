//! Market orders: levels, times, gaps, ends, and the costs of holding.

use super::*;

#[test]
fn an_order_walks_the_levels_and_keeps_what_is_not_shown() {
    let script = Script::default()
        .book(0, &[("99", "1")], &[("101", "0.5"), ("102", "0.75")])
        .signal(0, 0.3)
        .book(500, &[("100", "1"), ("98", "5")], &[("110", "9")])
        .book(2_000, &[("50", "9")], &[("51", "9")]);
    let outcome = script.play(FillOn::Book, &terms());
    // 0.5 at 101 and 0.75 at 102 are all there is of 2. Out at 100 for 1, and at 98 for the rest.
    let entry = 0.5 * 101.0 + 0.75 * 102.0;
    let exit = 1.0 * 100.0 + 0.25 * 98.0;
    assert_eq!(trips(&outcome), [(1, 100, 1_100, entry, exit)]);
    let trip = outcome.tally.trips.as_ref().unwrap()[0];
    assert_eq!((trip.quantity, trip.fills), (quantity("1.25"), 4));
    assert_eq!(
        (outcome.tally.partly_filled, outcome.tally.unfilled),
        (1, 0)
    );
}

#[test]
fn an_order_meets_the_updates_of_its_own_time_and_no_later_ones() {
    let at = |ms| {
        Script::default()
            .quote(0, "99", "100")
            .signal(0, 0.3)
            .quote(ms, "199", "200")
            .quote(5_000, "299", "300")
            .play(FillOn::Quotes, &terms())
    };
    assert_eq!(trips(&at(100))[0].3, 400.0);
    assert_eq!(trips(&at(101))[0].3, 200.0);
}

#[test]
fn a_signal_at_the_time_of_the_exit_may_enter_again() {
    let again = |ms| {
        Script::default()
            .quote(0, "99", "100")
            .signal(0, 0.3)
            .quote(1_050, "99", "100")
            .signal(ms, 0.3)
            .quote(5_000, "99", "100")
            .play(FillOn::Quotes, &terms())
    };
    assert_eq!(trips(&again(1_100)).len(), 2);
    assert_eq!(trips(&again(1_099)).len(), 1);
}

#[test]
fn what_is_open_at_the_end_is_no_trade() {
    let script = Script::default()
        .quote(0, "99", "101")
        .signal(0, 0.3)
        .quote(1_099, "103", "105");
    let outcome = script.play(FillOn::Quotes, &terms());
    assert!(trips(&outcome).is_empty());
    let open = outcome.open[0];
    near(open.gross_at(open.mid), 2.0 * (104.0 - 101.0));
    near(open.trip.fees, 0.202);
    near(outcome.equity.last.unwrap().net(), 6.0 - 0.202);
    // The market must be known at the time of the exit.
    let known = script
        .quote(1_100, "103", "105")
        .play(FillOn::Quotes, &terms());
    assert_eq!(trips(&known), [(1, 100, 1_100, 202.0, 206.0)]);
    let late = Script::default().quote(0, "99", "101").signal(0, 0.3);
    let late = late.play(FillOn::Quotes, &terms());
    assert_eq!((late.orders_left, late.open.len()), (1, 0));
}

#[test]
fn a_gap_fills_nothing_and_an_exit_waits_for_it_to_end() {
    let bids = [("99", "9")];
    let asks = [("101", "9")];
    let entry = Script::default()
        .book(0, &bids, &asks)
        .signal(0, 0.3)
        .gap(50)
        .book(200, &bids, &asks)
        .play(FillOn::Book, &terms());
    assert_eq!((entry.tally.unfilled, trips(&entry).len()), (1, 0));
    let exit = Script::default()
        .book(0, &bids, &asks)
        .signal(0, 0.3)
        .book(150, &bids, &asks)
        .gap(1_000)
        .book(1_700, &[("105", "9")], &[("106", "9")])
        .book(1_800, &bids, &asks)
        .play(FillOn::Book, &terms());
    assert_eq!(trips(&exit), [(1, 100, 1_700, 202.0, 210.0)]);
    assert_eq!(exit.tally.delayed_exits, 1);
}

#[test]
fn a_reversal_ends_one_round_trip_and_begins_the_next() {
    let flips = Terms {
        rule: Rule {
            flip: true,
            hold_ns: None,
            exit: Some(0.0),
            ..terms().rule
        },
        ..terms()
    };
    let script = Script::default()
        .quote(0, "99", "101")
        .signal(0, 0.3)
        .quote(1_000, "109", "111")
        .signal(1_000, -0.3)
        .quote(2_000, "89", "91")
        .signal(2_000, 0.1)
        .quote(3_000, "1", "2");
    let outcome = script.play(FillOn::Quotes, &flips);
    assert_eq!(
        trips(&outcome),
        [
            (1, 100, 1_100, 202.0, 218.0),
            (-1, 1_100, 2_100, 218.0, 182.0)
        ]
    );
    let reasons = outcome.tally.by_exit.keys().copied();
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        [ExitReason::Exit, ExitReason::Flip]
    );
}

/// Of an order of 2 the market shows 0.5; a later signal towards the position finds more.
#[test]
fn a_position_that_was_filled_in_part_is_added_to_only_where_the_rule_adds() {
    let script = Script::default()
        .book(0, &[("99", "9")], &[("101", "0.5")])
        .signal(0, 0.3)
        .book(500, &[("99", "9")], &[("101", "9")])
        .signal(500, 0.3)
        .book(5_000, &[("99", "9")], &[("101", "9")]);
    let kept = script.play(FillOn::Book, &terms());
    assert_eq!(trips(&kept), [(1, 100, 1_100, 50.5, 49.5)]);
    assert_eq!(kept.tally.passed_over[&PassedOver::Held], 1);
    let mut adds = terms();
    adds.rule.adds = true;
    let added = script.play(FillOn::Book, &adds);
    assert_eq!(trips(&added), [(1, 100, 1_600, 202.0, 198.0)]);
}

#[test]
fn added_fills_prolong_a_position() {
    let mut adds = terms();
    (adds.rule.max_position, adds.rule.adds) = (quantity("3"), true);
    let script = Script::default()
        .quote(0, "99", "100")
        .signal(0, 0.3)
        .quote(500, "109", "110")
        .signal(500, 0.3)
        .quote(5_000, "119", "120");
    let outcome = script.play(FillOn::Quotes, &adds);
    assert_eq!(
        trips(&outcome),
        [(1, 100, 1_600, 200.0 + 110.0, 3.0 * 109.0)]
    );
}

#[test]
fn holding_costs_funding_and_borrowing() {
    let hour = 3_600_000;
    let mut held = terms();
    held.rule.hold_ns = Some(9 * hour * MS);
    held.carry = Carry {
        funding_bps: 1.0,
        funding_ns: 8 * hour * MS,
        borrow_bps: 365.0,
        ..Carry::default()
    };
    let script = |score| {
        Script::default()
            .quote(hour, "99", "101")
            .signal(hour, score)
            .quote(2 * hour, "199", "201")
            .quote(11 * hour, "99", "101")
            .play(FillOn::Quotes, &held)
    };
    let carry = |outcome: &TrialOutcome| outcome.tally.trips.as_ref().unwrap()[0].carry;
    // At 8:00 the middle is 200: 2 of it pay a ten-thousandth.
    near(carry(&script(0.3)), 2.0 * 200.0 / 10_000.0);
    // A short one is paid that, and pays 365 basis points a year on 198 for 9 of 24 hours.
    near(carry(&script(-0.3)), -0.04 + 198.0 / 10_000.0 * 9.0 / 24.0);
}

#[test]
fn sides_that_are_empty_or_crossed_fill_nothing() {
    let script = |bid, ask| {
        Script::default()
            .quote(0, bid, ask)
            .signal(0, 0.3)
            .quote(5_000, "99", "101")
            .play(FillOn::Quotes, &terms())
    };
    assert_eq!(script("101", "101").tally.unfilled, 1);
    let mut script = Script::default().quote(0, "99", "101").signal(0, 0.3);
    if let Body::Quote(quote) = &mut script.steps[0].0.events[0].body {
        (quote.ask_px, quote.ask_sz) = (Price::UNDEFINED, Size::ZERO);
    }
    let outcome = script
        .quote(5_000, "99", "101")
        .play(FillOn::Quotes, &terms());
    assert_eq!(outcome.tally.unfilled, 1);
}

#[test]
fn on_bars_orders_wait_for_the_next_open() {
    let mut on_bars = terms();
    on_bars.latency.constant_ns = 0;
    on_bars.rule.hold_ns = Some(1_500 * MS);
    on_bars.fees.taker_bps = 0.0;
    let bars = FillOn::Bars {
        length_ns: 1_000 * MS,
    };
    // Bars of a second; the signal of the first takes effect at its end, where the second begins.
    let script = Script::default()
        .bar(1_000, "100", "101")
        .signal(1_000, 0.3)
        .bar(2_000, "102", "103")
        .bar(3_000, "104", "105")
        .bar(4_000, "106", "107")
        .bar(5_000, "108", "109");
    let outcome = script.play(bars, &on_bars);
    // Held until 2,500, within the third bar: the next open is that of the fourth.
    assert_eq!(trips(&outcome), [(1, 1_000, 3_000, 204.0, 212.0)]);
    assert_eq!(outcome.tally.delayed_exits, 0);
    assert_eq!(trips(&script.play_at_once(bars, &on_bars)), trips(&outcome));
    // With a latency the order takes effect within the second bar, and is filled at the open of the third.
    on_bars.latency.constant_ns = 100 * MS;
    let outcome = script.play(bars, &on_bars);
    assert_eq!(trips(&outcome)[0], (1, 2_000, 4_000, 208.0, 216.0));
    // Sessions: a bar begins long after the end of the one before.
    let short = FillOn::Bars {
        length_ns: 300 * MS,
    };
    let outcome = script.play(short, &on_bars);
    assert_eq!(trips(&outcome)[0].1, 1_700);
}

#[test]
fn instruments_may_have_sizes_and_rates_of_their_own() {
    let hour = 3_600_000;
    let mut held = terms();
    held.rule.hold_ns = Some(9 * hour * MS);
    held.own = Arc::new(OwnTerms {
        sizes: [("BTC".to_owned(), quantity("0.5"))].into(),
        funding: [(
            "BTC".to_owned(),
            [(2 * hour * MS, 3.0), (8 * hour * MS, -1.0)].into(),
        )]
        .into(),
        borrowing: [(
            EVERY.to_owned(),
            [(0, 365.0), (5 * hour * MS, 730.0)].into(),
        )]
        .into(),
    });
    let play = |names: &[&str], score| {
        let script = Script::default()
            .quote(hour, "99", "101")
            .signal(hour, score)
            .quote(2 * hour, "199", "201")
            .quote(11 * hour, "99", "101");
        let keep = vec![(held.clone(), Keep::All)];
        let mut backtest = Backtest::new(FillOn::Quotes, 1_000 * MS, TradedSpan::default(), keep);
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        backtest.list(&names);
        for (batch, signals) in &script.steps {
            backtest.step(batch, signals);
        }
        backtest.finish().0.remove(0).tally.trips.unwrap()[0]
    };
    // From 2:00 on the middle is 200.
    let own = play(&["BTC"], 0.3);
    assert_eq!(own.quantity, quantity("0.5"));
    near(own.carry, 0.5 * 200.0 * (3.0 - 1.0) / 10_000.0);
    // A short one borrows nearly four hours at 365 basis points a year, and five at twice that.
    let own = play(&["BTC"], -0.3);
    let late = 100.0 / hour as f64;
    let hours = (4.0 - late) + 2.0 * (5.0 + late);
    let funding = -0.5 * 200.0 * (3.0 - 1.0) / 10_000.0;
    near(own.carry, funding + 0.5 * 99.0 / 10_000.0 * hours / 24.0);
    // Others have the size of all, and rates that are for all.
    let other = play(&["ETH"], 0.3);
    assert_eq!((other.quantity, other.carry), (quantity("2"), 0.0));
}
