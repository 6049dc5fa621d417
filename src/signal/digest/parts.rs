//! Digests of parts of a run: of each instrument, and of each day.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::hashes::{HashSum, HashesByInstrument, SignalHashes, UtcDay, hash_text};
use crate::hex::hex;
use crate::units::Nanos;

/// Digests of the parts of a run, each computed as that of the whole is, over the signals of the part alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Digests {
    /// By instrument or obligor. Empty where signals stand alone, as those of applications: no name is kept.
    pub by_instrument: BTreeMap<String, String>,
    /// By the day of the event time in UTC, as `2024-08-09`.
    pub by_day: BTreeMap<String, String>,
}

/// The day of a time.
pub(super) fn day_of(ts: Nanos) -> UtcDay {
    ts.0.div_euclid(DAY_NS)
}

const DAY_NS: i64 = 86_400_000_000_000;

/// The digests of each instrument and of each day, each of which begins with `header`.
pub(super) fn parts_of(header: &Sha256, signals: &SignalHashes) -> Digests {
    match signals {
        SignalHashes::ByInstrument(all) => Digests {
            by_instrument: of_instruments(header, all),
            by_day: of_days(header, all),
        },
        SignalHashes::Sum(_, days) => {
            let of_day = |(&day, sum): (&UtcDay, &HashSum)| {
                let mut hash = header.clone();
                sum.hash_into(&mut hash);
                (written(day), hex(&hash.finalize()))
            };
            Digests {
                by_instrument: BTreeMap::new(),
                by_day: days.iter().map(of_day).collect(),
            }
        }
    }
}

fn of_instruments(header: &Sha256, all: &HashesByInstrument) -> BTreeMap<String, String> {
    let of_one = |name: &str, slot: usize| {
        let mut hash = header.clone();
        hash_text(&mut hash, name);
        hash.update(all.hashes[slot].whole.clone().finalize());
        (name.to_owned(), hex(&hash.finalize()))
    };
    let slots = all.slots.iter();
    slots.map(|(name, &slot)| of_one(name, slot)).collect()
}

fn of_days(header: &Sha256, all: &HashesByInstrument) -> BTreeMap<String, String> {
    let mut days: BTreeMap<UtcDay, Sha256> = BTreeMap::new();
    for (name, &slot) in &all.slots {
        for (day, of_day) in &all.hashes[slot].days {
            let hash = days.entry(*day).or_insert_with(|| header.clone());
            hash_text(hash, name);
            hash.update(of_day.clone().finalize());
        }
    }
    let written = |(day, hash): (UtcDay, Sha256)| (written(day), hex(&hash.finalize()));
    days.into_iter().map(written).collect()
}

fn written(day: UtcDay) -> String {
    let midnight = DateTime::from_timestamp_nanos(day.saturating_mul(DAY_NS));
    midnight.date_naive().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::InstrumentId;
    use crate::signal::Signal;
    use crate::signal::digest::Digest;
    use crate::signal::tests::{signal, two_models};

    /// Signals as `(instrument, hour)`, an instrument's in order.
    const SIGNALS: [(u32, i64); 8] = [
        (0, 1),
        (1, 2),
        (0, 23),
        (0, 25),
        (1, 25),
        (0, 47),
        (1, 49),
        (0, 50),
    ];

    fn digest(make: impl Fn() -> Digest, of: impl Fn(u32, i64) -> bool) -> Digest {
        let mut digest = make();
        for (instrument, hour) in SIGNALS {
            let one = Signal {
                instrument: InstrumentId(instrument),
                ts_event: Nanos(hour * 3_600_000_000_000),
                ..signal(0)
            };
            if of(instrument, hour) {
                digest.add(&one, ["b", "a"][instrument as usize]);
            }
        }
        digest
    }

    #[test]
    fn a_part_has_the_digest_of_a_run_of_that_part_alone() {
        let lineage = two_models();
        let ordered = || Digest::new(&lineage).by_day();
        let unordered = || Digest::without_order(&lineage).by_day();
        for make in [&ordered as &dyn Fn() -> Digest, &unordered] {
            let parts = digest(make, |_, _| true).parts();
            let days: Vec<&str> = parts.by_day.keys().map(String::as_str).collect();
            assert_eq!(days, ["1970-01-01", "1970-01-02", "1970-01-03"]);
            for (day, name) in days.into_iter().enumerate() {
                let alone = digest(make, |_, hour| hour / 24 == day as i64);
                assert_eq!(parts.by_day[name], alone.finish(), "{name}");
            }
        }
        let parts = digest(ordered, |_, _| true).parts();
        for (id, name) in [(0, "b"), (1, "a")] {
            let alone = digest(ordered, |instrument, _| instrument == id);
            assert_eq!(parts.by_instrument[name], alone.finish(), "{name}");
        }
        assert!(
            digest(unordered, |_, _| true)
                .parts()
                .by_instrument
                .is_empty()
        );
    }

    #[test]
    fn shards_change_no_part() {
        let lineage = two_models();
        let ordered = || Digest::new(&lineage).by_day();
        let unordered = || Digest::without_order(&lineage).by_day();
        for make in [&ordered as &dyn Fn() -> Digest, &unordered] {
            let whole = digest(make, |_, _| true);
            let mut merged = digest(make, |instrument, _| instrument == 0);
            merged.merge(digest(make, |instrument, _| instrument == 1));
            assert_eq!(merged.parts(), whole.parts());
            assert_eq!(merged.finish(), whole.finish());
        }
    }

    #[test]
    fn days_are_kept_only_where_that_is_asked_for() {
        let lineage = two_models();
        let parts = digest(|| Digest::new(&lineage), |_, _| true).parts();
        assert!(parts.by_day.is_empty() && parts.by_instrument.len() == 2);
    }
}
