//! The battery over real sockets, with the real feed: however bytes are cut, messages spoilt and connections
//! ended, what is lost is found, no signal is `ok` that is not true, and books come back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use foretick::source::status::EndReason;

use crate::proxy::Fault;
use crate::relay::{self, ENDS, HARMLESS};
use crate::run::{Run, for_every_venue};
use crate::world;

#[test]
fn a_sound_connection_has_no_gap_however_its_bytes_are_cut() {
    for_every_venue(&[()], |case, seed, ()| {
        let run = Run::start(case, seed, |_| {});
        let tally = run.run(2_000, |faults| {
            (faults.cut_rate, faults.cuts) = (0.2, HARMLESS.to_vec());
            (faults.rate, faults.faults) = (2e-3, vec![Fault::Delay]);
        });
        let quiet = (tally.gaps, tally.unproved, tally.missing, tally.repeated);
        assert_eq!(quiet, (0, 0, 0, 0), "{case:?} {tally:?}");
    });
}

#[test]
fn whatever_befalls_a_connection_no_signal_is_ok_that_is_not_true() {
    for_every_venue(&[1e-4, 1e-3, 1e-2, 1e-1], |case, seed, rate| {
        let run = Run::start(case, seed, |settings| {
            settings.idle = Duration::from_millis(1_000);
        });
        let messages = if rate < 1e-1 { 2_000 } else { 1_000 };
        run.run(messages, |faults| {
            (faults.rate, faults.cut_rate) = (rate, 0.05);
            faults.cuts = HARMLESS.to_vec();
        });
    });
}

#[test]
fn an_end_of_the_connection_is_a_gap_and_the_book_comes_back() {
    for_every_venue(&ENDS, |case, seed, cut| {
        let run = Run::start(case, seed, |settings| {
            settings.idle = Duration::from_millis(1_000);
        });
        let tally = run.run(1_000, |faults| {
            (faults.cut_rate, faults.cuts) = (5e-3, vec![cut]);
        });
        let is_told = tally.faults == 0 || tally.gaps > 0;
        assert!(is_told, "{case:?} {cut:?} {tally:?}");
    });
}

/// How the end of a connection is known beforehand.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Planned {
    /// It is old.
    Age,
    /// The venue says so, where it does.
    Announced,
    /// The same, and the venue closes it as soon as the next one is there.
    ClosedSoon,
}

#[test]
fn a_planned_end_loses_no_trade_and_brings_none_twice() {
    let planned = [Planned::Age, Planned::Announced, Planned::ClosedSoon];
    for_every_venue(&planned, |case, seed, planned| {
        let Some(notice) = case.notice.or((planned == Planned::Age).then_some("")) else {
            return;
        };
        let run = Run::start(case, seed, |settings| {
            if planned == Planned::Age {
                settings.renew_after = Duration::from_millis(1_000);
            }
        });
        run.wait_for_ok(5);
        {
            // Both connections bring the same, each as late as it is.
            let mut faults = relay::lock(&run.faults);
            faults.rate = 1e-2;
            // What is still on its way when the venue closes is lost; so it is not late then.
            faults.faults = match planned {
                Planned::ClosedSoon => vec![],
                Planned::Age | Planned::Announced => vec![Fault::Delay],
            };
            // A copy where there is no more than a checksum is a change that may be wrong.
            if case.venue != "KRAKEN" {
                faults.faults.push(Fault::Duplicate);
            }
        }
        for handovers in 1..=2 {
            if planned != Planned::Age {
                world::lock(&run.world).announce(notice);
            }
            if planned == Planned::ClosedSoon {
                run.wait("the next connection", |run| {
                    relay::lock(&run.faults).connections > handovers
                });
                run.wait_for_messages(200);
                relay::lock(&run.faults).closes = handovers;
            }
            run.wait("a handover", |run| {
                let ends = &run.status.ends;
                let all = [EndReason::Renewed, EndReason::Shutdown, EndReason::Closed];
                all.iter().map(|&reason| ends.of(reason)).sum::<u64>() >= handovers
            });
            run.wait_for_ok(20);
        }
        let status = run.status.clone();
        let what = format!("{case:?} {planned:?}");
        let tally = run.end();
        println!("{what}: {tally:?}");
        assert_eq!((tally.gaps, tally.missing), (0, 0), "{what} {tally:?}");
        // Where times alone say which connection's book is newer, one of the same millisecond waits for the
        // next change.
        let by_time = matches!(case.venue, "KRAKEN" | "COINBASE");
        let unproved_max = if by_time { 10 } else { 0 };
        assert!(tally.unproved <= unproved_max, "{what} {tally:?}");
        let repeated = status.dropped.repeated.load(Ordering::Relaxed);
        assert!(tally.repeated + repeated > 0, "{what} {tally:?}");
    });
}
