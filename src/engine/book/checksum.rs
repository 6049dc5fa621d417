//! Checksums of the best levels of a book, as venues define them: see [`ChecksumForm`].

use crate::event::{Checksum, ChecksumForm, Level};

/// Whether the best levels add up to the checksum. Levels that cannot be written in its form do not.
/// Both sides begin with the best level.
pub(super) fn is_right(
    checksum: Checksum,
    bids: impl Iterator<Item = Level>,
    asks: impl Iterator<Item = Level>,
) -> bool {
    let mut text = Text {
        bytes: Vec::with_capacity(TEXT_BYTES),
    };
    let written = match checksum.form {
        ChecksumForm::Digits {
            price_places,
            size_places,
        } => {
            let mut levels = asks.take(DIGITS_LEVELS).chain(bids.take(DIGITS_LEVELS));
            levels.all(|level| text.digits(level, price_places, size_places))
        }
        ChecksumForm::Pairs => text.pairs(bids, asks),
    };
    written && crc32fast::hash(&text.bytes) == checksum.value
}

/// Levels a side in the two forms.
const DIGITS_LEVELS: usize = 10;
const PAIRS_LEVELS: usize = 25;

/// Bytes that the text of most books fits into.
const TEXT_BYTES: usize = 1_024;

/// The text that a checksum is of.
struct Text {
    bytes: Vec<u8>,
}

impl Text {
    fn digits(&mut self, level: Level, price_places: u8, size_places: u8) -> bool {
        let price = level.price.scaled(i32::from(price_places));
        let size = level.size.scaled(i32::from(size_places));
        let mut buffer = itoa::Buffer::new();
        for number in [price, size] {
            let Some(number) = number else {
                return false;
            };
            self.bytes
                .extend_from_slice(buffer.format(number).as_bytes());
        }
        true
    }

    fn pairs(
        &mut self,
        mut bids: impl Iterator<Item = Level>,
        mut asks: impl Iterator<Item = Level>,
    ) -> bool {
        for _ in 0..PAIRS_LEVELS {
            for level in [bids.next(), asks.next()].into_iter().flatten() {
                let colon = if self.bytes.is_empty() { "" } else { ":" };
                let pair = format!("{colon}{}:{}", level.price, level.size);
                self.bytes.extend_from_slice(pair.as_bytes());
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Price, Size};

    fn levels(side: &[(&str, &str)]) -> Vec<Level> {
        let level = |&(price, size): &(&str, &str)| Level {
            price: Price::parse(price.as_bytes()).unwrap(),
            size: Size::parse(size.as_bytes()).unwrap(),
        };
        side.iter().map(level).collect()
    }

    /// The worked example of `book-checksum-v2`.
    #[test]
    fn the_sum_is_that_of_the_published_example() {
        let asks = levels(&[
            ("45285.2", "0.00100000"),
            ("45286.4", "1.54571953"),
            ("45286.6", "1.54571109"),
            ("45289.6", "1.54560911"),
            ("45290.2", "0.15890660"),
            ("45291.8", "1.54553491"),
            ("45294.7", "0.04454749"),
            ("45296.1", "0.35380000"),
            ("45297.5", "0.09945542"),
            ("45299.5", "0.18772827"),
        ]);
        let bids = levels(&[
            ("45283.5", "0.10000000"),
            ("45283.4", "1.54582015"),
            ("45282.1", "0.10000000"),
            ("45281.0", "0.10000000"),
            ("45280.3", "1.54592586"),
            ("45279.0", "0.07990000"),
            ("45277.6", "0.03310103"),
            ("45277.5", "0.30000000"),
            ("45277.3", "1.54602737"),
            ("45276.6", "0.15445238"),
        ]);
        let sum = |value, price_places| Checksum {
            value,
            form: ChecksumForm::Digits {
                price_places,
                size_places: 8,
            },
        };
        let is_right = |sum| super::is_right(sum, bids.iter().copied(), asks.iter().copied());
        assert!(is_right(sum(3_310_070_434, 1)));
        assert!(!is_right(sum(3_310_070_435, 1)));
        assert!(!is_right(sum(3_310_070_434, 0)), "45285.2 has a tenth");
    }
}
