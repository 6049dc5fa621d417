//! Columns of Arrow as times, codes of decimals, numbers, texts and levels.
//!
//! A whole column is read at once. What a cell lacks, or is wrong with it, stands in the place of its value.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, TimestampNanosecondType,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, StringArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, TimeUnit};

use super::cells::CellFault;
use super::text_cell::{absent_as_none, decimal_of_float, decimal_of_text, decimal_of_whole};
use super::time_form::TimeForm;
use crate::units::{Nanos, Price};

/// In the place of a time or a decimal that cannot be read: no time is so early, and no decimal has the code.
const FAULTS: [(i64, CellFault); 5] = [
    (i64::MIN, CellFault::BadNumber),
    (i64::MIN + 1, CellFault::OutOfRange),
    (i64::MIN + 2, CellFault::TooPrecise),
    (i64::MIN + 3, CellFault::Skipped),
    (i64::MIN + 4, CellFault::Missing),
];

/// A value, or the fault in its place.
#[inline]
pub(super) fn checked(value: i64) -> Result<i64, CellFault> {
    if value > FAULTS[FAULTS.len() - 1].0 {
        return Ok(value);
    }
    let fault = FAULTS.iter().find(|(code, _)| *code == value);
    Err(fault.map_or(CellFault::OutOfRange, |(_, fault)| *fault))
}

fn stored(value: Result<i64, CellFault>) -> i64 {
    value.unwrap_or_else(|fault| {
        let code = FAULTS.iter().find(|(_, one)| *one == fault);
        code.map_or(i64::MIN, |(code, _)| *code)
    })
}

fn cast(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let exact = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(column, to, &exact)
}

/// Times, as nanoseconds.
pub(super) fn times(column: &ArrayRef, form: &TimeForm) -> Result<Vec<i64>, ArrowError> {
    let nanos = |time: Result<Nanos, CellFault>| stored(time.map(|time| time.0));
    let number = |number: i64| nanos(form.of_number(number));
    Ok(match column.data_type() {
        DataType::Timestamp(unit, zone) => {
            let as_nanos = DataType::Timestamp(TimeUnit::Nanosecond, zone.clone());
            // A time that does not fit is none.
            let column = arrow_cast::cast(column, &as_nanos)?;
            let times = column.as_primitive::<TimestampNanosecondType>();
            let later = form.later.0.saturating_mul(nanos_of(*unit));
            let zone = zone.is_some();
            mapped(times, |time| {
                let time = time.saturating_add(later);
                match zone {
                    true => time.saturating_add(form.later.1),
                    false => nanos(form.of_local(time)),
                }
            })
        }
        DataType::Date32 => mapped(column.as_primitive::<Date32Type>(), |days| {
            nanos(form.of_day(i64::from(days).saturating_mul(DAY_NS)))
        }),
        DataType::Date64 => times(&cast(column, &DataType::Date32)?, form)?,
        DataType::Float64 => mapped(column.as_primitive::<Float64Type>(), |time| {
            match time.is_nan() {
                true => stored(Err(CellFault::Missing)),
                false => nanos(form.of_float(time)),
            }
        }),
        DataType::Float32 => times(&cast(column, &DataType::Float64)?, form)?,
        of if of.is_integer() => {
            let column = arrow_cast::cast(column, &DataType::Int64)?;
            mapped(column.as_primitive::<Int64Type>(), number)
        }
        DataType::Decimal128(..) | DataType::Decimal64(..) | DataType::Decimal32(..) => {
            times(&cast(column, &DataType::Int64)?, form)?
        }
        _ => {
            let texts = texts(column)?;
            let time = |text: Option<&str>| nanos(form.of_text(text.unwrap_or_default()));
            texts.iter().map(time).collect()
        }
    })
}

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

