//! Each kind of label against a slow twin that looks at all events at once.

use super::*;
use crate::label::{Barrier, Compared, Horizon, PriceOf};
use crate::time::session::Session;
use crate::units::Nanos;

/// An event: what it left, and whether it made a row, of which the one column is a volatility.
#[derive(Clone, Copy, Debug)]
struct Seen {
    point: LabelPoint,
    row: Option<f64>,
}

/// What a label says of a row: its class, its value, its end.
type Said = Option<(Option<u8>, f64, i64)>;

fn spec(kind: LabelKind) -> LabelSpec {
    LabelSpec {
        name: "l".to_owned(),
        value_column: "l_value".to_owned(),
        end_column: "l_end".to_owned(),
        kind_name: "test",
        kind,
    }
}

/// What the labels say of each row, in the order of rows.
fn said(kind: &LabelKind, events: &[Seen]) -> Vec<Said> {
    let specs = [spec(kind.clone())];
    let mut labels = Labels::new(&specs, "A", &[]);
    let (mut found, mut rows, mut all) = (vec![], 0, vec![]);
    for event in events {
        labels.point(&event.point, &mut found);
        if let Some(cell) = event.row {
            labels.row(rows, &event.point, &[cell], &mut found);
            rows += 1;
            all.push(None);
        }
        for one in found.drain(..) {
            let outcome = one.outcome;
            assert_eq!(all[one.row as usize], None, "a row is resolved once");
            all[one.row as usize] = outcome.map(|one| (one.class, one.value, one.end.0));
        }
    }
    all
}

/// A random walk with equal times, unknown prices, gaps, and rows at two events of three.
fn walk(seed: u64, events: usize) -> Vec<Seen> {
    let mut random = seed;
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) % below
    };
    let (mut now, mut price, mut breaks, mut trade_breaks) = (1_000_000, 100.0, 0, 0);
    let mut event = || {
        now += next(4) as i64;
        price *= 1.0 + (next(201) as f64 - 100.0) * 1e-5;
        breaks += u64::from(next(97) == 0);
        trade_breaks += u64::from(next(89) == 0);
        Seen {
            point: LabelPoint {
                now: Nanos(now),
                mid: (next(19) > 0).then_some(price),
                price: (next(23) > 0).then_some(price * 1.000_1),
                breaks,
                trade_breaks,
            },
            row: (next(3) > 0).then_some(next(20) as f64 * 1e-5),
        }
    };
    (0..events).map(|_| event()).collect()
}

