//! The lines of an order book file: the levels of a book, the best first, after each message.

use std::fs::File;
use std::io;
use std::path::Path;

use super::text_lines::TextLines;
use crate::source::compression::decompressed;

/// The lines of an order book file.
pub(super) struct BookLines(TextLines);

/// A line: price in 1/10000 USD and size of each level, without those that are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BookLine {
    pub(super) bids: Vec<(i64, u64)>,
    pub(super) asks: Vec<(i64, u64)>,
}

impl BookLines {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let wrap = |error: io::Error| {
            let told = format!("its order book file {}: {error}", path.display());
            io::Error::new(error.kind(), told)
        };
        let content = File::open(path).and_then(decompressed).map_err(wrap)?;
        Ok(Self(TextLines::new(content)))
    }

    /// The next line; none at the end.
    pub(super) fn next_line(&mut self) -> io::Result<Option<BookLine>> {
        if !self.0.advance()? {
            return Ok(None);
        }
        BookLine::read(self.0.line()).map(Some).ok_or_else(|| {
            let number = self.0.number();
            let told = format!(
                "line {number} of the order book file cannot be read: it must have ask price, ask size, bid price \
                 and bid size of each level"
            );
            io::Error::new(io::ErrorKind::InvalidData, told)
        })
    }
}

impl BookLine {
    fn read(line: &str) -> Option<Self> {
        let mut read = Self::default();
        let mut cells = line.split(',').map(|cell| cell.trim().parse::<i64>().ok());
        while let Some(ask_price) = cells.next() {
            let ask = (ask_price?, u64::try_from(cells.next()??).ok()?);
            let bid = (cells.next()??, u64::try_from(cells.next()??).ok()?);
            read.asks.extend(is_level(ask).then_some(ask));
            read.bids.extend(is_level(bid).then_some(bid));
        }
        Some(read)
    }
}

/// Whether a level has orders: one that has none is written with a price that none can have.
fn is_level((price, size): (i64, u64)) -> bool {
    price > 0 && price < EMPTY_PRICE && size > 0
}

const EMPTY_PRICE: i64 = 9_999_999_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_levels_are_left_out() {
        let line = BookLine::read("5859400,200,5853300,18,9999999999,0,-9999999999,0").unwrap();
        let expected = BookLine {
            bids: vec![(5_853_300, 18)],
            asks: vec![(5_859_400, 200)],
        };
        assert_eq!(line, expected);
        for bad in ["5859400,200,5853300", "x,1,2,3", "1,-2,3,4", "1.5,1,1,1"] {
            assert_eq!(BookLine::read(bad), None, "{bad}");
        }
    }
}