fn nanos_of(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

/// The values of a column; a missing one is [`CellFault::Missing`].
fn mapped<T: arrow_array::ArrowPrimitiveType>(
    column: &arrow_array::PrimitiveArray<T>,
    value: impl Fn(T::Native) -> i64,
) -> Vec<i64> {
    let missing = stored(Err(CellFault::Missing));
    match column.null_count() {
        0 => column.values().iter().map(|one| value(*one)).collect(),
        _ => column
            .iter()
            .map(|one| one.map_or(missing, &value))
            .collect(),
    }
}

/// The codes of prices or sizes; undefined where a cell is empty or no number.
pub(super) fn decimals(column: &ArrayRef, places: Option<i32>) -> Result<Vec<i64>, ArrowError> {
    let missing = stored(Err(CellFault::Missing));
    let undefined = Price::UNDEFINED.code();
    let whole = |value: i64| stored(decimal_of_whole(value, places.unwrap_or(0)));
    let mut codes = match column.data_type() {
        DataType::Float64 => mapped(column.as_primitive::<Float64Type>(), |value| {
            stored(decimal_of_float(value, places))
        }),
        DataType::Float32 => mapped(column.as_primitive::<Float32Type>(), |value| {
            let mut text = ryu::Buffer::new();
            match value.is_finite() && places.is_none() {
                true => stored(decimal_of_text(text.format_finite(value), None)),
                false => stored(decimal_of_float(f64::from(value), places)),
            }
        }),
        DataType::UInt64 => mapped(column.as_primitive::<UInt64Type>(), |value| {
            i64::try_from(value).map_or(stored(Err(CellFault::OutOfRange)), whole)
        }),
        of if of.is_integer() => {
            let column = cast(column, &DataType::Int64)?;
            mapped(column.as_primitive::<Int64Type>(), whole)
        }
        DataType::Decimal128(_, scale) => {
            let scale = i32::from(*scale) + places.unwrap_or(0);
            mapped(column.as_primitive::<Decimal128Type>(), |value| {
                stored(decimal_of_wide(value, scale))
            })
        }
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => {
            let wide = DataType::Decimal128(38, *scale);
            decimals(&cast(column, &wide)?, places)?
        }
        DataType::Null => vec![missing; column.len()],
        _ => {
            let texts = texts(column)?;
            let code = |text: Option<&str>| match text.and_then(absent_as_none) {
                None => missing,
                Some(text) => stored(decimal_of_text(text, places)),
            };
            texts.iter().map(code).collect()
        }
    };
    for code in &mut codes {
        if *code == missing {
            *code = undefined;
        }
    }
    Ok(codes)
}

/// The code of a number of 10^-scale.
fn decimal_of_wide(mut value: i128, mut scale: i32) -> Result<i64, CellFault> {
    if let Ok(value) = i64::try_from(value)
        && let Ok(code) = decimal_of_whole(value, scale)
    {
        return Ok(code);
    }
    while value != 0 && value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    let value = i64::try_from(value).map_err(|_| CellFault::TooPrecise)?;
    decimal_of_whole(value, scale)
}

/// Whole numbers from 0 on; −1 where there is none.
pub(super) fn numbers(column: &ArrayRef) -> Result<Vec<i64>, ArrowError> {
    let or_fault = |number: i64| match number {
        0.. => number,
        _ => stored(Err(CellFault::OutOfRange)),
    };
    let mut all = match column.data_type() {
        DataType::UInt64 => mapped(column.as_primitive::<UInt64Type>(), |value| {
            i64::try_from(value).unwrap_or(stored(Err(CellFault::OutOfRange)))
        }),
        of if of.is_integer() => {
            let column = cast(column, &DataType::Int64)?;
            mapped(column.as_primitive::<Int64Type>(), or_fault)
        }
        // A whole number with a null beside it is a float in pandas.
        DataType::Float64 | DataType::Float32 => {
            let column = cast(column, &DataType::Float64)?;
            mapped(column.as_primitive::<Float64Type>(), |value| {
                match value.fract() == 0.0 && (0.0..9e15).contains(&value) {
                    true => value as i64,
                    false if value.is_nan() => stored(Err(CellFault::Missing)),
                    false => stored(Err(CellFault::BadNumber)),
                }
            })
        }
        _ => {
            let texts = texts(column)?;
            let number = |text: Option<&str>| match text.and_then(absent_as_none) {
                None => stored(Err(CellFault::Missing)),
                Some(text) => text
                    .parse()
                    .map_or(stored(Err(CellFault::BadNumber)), or_fault),
            };
            texts.iter().map(number).collect()
        }
    };
    let missing = stored(Err(CellFault::Missing));
    for number in &mut all {
        if *number == missing {
            *number = -1;
        }
    }
    Ok(all)
}

/// Texts, whatever the type of the column.
pub(super) fn texts(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    let texts = match column.data_type() {
        DataType::Dictionary(_, values) if **values != DataType::Utf8 => {
            let plain = cast(column, values)?;
            cast(&plain, &DataType::Utf8)?
        }
        _ => cast(column, &DataType::Utf8)?,
    };
    Ok(texts.as_string::<i32>().clone())
}

/// Truth values, also as numbers.
pub(super) fn flags(column: &ArrayRef) -> Result<BooleanArray, ArrowError> {
    let flags = match column.data_type() {
        DataType::Dictionary(_, values) => cast(&cast(column, values)?, &DataType::Boolean)?,
        _ => cast(column, &DataType::Boolean)?,
    };
    Ok(flags.as_boolean().clone())
}

/// Levels of lists: where each list begins and ends, and prices and sizes of all.
pub(super) struct LevelValues {
    pub(super) offsets: Vec<usize>,
    pub(super) prices: Vec<i64>,
    pub(super) sizes: Vec<i64>,
}

/// Lists of structs or pairs of price and size.
pub(super) fn levels(
    column: &ArrayRef,
    [price_places, size_places]: [Option<i32>; 2],
) -> Result<LevelValues, ArrowError> {
    let (offsets, values): (Vec<usize>, ArrayRef) = match column.data_type() {
        DataType::LargeList(_) => {
            let list = column.as_list::<i64>();
            let offsets = list.offsets().iter().map(|at| *at as usize);
            (offsets.collect(), list.values().clone())
        }
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            let offsets = list.offsets().iter().map(|at| *at as usize);
            (offsets.collect(), list.values().clone())
        }
        other => return Err(no_levels(other)),
    };
    let (prices, sizes) = match values.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => {
            let parts = values.as_struct();
            let price = parts.column_by_name("price").unwrap_or(parts.column(0));
            let size = parts.column_by_name("size").unwrap_or(parts.column(1));
            (decimals(price, price_places)?, decimals(size, size_places)?)
        }
        DataType::FixedSizeList(_, 2) => {
            let inner = values.as_fixed_size_list();
            let of = |places| decimals(inner.values(), places);
            let every_second = |codes: Vec<i64>, from: usize| {
                codes
                    .into_iter()
                    .skip(from)
                    .step_by(2)
                    .collect::<Vec<i64>>()
            };
            let start = inner.value_offset_at(0);
            (
                every_second(of(price_places)?, start),
                every_second(of(size_places)?, start + 1),
            )
        }
        DataType::List(inner) => {
            let pairs = DataType::FixedSizeList(inner.clone(), 2);
            let lists = DataType::List(std::sync::Arc::new(arrow_schema::Field::new(
                "item", pairs, true,
            )));
            return levels(&cast(column, &lists)?, [price_places, size_places]);
        }
        other => return Err(no_levels(other)),
    };
    Ok(LevelValues {
        offsets,
        prices,
        sizes,
    })
}

fn no_levels(of: &DataType) -> ArrowError {
    ArrowError::CastError(format!(
        "the levels of a book are a list of pairs of price and size, or of structs of `price` and `size`; it has the \
         type {of}"
    ))
}