/// What a row at event `i` is, by scanning all events.
fn slow(kind: &LabelKind, all: &[Seen], i: usize) -> Said {
    let price_of = match *kind {
        LabelKind::Move { price, .. }
        | LabelKind::Smoothed { price, .. }
        | LabelKind::Barriers { price, .. }
        | LabelKind::NextSession { price, .. }
        | LabelKind::Volatility { price, .. } => price,
        LabelKind::DefaultWithin { .. } => PriceOf::Mid,
    };
    let price = |at: usize| match price_of {
        PriceOf::Mid => all[at].point.mid,
        PriceOf::Trade => all[at].point.price,
    };
    let breaks = |at: usize| match price_of {
        PriceOf::Mid => all[at].point.breaks,
        PriceOf::Trade => all[at].point.trade_breaks,
    };
    let now = |at: usize| all[at].point.now.0;
    let moved = |before: f64, after: f64, threshold: f64, end: i64| {
        let bps = (after / before - 1.0) * 1e4;
        let class = if bps > threshold {
            2
        } else if bps < -threshold {
            0
        } else {
            1
        };
        (Some(class), bps, end)
    };
    let after = |due: i64| (i + 1..all.len()).find(|at| now(*at) > due);
    let rows_after = || (i + 1..all.len()).filter(|at| all[*at].row.is_some());
    let mean = |rows: Vec<usize>| {
        let known: Vec<f64> = rows.into_iter().filter_map(price).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    match *kind {
        LabelKind::Move {
            horizon,
            threshold_bps,
            ..
        } => {
            let (proof, last, end) = match horizon {
                Horizon::Time(nanos) => {
                    let proof = after(now(i) + nanos)?;
                    (proof, proof - 1, now(i) + nanos)
                }
                Horizon::Rows(rows) => {
                    let at = rows_after().nth(rows as usize - 1)?;
                    (at, at, now(at))
                }
            };
            (breaks(proof) == breaks(i)).then_some(())?;
            Some(moved(price(i)?, price(last)?, threshold_bps, end))
        }
        LabelKind::Smoothed {
            horizon,
            compared,
            threshold_bps,
            ..
        } => {
            let (proof, future, end): (usize, Vec<usize>, i64) = match horizon {
                Horizon::Time(nanos) => {
                    let due = now(i) + nanos;
                    let rows = rows_after().filter(|at| now(*at) <= due).collect();
                    (after(due)?, rows, due)
                }
                Horizon::Rows(rows) => {
                    let next: Vec<usize> = rows_after().take(rows as usize).collect();
                    let at = *next.get(rows as usize - 1)?;
                    (at, next, now(at))
                }
            };
            (breaks(proof) == breaks(i)).then_some(())?;
            let base = match compared {
                Compared::Now => price(i)?,
                Compared::Past => {
                    price(i)?;
                    let same = |at: &usize| all[*at].row.is_some() && breaks(*at) == breaks(i);
                    let past: Vec<usize> = (0..=i).filter(same).collect();
                    let rows = match horizon {
                        Horizon::Time(nanos) => {
                            (now(*past.first()?) <= now(i) - nanos).then_some(())?;
                            past.into_iter()
                                .filter(|at| now(*at) > now(i) - nanos)
                                .collect()
                        }
                        Horizon::Rows(rows) => {
                            past[past.len().checked_sub(rows as usize)?..].to_vec()
                        }
                    };
                    mean(rows)?
                }
            };
            Some(moved(base, mean(future)?, threshold_bps, end))
        }
        LabelKind::Barriers {
            horizon_ns,
            upper,
            lower,
            ..
        } => {
            let base = price(i)?;
            let distance = |barrier: Option<Barrier>| match barrier {
                None => Some(f64::INFINITY),
                Some(Barrier::Bps(bps)) => Some(bps / 1e4),
                Some(Barrier::Times { factor, .. }) => {
                    Some(factor * all[i].row?).filter(|distance| *distance > 0.0)
                }
            };
            let (up, down) = (distance(upper)?, distance(lower)?);
            let due = now(i) + horizon_ns;
            for at in i + 1..all.len() {
                if breaks(at) != breaks(i) {
                    return None;
                }
                let bps = |price: f64| (price / base - 1.0) * 1e4;
                if now(at) > due {
                    return Some((Some(1), bps(price(at - 1)?), due));
                }
                match price(at) {
                    Some(price) if price >= base * (1.0 + up) => {
                        return Some((Some(2), bps(price), now(at)));
                    }
                    Some(price) if price <= base * (1.0 - down) => {
                        return Some((Some(0), bps(price), now(at)));
                    }
                    _ => {}
                }
            }
            None
        }
        LabelKind::Volatility { horizon_ns, .. } => {
            let due = now(i) + horizon_ns;
            let proof = after(due)?;
            (breaks(proof) == breaks(i) && price(i).is_some()).then_some(())?;
            let prices: Vec<f64> = (i..proof).filter_map(price).collect();
            let squares = prices
                .windows(2)
                .map(|two| libm::log(two[1] / two[0]).powi(2));
            Some((None, squares.sum::<f64>().sqrt(), due))
        }
        LabelKind::NextSession { .. } | LabelKind::DefaultWithin { .. } => None,
    }
}

#[test]
fn every_kind_equals_its_slow_twin() {
    let (mid, trade) = (PriceOf::Mid, PriceOf::Trade);
    let (time, rows) = (Horizon::Time(17), Horizon::Rows(7));
    let threshold_bps = 3.0;
    let mut kinds = vec![];
    for (price, horizon) in [
        (mid, time),
        (trade, time),
        (trade, Horizon::Rows(1)),
        (mid, rows),
    ] {
        kinds.push(LabelKind::Move {
            price,
            horizon,
            threshold_bps,
        });
        for compared in [Compared::Now, Compared::Past] {
            kinds.push(LabelKind::Smoothed {
                price,
                horizon,
                compared,
                threshold_bps,
            });
        }
    }
    let bps = |bps| Some(Barrier::Bps(bps));
    let times = |factor| Some(Barrier::Times { column: 0, factor });
    for (upper, lower) in [
        (bps(8.0), bps(11.0)),
        (bps(8.0), None),
        (None, bps(11.0)),
        (times(6.0), times(4.0)),
    ] {
        kinds.push(LabelKind::Barriers {
            price: mid,
            horizon_ns: 23,
            upper,
            lower,
        });
    }
    for price in [mid, trade] {
        kinds.push(LabelKind::Volatility {
            price,
            horizon_ns: 17,
        });
    }
    for kind in kinds {
        let (mut known, mut unknown, mut classes) = (0, 0, [0; 3]);
        for seed in 1..6 {
            let events = walk(seed, 1_500);
            let rows = (0..events.len()).filter(|at| events[*at].row.is_some());
            let ours = said(&kind, &events);
            for (row, at) in rows.enumerate() {
                let expected = slow(&kind, &events, at);
                match (ours[row], expected) {
                    (Some((class, value, end)), Some((its, theirs, its_end))) => {
                        assert_eq!((class, end), (its, its_end), "{kind:?}, row {row}");
                        assert!(
                            (value - theirs).abs() < 1e-9,
                            "{kind:?}: {value}, not {theirs}"
                        );
                        known += 1;
                        class
                            .into_iter()
                            .for_each(|one| classes[usize::from(one)] += 1);
                    }
                    (None, None) => unknown += 1,
                    (ours, theirs) => panic!("{kind:?}, row {row}: {ours:?}, not {theirs:?}"),
                }
            }
        }
        assert!(known > 500 && unknown > 100, "{kind:?}: {known}, {unknown}");
        let is_move = !matches!(
            kind,
            LabelKind::Volatility { .. } | LabelKind::Barriers { .. }
        );
        assert!(
            !is_move || classes.iter().all(|count| *count > 20),
            "{kind:?}: {classes:?}"
        );
    }
}

/// Mids 100, 101, 99, 102 and k = 2: of the first row the mean of the next two is 100, of the second 100.5.
#[test]
fn a_smoothed_move_is_that_of_fi_2010() {
    let events: Vec<Seen> = (0..)
        .zip([100.0, 101.0, 99.0, 102.0])
        .map(|(now, mid)| Seen {
            point: LabelPoint {
                now: Nanos(now),
                mid: Some(mid),
                price: None,
                breaks: 0,
                trade_breaks: 0,
            },
            row: Some(0.0),
        })
        .collect();
    let moves = |compared| -> Vec<Option<f64>> {
        let kind = LabelKind::Smoothed {
            price: PriceOf::Mid,
            horizon: Horizon::Rows(2),
            compared,
            threshold_bps: 20.0,
        };
        said(&kind, &events)
            .iter()
            .map(|said| said.map(|(_, value, _)| value))
            .collect()
    };
    let bps = |before: f64, after: f64| Some(1e4 * (after / before - 1.0));
    assert_eq!(
        moves(Compared::Now),
        [bps(100.0, 100.0), bps(101.0, 100.5), None, None]
    );
    // Before the second row lies one row; the mean of both is 100.5.
    assert_eq!(moves(Compared::Past), [None, bps(100.5, 100.5), None, None]);
}

/// A trade, which makes a row.
fn print_at(time: &str, price: f64) -> Seen {
    Seen {
        point: LabelPoint {
            now: crate::time::parse_time(time).expect("a time"),
            mid: None,
            price: Some(price),
            breaks: 0,
            trade_breaks: 0,
        },
        row: Some(0.0),
    }
}

/// The label by the next session in New York.
fn next_session() -> LabelKind {
    let session = Session::new("America/New_York", Some("09:30"), Some("16:00"));
    LabelKind::NextSession {
        price: PriceOf::Trade,
        session: session.expect("the zone is known"),
        threshold_bps: 50.0,
    }
}

/// On three days there are prints outside the session alone: before the open, after the close, at a weekend.
#[test]
fn a_day_without_a_print_in_its_session_is_no_session() {
    let events = [
        ("2026-01-09T13:00:00Z", 99.0),  // Friday, before the open
        ("2026-01-09T15:00:00Z", 100.0), // in the session
        ("2026-01-09T20:59:00Z", 101.0), // in it
        ("2026-01-09T22:00:00Z", 102.0), // after the close
        ("2026-01-10T13:00:00Z", 107.0), // Saturday, before the time of the open
        ("2026-01-11T23:00:00Z", 108.0), // Sunday, after that of the close
        ("2026-01-12T14:00:00Z", 110.0), // Monday, before the open
        ("2026-01-12T14:30:00Z", 104.0), // at the open
        ("2026-01-12T21:00:00Z", 103.0), // at the close
        ("2026-01-13T14:29:59Z", 90.0),  // Tuesday, before the open
        ("2026-01-13T15:00:00Z", 105.0), // in the session
        ("2026-01-14T15:00:00Z", 106.0), // Wednesday
    ]
    .map(|(time, price)| print_at(time, price));
    let (friday, monday, tuesday) = ((101.0, 2), (103.0, 8), (105.0, 10));
    let expected = [
        Some((99.0, friday)),
        Some((100.0, monday)),
        Some((101.0, monday)),
        Some((102.0, monday)),
        Some((107.0, monday)),
        Some((108.0, monday)),
        Some((110.0, monday)),
        Some((104.0, tuesday)),
        Some((103.0, tuesday)),
        Some((90.0, tuesday)),
        None,
        None,
    ];
    let expected = expected.map(|label: Option<(f64, (f64, usize))>| {
        label.map(|(before, (after, at))| (1e4 * (after / before - 1.0), events[at].point.now.0))
    });
    let found = said(&next_session(), &events);
    let found: Vec<_> = found
        .iter()
        .map(|said| said.map(|(_, moved, end)| (moved, end)))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_session_is_labelled_by_the_close_of_the_next_one() {
    let kind = next_session();
    // Friday, a Monday with a price after its close, and Tuesday.
    let events: Vec<Seen> = [
        ("2026-01-09T15:00:00Z", 100.0),
        ("2026-01-09T21:00:00Z", 102.0),
        ("2026-01-12T15:00:00Z", 101.0),
        ("2026-01-12T20:59:00Z", 103.0),
        ("2026-01-12T21:30:00Z", 150.0),
        ("2026-01-13T15:00:00Z", 99.0),
        ("2026-01-14T15:00:00Z", 99.0),
    ]
    .map(|(time, price)| print_at(time, price))
    .into();
    let close = events[3].point.now.0;
    let tuesday = events[5].point.now.0;
    let bps = |before: f64, after: f64| 1e4 * (after / before - 1.0);
    let expected = [
        Some((Some(2), bps(100.0, 103.0), close)),
        Some((Some(2), bps(102.0, 103.0), close)),
        Some((Some(0), bps(101.0, 99.0), tuesday)),
        Some((Some(0), bps(103.0, 99.0), tuesday)),
        Some((Some(0), bps(150.0, 99.0), tuesday)),
        None,
        None,
    ];
    assert_eq!(said(&kind, &events), expected);
}

#[test]
fn a_firm_defaults_within_the_horizon_or_it_is_not_known() {
    let kind = LabelKind::DefaultWithin {
        horizon_ns: 10,
        outcomes: "x".into(),
        known_until: None,
    };
    let specs = [spec(kind)];
    let mut failures = Failures::known_until(Nanos(100));
    failures.add("A", Nanos(50));
    failures.add("A", Nanos(45));
    let of = |firm: &str, now: i64| {
        let failures = [Arc::new(failures.clone())];
        let mut found = vec![];
        let point = LabelPoint {
            now: Nanos(now),
            mid: None,
            price: None,
            breaks: 0,
            trade_breaks: 0,
        };
        Labels::new(&specs, firm, &failures).row(0, &point, &[], &mut found);
        found[0].outcome.map(|one| (one.class, one.end.0))
    };
    assert_eq!(of("A", 34), Some((Some(0), 44)));
    assert_eq!(of("A", 35), Some((Some(1), 45)));
    assert_eq!(of("A", 44), Some((Some(1), 45)));
    assert_eq!(of("A", 45), None, "it has failed");
    assert_eq!(of("B", 90), Some((Some(0), 100)));
    assert_eq!(of("B", 91), None, "what comes after 100 is not known");
}
