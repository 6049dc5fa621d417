//! Records of single orders (`mbo`), applied to the book of their instrument.
//!
//! Source: Databento, "State management of resting orders" and "Order actions" (documentation, 2025): `T` and
//! `F` do not change the book, `C` takes the record's size away, `M` of an unknown order adds it, `R` clears
//! the book, and `A` of a feed of best prices alone (flag `TOB`) replaces its side.

use dbn::{MboMsg, UNDEF_ORDER_SIZE, UNDEF_PRICE};

use super::market;
use crate::source::history::mbo_book::MboBook;
use crate::source::history::row::RowFault;

/// Applies a record to the book.
///
/// # Errors
/// What is wrong with it; the book is as before.
pub(super) fn apply(record: &MboMsg, book: &mut MboBook) -> Result<(), RowFault> {
    let action = record.action as u8;
    if action == b'R' {
        book.clear();
        return Ok(());
    }
    if !matches!(action, b'A' | b'C' | b'M') {
        return Ok(());
    }
    let side = market::side(record.side).ok_or(RowFault::Missing("side"))?;
    let (id, price) = (record.order_id, record.price);
    if record.flags.is_tob() && (action == b'A' || price == UNDEF_PRICE) {
        let level = (price != UNDEF_PRICE).then_some((price, record.size.into()));
        book.replace_side(side, level);
        return Ok(());
    }
    market::is_exact(price)?;
    if record.size == UNDEF_ORDER_SIZE {
        return Err(RowFault::Missing("size"));
    }
    let size = u64::from(record.size);
    match action {
        b'C' => book.reduce(id, side, price, size),
        _ if price == UNDEF_PRICE => return Err(RowFault::Missing("price")),
        _ => book.add(id, side, price, size),
    }
    Ok(())
}
