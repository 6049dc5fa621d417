//! Compares what readers of the output see with what a run writes that nothing disturbs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::brokers::OutputRecord;
use super::plan::undisturbed;
use super::shared::SharedWorld;

/// Checks the output of a seed.
///
/// # Panics
/// Where a record is missing, comes twice, is another, or comes in another order within its key. At least
/// once, records may come again, but only the same.
pub(super) fn check(shared: &SharedWorld, begins: &[i64]) {
    let SharedWorld { plan, brokers, .. } = shared;
    let brokers = brokers.lock();
    let expected = by_key(undisturbed(plan, &brokers.input, begins));
    let seen = by_key(brokers.read_committed());
    for (key, expected) in &expected {
        let seen = seen.get(key).cloned().unwrap_or_default();
        let seen = match plan.is_exact {
            true => seen,
            false => without_copies(key, seen),
        };
        let at = expected.iter().zip(&seen).position(|(a, b)| a != b);
        let at = at.unwrap_or(expected.len().min(seen.len()));
        assert!(
            *expected == seen,
            "{key}: record {at} of {} is not as in a run that nothing disturbs: {:?} instead of {:?}, of {} records",
            expected.len(),
            seen.get(at),
            expected.get(at),
            seen.len(),
        );
    }
    for key in seen.keys() {
        assert!(
            expected.contains_key(key),
            "{key} has no signals in a run that nothing disturbs"
        );
    }
}

fn by_key(records: Vec<OutputRecord>) -> BTreeMap<Arc<str>, Vec<OutputRecord>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for record in records {
        all.entry(Arc::clone(&record.key)).or_default().push(record);
    }
    all
}

/// The records without those that came before.
fn without_copies(key: &str, records: Vec<OutputRecord>) -> Vec<OutputRecord> {
    let mut first: BTreeMap<i64, OutputRecord> = BTreeMap::new();
    let mut all = vec![];
    for record in records {
        match first.get(&record.offset) {
            Some(before) => assert!(
                *before == record,
                "{key}: a copy of offset {} differs",
                record.offset
            ),
            None => {
                first.insert(record.offset, record.clone());
                all.push(record);
            }
        }
    }
    all
}
