//! Events as columns of Arrow.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, StructBuilder,
};
use arrow_array::{ArrayRef, RecordBatch, TimestampNanosecondArray};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, TimeUnit};

use super::parquet_fields::{COLUMNS, ColumnType, EventColumn, EventRow, EventValue};
use crate::source::history::ARCHIVE_KEY;
use crate::units::{Price, Size};

/// The number of the form of our archives: see [`ARCHIVE_KEY`].
const ARCHIVE_FORM: &str = "1";

/// The schema of these columns, with decimals as text or as float64.
pub(super) fn schema(columns: &[usize], is_exact: bool) -> Arc<Schema> {
    let field = |at: &usize| {
        let column = &COLUMNS[*at];
        let of = type_of(column.of, is_exact);
        Field::new(column.name, of, !column.is_always_there())
    };
    let fields = columns.iter().map(field).collect::<Fields>();
    let ours = HashMap::from([(ARCHIVE_KEY.to_owned(), ARCHIVE_FORM.to_owned())]);
    Arc::new(Schema::new_with_metadata(fields, ours))
}

fn type_of(of: ColumnType, is_exact: bool) -> DataType {
    let decimal = match is_exact {
        true => DataType::Utf8,
        false => DataType::Float64,
    };
    match of {
        ColumnType::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        ColumnType::Text => DataType::Utf8,
        ColumnType::Decimal => decimal,
        ColumnType::Number => DataType::Int64,
        ColumnType::Flag => DataType::Boolean,
        ColumnType::Levels => {
            let level = DataType::Struct(level_fields(&decimal));
            DataType::List(Arc::new(Field::new("item", level, true)))
        }
    }
}

fn level_fields(decimal: &DataType) -> Fields {
    let part = |name: &str| Field::new(name, decimal.clone(), true);
    [part("price"), part("size")].into_iter().collect()
}

/// The rows as a batch of these columns.
///
/// # Errors
/// The number that a float64 would change, where decimals are written as such.
pub(super) fn batch(
    rows: &[EventRow],
    columns: &[usize],
    schema: &Arc<Schema>,
    is_exact: bool,
) -> Result<RecordBatch, String> {
    let arrays = columns
        .iter()
        .map(|at| array(rows, &COLUMNS[*at], is_exact));
    let arrays: Result<Vec<ArrayRef>, String> = arrays.collect();
    let batch = RecordBatch::try_new(Arc::clone(schema), arrays?);
    batch.map_err(|error: ArrowError| error.to_string())
}

fn array(rows: &[EventRow], column: &EventColumn, is_exact: bool) -> Result<ArrayRef, String> {
    let values = rows.iter().map(column.value);
    Ok(match column.of {
        ColumnType::Time => {
            let times = values.map(|value| match value {
                EventValue::Time(time) => Some(time),
                _ => None,
            });
            let times: TimestampNanosecondArray = times.collect();
            Arc::new(times.with_timezone("UTC"))
        }
        ColumnType::Text => {
            let mut texts = StringBuilder::new();
            values.for_each(|value| match value {
                EventValue::Text(text) => texts.append_value(text),
                _ => texts.append_null(),
            });
            Arc::new(texts.finish())
        }
        ColumnType::Number => {
            let mut numbers = Int64Builder::new();
            values.for_each(|value| match value {
                EventValue::Number(number) => numbers.append_option(i64::try_from(number).ok()),
                _ => numbers.append_null(),
            });
            Arc::new(numbers.finish())
        }
        ColumnType::Flag => {
            let mut flags = BooleanBuilder::new();
            values.for_each(|value| match value {
                EventValue::Flag(flag) => flags.append_value(flag),
                _ => flags.append_null(),
            });
            Arc::new(flags.finish())
        }
        ColumnType::Decimal => decimals(values, is_exact)?,
        ColumnType::Levels => levels(values, is_exact)?,
    })
}

fn decimals<'r>(
    values: impl Iterator<Item = EventValue<'r>>,
    is_exact: bool,
) -> Result<ArrayRef, String> {
    let mut column = Decimals::new(is_exact);
    for value in values {
        match value {
            EventValue::Price(price) => column.price(price)?,
            EventValue::Size(size) => column.size(size)?,
            _ => column.null(),
        }
    }
    Ok(match column {
        Decimals::Text(mut texts) => Arc::new(texts.finish()),
        Decimals::Float(mut floats) => Arc::new(floats.finish()),
    })
}

fn levels<'r>(
    values: impl Iterator<Item = EventValue<'r>>,
    is_exact: bool,
) -> Result<ArrayRef, String> {
    let decimal = type_of(ColumnType::Decimal, is_exact);
    let mut list = ListBuilder::new(StructBuilder::from_fields(level_fields(&decimal), 0));
    for value in values {
        let EventValue::Levels(levels) = value else {
            list.append(false);
            continue;
        };
        for level in levels {
            let parts = list.values();
            let (price, size) = (level.price.to_string(), level.size.to_string());
            match is_exact {
                true => {
                    for (at, text) in [price, size].iter().enumerate() {
                        if let Some(part) = parts.field_builder::<StringBuilder>(at) {
                            part.append_value(text);
                        }
                    }
                }
                false => {
                    let numbers = [price_float(level.price)?, size_float(level.size)?];
                    for (at, number) in numbers.into_iter().enumerate() {
                        if let Some(part) = parts.field_builder::<Float64Builder>(at) {
                            part.append_value(number);
                        }
                    }
                }
            }
            parts.append(true);
        }
        list.append(true);
    }
    Ok(Arc::new(list.finish()))
}

/// A column of decimals.
enum Decimals {
    Text(StringBuilder),
    Float(Float64Builder),
}

impl Decimals {
    fn new(is_exact: bool) -> Self {
        match is_exact {
            true => Self::Text(StringBuilder::new()),
            false => Self::Float(Float64Builder::new()),
        }
    }

    fn price(&mut self, price: Price) -> Result<(), String> {
        match self {
            _ if price == Price::UNDEFINED => self.null(),
            Self::Text(texts) => texts.append_value(price.to_string()),
            Self::Float(floats) => floats.append_value(price_float(price)?),
        }
        Ok(())
    }

    fn size(&mut self, size: Size) -> Result<(), String> {
        match self {
            _ if size == Size::UNDEFINED => self.null(),
            Self::Text(texts) => texts.append_value(size.to_string()),
            Self::Float(floats) => floats.append_value(size_float(size)?),
        }
        Ok(())
    }

    fn null(&mut self) {
        match self {
            Self::Text(texts) => texts.append_null(),
            Self::Float(floats) => floats.append_null(),
        }
    }
}

/// A price as a float64 that is read as the same price.
fn price_float(price: Price) -> Result<f64, String> {
    let float = price.to_f64();
    match Price::from_float(float) == Ok(price) {
        true => Ok(float),
        false => Err(not_exact(&price.to_string())),
    }
}

fn size_float(size: Size) -> Result<f64, String> {
    let float = size.to_f64();
    match Size::from_float(float) == Ok(size) {
        true => Ok(float),
        false => Err(not_exact(&size.to_string())),
    }
}

fn not_exact(number: &str) -> String {
    format!("{number} has more digits than a float64 keeps: write decimals as text with --exact")
}
