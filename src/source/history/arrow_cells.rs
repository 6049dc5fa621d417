//! The cells of a batch of Arrow, row by row.

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow_cast::display::array_value_to_string;
use arrow_schema::ArrowError;

use super::arrow_values::{self, LevelValues, checked};
use super::cells::{CellFault, RowCells, flag_of, side_of};
use super::layout::Layout;
use super::mapping::Role;
use super::time_form::TimeForm;
use crate::event::Level;
use crate::units::{Nanos, Price, Side, Size};

/// A batch of rows, and the row that it is at.
pub(super) struct ArrowCells {
    columns: Vec<(ArrayRef, Values)>,
    times: TimeForm,
    pub(super) row: usize,
    pub(super) rows: usize,
}

/// The values of a column.
enum Values {
    Times(Vec<i64>),
    Decimals(Vec<i64>),
    Numbers(Vec<i64>),
    Flags(BooleanArray),
    Sides(Vec<u8>),
    Texts(StringArray),
    Levels(LevelValues),
}

/// How the sides of a column are stored: as their places here.
const SIDES: [Result<Option<Side>, CellFault>; 4] = [
    Ok(None),
    Ok(Some(Side::Buy)),
    Ok(Some(Side::Sell)),
    Err(CellFault::OutOfRange),
];

impl ArrowCells {
    /// The columns of a batch that a layout uses; `places` are theirs in the batch.
    ///
    /// # Errors
    /// The name of the column whose type is no such thing, and why.
    pub(super) fn of(
        batch: &RecordBatch,
        layout: &Layout,
        places: &[usize],
    ) -> Result<Self, (String, ArrowError)> {
        let mut columns = vec![];
        for ((role, _), &place) in layout.used.iter().zip(places) {
            let column = batch.column(place);
            let values = values(column, *role, layout);
            let name = || batch.schema_ref().field(place).name().clone();
            columns.push((column.clone(), values.map_err(|error| (name(), error))?));
        }
        Ok(Self {
            columns,
            times: layout.times,
            row: 0,
            rows: batch.num_rows(),
        })
    }
}

fn values(column: &ArrayRef, role: Role, layout: &Layout) -> Result<Values, ArrowError> {
    let (of_price, of_size) = (layout.price_places, layout.size_places);
    Ok(match role {
        Role::TsEvent | Role::TsRecv => {
            let form = layout.times_of(role);
            Values::Times(arrow_values::times(column, &form)?)
        }
        Role::Price
        | Role::BidPx
        | Role::AskPx
        | Role::Open
        | Role::High
        | Role::Low
        | Role::Close => Values::Decimals(arrow_values::decimals(column, of_price)?),
        Role::Size | Role::BidSz | Role::AskSz | Role::Volume => {
            Values::Decimals(arrow_values::decimals(column, of_size)?)
        }
        Role::TradeId if layout.has_text_ids() && !column.data_type().is_numeric() => {
            Values::Numbers(vec![-1; column.len()])
        }
        Role::TradeId | Role::Sequence | Role::FirstSequence | Role::Keep => {
            Values::Numbers(arrow_values::numbers(column)?)
        }
        Role::Side if layout.is_maker_flag() => Values::Flags(arrow_values::flags(column)?),
        Role::Side => Values::Sides(sides(&arrow_values::texts(column)?)),
        Role::Aggregate | Role::Snapshot => Values::Flags(arrow_values::flags(column)?),
        Role::Symbol | Role::Venue | Role::TradeIds | Role::Event | Role::Splice | Role::Link => {
            Values::Texts(arrow_values::texts(column)?)
        }
        Role::Bids | Role::Asks => {
            Values::Levels(arrow_values::levels(column, [of_price, of_size])?)
        }
    })
}

fn sides(texts: &StringArray) -> Vec<u8> {
    let of = |text: Option<&str>| {
        let side = side_of(text.unwrap_or_default());
        let place = SIDES.iter().position(|one| *one == side);
        place.unwrap_or(SIDES.len() - 1) as u8
    };
    texts.iter().map(of).collect()
}

impl RowCells for ArrowCells {
    #[inline]
    fn time(&self, at: usize) -> Result<Nanos, CellFault> {
        match &self.columns[at].1 {
            Values::Times(times) => checked(times[self.row]).map(Nanos),
            _ => Err(CellFault::BadNumber),
        }
    }

    fn is_of_clock(&self, at: usize) -> bool {
        self.times.is_of_clock(&self.shown(at))
    }

    #[inline]
    fn price(&self, at: usize) -> Result<Price, CellFault> {
        match &self.columns[at].1 {
            Values::Decimals(codes) => {
                Price::from_code(checked(codes[self.row])?).ok_or(CellFault::BadNumber)
            }
            _ => Err(CellFault::BadNumber),
        }
    }

    #[inline]
    fn size(&self, at: usize) -> Result<Size, CellFault> {
        match &self.columns[at].1 {
            Values::Decimals(codes) => {
                Size::from_code(checked(codes[self.row])?).ok_or(CellFault::BadNumber)
            }
            _ => Err(CellFault::BadNumber),
        }
    }

    fn number(&self, at: usize) -> Result<Option<u64>, CellFault> {
        match &self.columns[at].1 {
            Values::Numbers(numbers) => Ok(u64::try_from(checked(numbers[self.row])?).ok()),
            _ => Err(CellFault::BadNumber),
        }
    }

    fn flag(&self, at: usize) -> Result<Option<bool>, CellFault> {
        match &self.columns[at].1 {
            Values::Flags(flags) => Ok(flags.is_valid(self.row).then(|| flags.value(self.row))),
            Values::Texts(texts) => flag_of(texts.value(self.row)),
            _ => Err(CellFault::BadNumber),
        }
    }

    fn side(&self, at: usize) -> Result<Option<Side>, CellFault> {
        match &self.columns[at].1 {
            Values::Sides(sides) => SIDES[usize::from(sides[self.row])],
            _ => Err(CellFault::BadNumber),
        }
    }

    fn text(&self, at: usize) -> &str {
        match &self.columns[at].1 {
            Values::Texts(texts) if texts.is_valid(self.row) => texts.value(self.row),
            _ => "",
        }
    }

    fn levels(&self, at: usize, out: &mut Vec<Level>) -> Result<u32, CellFault> {
        let Values::Levels(levels) = &self.columns[at].1 else {
            return Err(CellFault::BadNumber);
        };
        let range = levels.offsets[self.row]..levels.offsets[self.row + 1];
        let count = range.len() as u32;
        for place in range {
            let (price, size) = (
                checked(levels.prices[place])?,
                checked(levels.sizes[place])?,
            );
            out.push(Level {
                price: Price::from_code(price).ok_or(CellFault::BadNumber)?,
                size: Size::from_code(size).ok_or(CellFault::BadNumber)?,
            });
        }
        Ok(count)
    }

    fn shown(&self, at: usize) -> String {
        array_value_to_string(&self.columns[at].0, self.row).unwrap_or_default()
    }
}
