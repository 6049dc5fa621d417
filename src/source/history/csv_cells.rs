//! The cells of a row of separated values.

use csv::ByteRecord;

use super::cells::{CellFault, RowCells, flag_of, side_of};
use super::layout::Layout;
use super::mapping::Role;
use super::text_cell::{absent_as_none, decimal_of_text};
use crate::event::Level;
use crate::units::{Nanos, Price, Side, Size};

/// The cells of a row. One that the row does not have is empty.
pub(super) struct CsvCells<'a> {
    pub(super) row: &'a ByteRecord,
    pub(super) layout: &'a Layout,
}

impl CsvCells<'_> {
    fn cell(&self, at: usize) -> &str {
        let (_, column) = self.layout.used[at];
        let cell = self.row.get(column).unwrap_or_default();
        std::str::from_utf8(cell).unwrap_or("\u{fffd}").trim()
    }

    fn decimal(&self, at: usize, places: Option<i32>) -> Result<Option<i64>, CellFault> {
        let text = absent_as_none(self.cell(at));
        text.map(|text| decimal_of_text(text, places)).transpose()
    }
}

impl RowCells for CsvCells<'_> {
    fn time(&self, at: usize) -> Result<Nanos, CellFault> {
        let (role, _) = self.layout.used[at];
        match role {
            Role::TsRecv => self.layout.times_of(role).of_text(self.cell(at)),
            _ => self.layout.times.of_text(self.cell(at)),
        }
    }

    fn is_of_clock(&self, at: usize) -> bool {
        self.layout.times.is_of_clock(self.cell(at))
    }

    fn price(&self, at: usize) -> Result<Price, CellFault> {
        match self.decimal(at, self.layout.price_places)? {
            Some(code) => Price::from_code(code).ok_or(CellFault::BadNumber),
            None => Ok(Price::UNDEFINED),
        }
    }

    fn size(&self, at: usize) -> Result<Size, CellFault> {
        match self.decimal(at, self.layout.size_places)? {
            Some(code) => Size::from_code(code).ok_or(CellFault::BadNumber),
            None => Ok(Size::UNDEFINED),
        }
    }

    fn number(&self, at: usize) -> Result<Option<u64>, CellFault> {
        let text = absent_as_none(self.cell(at));
        let number = |text: &str| text.parse().map_err(|_| CellFault::BadNumber);
        text.map(number).transpose()
    }

    fn flag(&self, at: usize) -> Result<Option<bool>, CellFault> {
        flag_of(self.cell(at))
    }

    fn side(&self, at: usize) -> Result<Option<Side>, CellFault> {
        side_of(self.cell(at))
    }

    fn text(&self, at: usize) -> &str {
        self.cell(at)
    }

    fn levels(&self, _: usize, _: &mut Vec<Level>) -> Result<u32, CellFault> {
        Err(CellFault::BadNumber)
    }

    fn shown(&self, at: usize) -> String {
        let (_, column) = self.layout.used[at];
        let cell = self.row.get(column).unwrap_or_default();
        String::from_utf8_lossy(cell).into_owned()
    }
}
