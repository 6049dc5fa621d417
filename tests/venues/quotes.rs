//! Venues with quotes instead of books, over real sockets. They say that nothing proves a quote, and that a
//! trade shows as a copy only: no gap is found there that is not one of the connection, each trade is used
//! once, and a signal rests on the quote that came last.

use std::time::Duration;

use foretick::decode::venue::{BookProof, Proof};
use foretick::event::TradeIds;

use crate::cases::QUOTES;
use crate::proxy::Fault;
use crate::relay::HARMLESS;
use crate::run::{Run, for_each};

#[test]
fn where_nothing_is_proved_nothing_is_said_to_be_lost() {
    let faults = [
        Fault::Drop,
        Fault::Duplicate,
        Fault::Reorder,
        Fault::Break,
        Fault::Delay,
        Fault::Silence,
    ];
    for_each(&QUOTES, &[1e-3, 1e-1], |case, seed, rate| {
        let run = Run::start(case, seed, |_| {});
        let proof = Proof {
            book: BookProof::Nothing,
            trades: Some(TradeIds::Distinct),
        };
        assert_eq!(run.proof, proof, "{case:?}");
        let tally = run.run(1_500, |spoilt| {
            (spoilt.rate, spoilt.cut_rate) = (rate, 0.05);
            (spoilt.faults, spoilt.cuts) = (faults.to_vec(), HARMLESS.to_vec());
        });
        assert_eq!((tally.gaps, tally.unproved), (0, 0), "{case:?} {tally:?}");
        let is_busy = rate > 1e-2;
        assert!(
            !is_busy || tally.repeated > 0 && tally.missing > 0,
            "{case:?} {tally:?}"
        );
    });
}

#[test]
fn a_new_connection_is_a_gap_until_the_next_quote() {
    for_each(&QUOTES, &[()], |case, seed, ()| {
        let run = Run::start(case, seed, |settings| {
            settings.idle = Duration::from_millis(1_000);
        });
        let tally = run.run(1_000, |spoilt| {
            (spoilt.rate, spoilt.faults) = (1e-2, vec![Fault::Reconnect]);
        });
        let is_told = tally.gaps > 0 && tally.marked > 0;
        assert!(tally.faults == 0 || is_told, "{case:?} {tally:?}");
    });
}
