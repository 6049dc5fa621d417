//! Packed frames: a row of an archive as bytes, because text would have to be written and read again.
//!
//! | bytes | what, little endian |
//! | --- | --- |
//! | 1 | 0xC1: no MessagePack, no UTF-8 and no text in ASCII begins with it |
//! | 1 | the kind of the row |
//! | 2 | bytes of the instrument's name |
//! | 8, 8 | `ts_event` and `ts_recv`; the largest integer where there is none |
//! | | the name |
//! | | the fields of the kind, prices and sizes as codes of `crate::decimal` |
//!
//! Reads what it wrote, and refuses everything else. Whether a price can be meant is `decode`'s business.

mod body;
mod cursor;

pub use self::body::{FIELDS, RowBody, RowFault};
use self::cursor::Cursor;
use crate::event::Level;
use crate::units::Nanos;

/// The first byte of a packed frame.
pub const MARK: u8 = 0xc1;
/// Bytes before the name.
const HEAD_BYTES: usize = 20;
/// Bytes of the fields of the kinds without levels, at most.
const BODY_BYTES_MAX: usize = 40;
/// Bytes of a level.
const LEVEL_BYTES: usize = 16;

/// A row as its packed frame has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PackedRow<'a> {
    /// The venue's time.
    pub ts_event: Nanos,
    /// When it was received; [`Nanos::UNDEFINED`] where the archive does not say.
    pub ts_recv: Nanos,
    /// The whole name of the instrument: `BTCUSDT.BINANCE`. Bytes: whoever knows it need not check them.
    pub instrument: &'a [u8],
    /// What happened.
    pub body: RowBody,
    /// The levels of a book change, bids first.
    pub levels: PackedLevels<'a>,
    /// What stands in a cell that cannot be read, and where: `row 17: "abc"`.
    pub cell: &'a str,
}

/// Levels, packed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PackedLevels<'a>(&'a [u8]);

impl PackedLevels<'_> {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len() / LEVEL_BYTES
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The levels in order; none in the place of one whose price or size is no code of a number.
    pub fn iter(&self) -> impl Iterator<Item = Option<Level>> {
        self.0.chunks_exact(LEVEL_BYTES).map(|bytes| {
            let mut cursor = Cursor(bytes);
            Some(Level {
                price: cursor.price()?,
                size: cursor.size()?,
            })
        })
    }
}

/// Whether a frame is a packed one.
#[must_use]
#[inline]
pub fn is_packed(frame: &[u8]) -> bool {
    frame.first() == Some(&MARK)
}

/// The time by which a packed frame is merged with others: its receive time, else that of its event; none
/// where neither can be, or the frame is no packed one.
#[must_use]
pub fn time_of(frame: &[u8]) -> Option<Nanos> {
    let (ts_event, ts_recv) = times_of(frame)?;
    let received = (ts_recv != Nanos::UNDEFINED).then_some(ts_recv);
    Nanos::plausible(received.unwrap_or(ts_event).0).ok()
}

/// `ts_event` and `ts_recv` of a packed frame.
#[must_use]
pub fn times_of(frame: &[u8]) -> Option<(Nanos, Nanos)> {
    let head: &[u8; HEAD_BYTES] = frame.first_chunk().filter(|head| head[0] == MARK)?;
    let mut cursor = Cursor(&head[4..]);
    Some((Nanos(cursor.i64()?), Nanos(cursor.i64()?)))
}

/// The name of the instrument of a packed frame.
#[must_use]
pub fn name_of(frame: &[u8]) -> Option<&str> {
    std::str::from_utf8(name_bytes_of(frame)?).ok()
}

fn name_bytes_of(frame: &[u8]) -> Option<&[u8]> {
    let head: &[u8; HEAD_BYTES] = frame.first_chunk().filter(|head| head[0] == MARK)?;
    let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
    frame.get(HEAD_BYTES..HEAD_BYTES + length)
}

/// What is packed: see [`PackedRow`], with the levels as they are.
#[derive(Clone, Copy, Debug)]
pub struct UnpackedRow<'a> {
    /// The venue's time.
    pub ts_event: Nanos,
    /// When it was received; [`Nanos::UNDEFINED`] where the archive does not say.
    pub ts_recv: Nanos,
    /// The whole name of the instrument. What is behind 65,535 bytes of it is lost.
    pub instrument: &'a str,
    /// What happened. Of a [`crate::event::Depth`] its place in a batch and its checksum are not kept.
    pub body: RowBody,
    /// The levels of a book change, bids first.
    pub levels: &'a [Level],
    /// What stands in a cell that cannot be read, and where.
    pub cell: &'a str,
}

/// Writes a row over what `out` held.
pub fn encode(row: &UnpackedRow<'_>, out: &mut Vec<u8>) {
    let name = row.instrument.as_bytes();
    let name = &name[..name.len().min(usize::from(u16::MAX))];
    out.clear();
    out.reserve(HEAD_BYTES + name.len() + BODY_BYTES_MAX);
    let mut head = [0; HEAD_BYTES];
    (head[0], head[1]) = (MARK, row.body.kind());
    head[2..4].copy_from_slice(&(name.len() as u16).to_le_bytes());
    head[4..12].copy_from_slice(&row.ts_event.0.to_le_bytes());
    head[12..20].copy_from_slice(&row.ts_recv.0.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(name);
    row.body.encode(out);
    match row.body {
        RowBody::Depth(_) => {
            for level in row.levels {
                out.extend_from_slice(&level.price.code().to_le_bytes());
                out.extend_from_slice(&level.size.code().to_le_bytes());
            }
        }
        RowBody::Unreadable(_) => out.extend_from_slice(row.cell.as_bytes()),
        _ => {}
    }
}

/// Reads a packed frame; none where it is no whole one, or holds what no row can.
#[must_use]
pub fn read(frame: &[u8]) -> Option<PackedRow<'_>> {
    let (ts_event, ts_recv) = times_of(frame)?;
    let instrument = name_bytes_of(frame)?;
    let mut rest = Cursor(frame.get(HEAD_BYTES + instrument.len()..)?);
    let body = RowBody::read(frame[1], &mut rest)?;
    let (mut levels, mut cell) = (PackedLevels::default(), "");
    match body {
        RowBody::Depth(depth) => {
            let count = u64::from(depth.bids) + u64::from(depth.asks);
            if rest.0.len() as u64 != count * LEVEL_BYTES as u64 {
                return None;
            }
            levels = PackedLevels(rest.0);
        }
        RowBody::Unreadable(_) => cell = std::str::from_utf8(rest.0).ok()?,
        _ if !rest.0.is_empty() => return None,
        _ => {}
    }
    Some(PackedRow {
        ts_event,
        ts_recv,
        instrument,
        body,
        levels,
        cell,
    })
}

#[cfg(test)]
mod tests;
