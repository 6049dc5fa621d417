//! Where in a DBN file that is not compressed the records of a time begin: by bisection, since the records of
//! one schema have one length and are in the order of their receive times.
//!
//! The layouts are those of Databento's `dbn`: the length in words of four bytes comes first in each record,
//! and the receive time stands behind 32 bytes, in versions 1 to 3.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use dbn::Schema;

use crate::units::Nanos;

/// Where records begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordPlace {
    /// Bytes before them.
    pub(super) offset: u64,
    /// Records before them.
    pub(super) records: u64,
}

/// Whether the records of a schema stand for themselves: a book of single orders, or a halt, depends on those
/// before; and a bar is known some time after the time that it has.
pub(super) fn stand_alone(schema: Schema) -> bool {
    matches!(
        schema,
        Schema::Trades
            | Schema::Mbp1
            | Schema::Mbp10
            | Schema::Tbbo
            | Schema::Bbo1S
            | Schema::Bbo1M
            | Schema::Cmbp1
            | Schema::Tcbbo
            | Schema::Cbbo1S
            | Schema::Cbbo1M
    )
}

/// The first record that was received at `begin` or later, in a file whose records begin behind `start`
/// bytes; none where its records are not all of one length, as far as is looked at.
pub(super) fn place_of(file: &File, start: u64, begin: Nanos) -> io::Result<Option<RecordPlace>> {
    let bytes = file.metadata()?.len().saturating_sub(start);
    let Ok(begin) = u64::try_from(begin.0) else {
        return Ok(None);
    };
    let mut first = [0];
    if bytes < RECORD_BYTES_MIN || file.read_at(&mut first, start)? == 0 {
        return Ok(None);
    }
    let length = u64::from(first[0]) * 4;
    if length < RECORD_BYTES_MIN {
        return Ok(None);
    }
    // Records before `low` are earlier, those from `high` on are not.
    let (mut low, mut high) = (0, bytes / length);
    while low < high {
        let middle = low + (high - low) / 2;
        let mut record = [0; RECORD_BYTES_MIN as usize];
        file.read_exact_at(&mut record, start + middle * length)?;
        if record[0] != first[0] {
            return Ok(None);
        }
        let received = record[TS_RECV..]
            .try_into()
            .map_or(u64::MAX, u64::from_le_bytes);
        match received < begin {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Ok(Some(RecordPlace {
        offset: start + low * length,
        records: low,
    }))
}

/// Where the receive time stands.
const TS_RECV: usize = 32;
/// Up to its end.
const RECORD_BYTES_MIN: u64 = 40;
