//! How the f32 cells of a state are saved: as little-endian bytes, so that every format, text included,
//! keeps every bit (NaN too); and how they are laid out again for registers of another width.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserializer, Serializer};

/// For `#[serde(serialize_with)]`.
pub(super) fn serialize<S: Serializer>(cells: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
    let bytes: Vec<u8> = cells.iter().flat_map(|cell| cell.to_le_bytes()).collect();
    serializer.serialize_bytes(&bytes)
}

/// For `#[serde(deserialize_with)]`.
pub(super) fn deserialize<'de, D: Deserializer<'de>, C: From<Vec<f32>>>(
    deserializer: D,
) -> Result<C, D::Error> {
    deserializer.deserialize_byte_buf(Cells).map(C::from)
}

/// Reads bytes, or, from a format that has none, a list of numbers.
struct Cells;

impl<'de> Visitor<'de> for Cells {
    type Value = Vec<f32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of f32 cells, four each")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<f32>, E> {
        let (cells, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(E::invalid_length(bytes.len(), &self));
        }
        Ok(cells.iter().map(|&cell| f32::from_le_bytes(cell)).collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<f32>, A::Error> {
        let mut bytes: Vec<u8> = vec![];
        while let Some(byte) = list.next_element()? {
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}

/// Copies vectors that are each padded to whole registers of `from` lanes into vectors padded to `to`
/// lanes. `units` are the lengths of the vectors without padding, repeated until `cells` ends.
///
/// `None` where `cells` does not hold a whole number of such vectors, or `from` is no register width.
pub(super) fn repad(cells: &[f32], units: &[usize], from: usize, to: usize) -> Option<Vec<f32>> {
    if !(1..=LANES_MAX).contains(&from) {
        return None;
    }
    let before: usize = units.iter().map(|units| units.next_multiple_of(from)).sum();
    if before == 0 || !cells.len().is_multiple_of(before) {
        return cells.is_empty().then(Vec::new);
    }
    let mut padded = vec![];
    for mut block in cells.chunks_exact(before) {
        for &units in units {
            let (vector, rest) = block.split_at(units.next_multiple_of(from));
            padded.extend_from_slice(&vector[..units]);
            padded.resize(padded.len() + units.next_multiple_of(to) - units, 0.0);
            block = rest;
        }
    }
    Some(padded)
}

/// No register has more lanes.
const LANES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_rewritten_for_another_register_width() {
        let narrow = [
            [1.0; 3].as_slice(),
            &[0.0],
            &[2.0; 4],
            &[3.0; 3],
            &[9.0],
            &[4.0; 4],
        ]
        .concat();
        let wide = repad(&narrow, &[3, 4], 4, 8).expect("two blocks of eight");
        assert_eq!(wide.len(), 32);
        assert_eq!(wide[..8], [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(wide[16..19], [3.0; 3]);
        let back = repad(&wide, &[3, 4], 8, 4).expect("two blocks of sixteen");
        assert_eq!(back[8..], [3.0, 3.0, 3.0, 0.0, 4.0, 4.0, 4.0, 4.0]);
        assert_eq!(repad(&narrow[1..], &[3, 4], 4, 8), None);
        assert_eq!(repad(&[], &[3], 4, 8), Some(vec![]));
    }
}
