//! One trial: terms, a desk for each instrument, and what they add up to.

use super::desk::Desk;
use super::equity::{Equity, EquityPoint};
use super::lane::Lane;
use super::round_trip::OpenPosition;
use super::tally::Tally;
use super::terms::Terms;

/// What is kept of a trial beside its sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Nothing.
    #[default]
    Sums,
    /// All round trips, and the samples of the equity curve.
    All,
}

/// One trial.
#[derive(Debug)]
pub(super) struct Trial {
    terms: Terms,
    /// The terms of each instrument that has some of its own, by its number.
    own: Vec<Option<Box<Terms>>>,
    pub(super) desks: Vec<Desk>,
    pub(super) tally: Tally,
    pub(super) equity: Equity,
}

/// What came of a trial.
#[derive(Clone, Debug)]
pub struct TrialOutcome {
    /// Its sums, over round trips that have ended.
    pub tally: Tally,
    /// Its equity curve, in which positions that are open count too.
    pub equity: Equity,
    /// The positions that are open at the end of the input.
    pub open: Vec<OpenPosition>,
    /// Orders that had not taken effect by then, or rested.
    pub orders_left: u64,
}

impl Trial {
    pub(super) fn new(terms: Terms, keep: Keep, step_ns: i64, to: Option<i64>) -> Self {
        Self {
            terms,
            own: vec![],
            desks: vec![],
            tally: Tally::new(keep == Keep::All),
            equity: Equity::new(keep == Keep::All, step_ns, to),
        }
    }

    /// Takes the name of the next instrument, by its number.
    pub(super) fn list(&mut self, name: &str) {
        self.own.push(self.terms.of(name).map(Box::new));
    }

    /// An instrument's desk and terms, and the tally.
    pub(super) fn parts(&mut self, at: usize) -> (&mut Desk, &Terms, &mut Tally) {
        let own = self.own.get(at).and_then(Option::as_deref);
        let terms = own.unwrap_or(&self.terms);
        (&mut self.desks[at], terms, &mut self.tally)
    }

    /// Does what is due of one instrument up to a time.
    pub(super) fn advance(&mut self, at: usize, until: i64, lane: &Lane) {
        let (desk, terms, tally) = self.parts(at);
        if desk.due() <= until {
            desk.advance(until, &lane.market, terms, tally);
        }
    }

    /// Samples the equity, and so many more steps in which nothing changes.
    pub(super) fn sample(&mut self, ts: i64, more: u64, lanes: &[Lane]) {
        let mut point = EquityPoint {
            ts,
            gross: self.tally.all.gross,
            costs: self.tally.all.fees + self.tally.all.carry,
            exposure: 0.0,
        };
        for (desk, lane) in self.desks.iter().zip(lanes) {
            if let Some((gross, costs, exposure)) = desk.worth(lane.market.mid) {
                point.gross += gross;
                point.costs += costs;
                point.exposure += exposure;
            }
        }
        self.equity.add(point, more);
    }

    pub(super) fn finish(mut self, lanes: &[Lane]) -> TrialOutcome {
        self.equity.end();
        let desks = || self.desks.iter().zip(lanes);
        let open = desks().filter_map(|(desk, lane)| desk.open_position(lane.market.mid));
        TrialOutcome {
            open: open.collect(),
            orders_left: desks().filter(|(desk, _)| desk.has_order()).count() as u64,
            tally: self.tally,
            equity: self.equity,
        }
    }
}
