//! What a run of faults did and found, as one line.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::plan::Fault;
use crate::verify::Findings;

/// What happened.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) run: String,
    pub(crate) faults: BTreeMap<&'static str, usize>,
    /// Engines that were killed.
    pub(crate) kills: usize,
    pub(crate) broker_kills: usize,
    pub(crate) pauses: usize,
    pub(crate) resets: u64,
    pub(crate) torn: usize,
    /// Engines that ended without being told to.
    pub(crate) ended: Vec<String>,
    /// From the start of a killed engine to the first new signal.
    pub(crate) waits: Vec<Duration>,
    pub(crate) seconds: f64,
    pub(crate) records: usize,
    pub(crate) findings: Findings,
}

impl Report {
    pub(crate) fn is_clean(&self) -> bool {
        self.findings.is_clean() && self.ended.is_empty()
    }

    pub(crate) fn note(&mut self, fault: Fault) {
        let named = Fault::ALL.iter().find(|(_, one)| *one == fault);
        let name = named.map_or("", |(name, _)| name);
        *self.faults.entry(name).or_default() += 1;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = &self.findings;
        let mut waits = self.waits.clone();
        waits.sort();
        let at = |share: f64| {
            let at = (waits.len() as f64 * share) as usize;
            waits
                .get(at.min(waits.len().saturating_sub(1)))
                .map_or(f64::NAN, Duration::as_secs_f64)
        };
        writeln!(
            f,
            "{}: {} in {:.0} s, {} records; kills {}, broker kills {}, pauses {}, resets {}, torn {}; faults {:?}",
            self.run,
            if self.is_clean() {
                "clean"
            } else {
                "NOT CLEAN"
            },
            self.seconds,
            self.records,
            self.kills,
            self.broker_kills,
            self.pauses,
            self.resets,
            self.torn,
            self.faults
        )?;
        for (name, of) in [
            ("signals", of.signals),
            ("alerts", of.alerts),
            ("letters", of.letters),
        ] {
            write!(
                f,
                "  {name} {}: lost {}, twice {}, different {}, disordered keys {};",
                of.expected, of.lost, of.twice, of.different, of.disordered
            )?;
        }
        write!(
            f,
            "\n  again {}, hanging {}, unread {}; first signal after {:.2} s (p50), {:.2} s (max) of {}; ended by \
             themselves: {}",
            of.again,
            of.hanging,
            of.unread,
            at(0.5),
            at(1.0),
            waits.len(),
            self.ended.len()
        )
    }
}
