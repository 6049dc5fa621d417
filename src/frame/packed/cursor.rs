//! Numbers from the start of some bytes, little endian; prices and sizes as their codes.

use crate::units::{Price, Size};

/// Bytes of which the first are taken.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl Cursor<'_> {
    #[inline]
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    #[inline]
    pub(super) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    #[inline]
    pub(super) fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    /// A price, where the code is one of a number or of none.
    #[inline]
    pub(super) fn price(&mut self) -> Option<Price> {
        Price::from_code(self.i64()?)
    }

    /// A size, where the code is one of a number or of none.
    #[inline]
    pub(super) fn size(&mut self) -> Option<Size> {
        Size::from_code(self.i64()?)
    }
}

/// Writes the codes of a price and a size.
pub(super) fn push_codes(out: &mut Vec<u8>, price: Price, size: Size) {
    out.extend_from_slice(&price.code().to_le_bytes());
    out.extend_from_slice(&size.code().to_le_bytes());
}
