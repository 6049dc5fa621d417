//! Round trips and the equity curve as Parquet.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Float64Array, RecordBatch, StringArray, TimestampNanosecondArray, UInt32Array,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};

use crate::backtest::{Equity, EquityPoint, RoundTrip, Tally};
use crate::sink::SinkError;
use crate::sink::output_file::OutputFile;
use crate::sink::parquet::{close_parquet, parquet_writer};

/// Rows in a row group.
const ROWS: usize = 1 << 16;

/// A column of a table whose rows are `T`.
type OutputColumn<T> = (&'static str, ColumnValues<T>);

/// How the values of a column are read from the rows.
enum ColumnValues<T> {
    /// The name of an instrument, by its number.
    Instrument(fn(&T) -> usize),
    Text(fn(&T) -> &'static str),
    Number(fn(&T) -> f64),
    Count(fn(&T) -> u32),
    /// Nanoseconds since the epoch.
    Time(fn(&T) -> i64),
}

const TRADES: &[OutputColumn<RoundTrip>] = &[
    (
        "instrument",
        ColumnValues::Instrument(|trip| trip.signal.instrument.index()),
    ),
    ("side", ColumnValues::Text(|trip| side(trip.sign))),
    ("ts_signal", ColumnValues::Time(|trip| trip.signal.ts)),
    ("score", ColumnValues::Number(|trip| trip.signal.score)),
    ("quality", ColumnValues::Text(|trip| trip.quality().word())),
    ("ts_entry", ColumnValues::Time(|trip| trip.entered)),
    ("ts_exit", ColumnValues::Time(|trip| trip.exited)),
    ("exit", ColumnValues::Text(|trip| trip.reason.word())),
    (
        "quantity",
        ColumnValues::Number(|trip| trip.quantity.to_f64()),
    ),
    (
        "entry_notional",
        ColumnValues::Number(|trip| trip.entry_notional),
    ),
    (
        "exit_notional",
        ColumnValues::Number(|trip| trip.exit_notional),
    ),
    ("pnl_gross", ColumnValues::Number(RoundTrip::gross)),
    ("fees", ColumnValues::Number(|trip| trip.fees)),
    ("carry", ColumnValues::Number(|trip| trip.carry)),
    ("pnl_net", ColumnValues::Number(RoundTrip::net)),
    ("fills", ColumnValues::Count(|trip| trip.fills)),
];

const EQUITY: &[OutputColumn<EquityPoint>] = &[
    ("ts", ColumnValues::Time(|point| point.ts)),
    ("pnl_gross", ColumnValues::Number(|point| point.gross)),
    ("costs", ColumnValues::Number(|point| point.costs)),
    ("pnl_net", ColumnValues::Number(EquityPoint::net)),
    ("exposure", ColumnValues::Number(|point| point.exposure)),
];

/// Writes the round trips, in the order in which they ended.
///
/// # Errors
/// [`SinkError`].
pub(super) fn write_trades(path: &Path, tally: &Tally, names: &[String]) -> Result<(), SinkError> {
    write(
        path,
        TRADES,
        tally.trips.as_deref().unwrap_or_default(),
        names,
    )
}

/// Writes the samples of the equity curve that differ from the one before.
///
/// # Errors
/// [`SinkError`].
pub(super) fn write_equity(path: &Path, equity: &Equity) -> Result<(), SinkError> {
    write(
        path,
        EQUITY,
        equity.points.as_deref().unwrap_or_default(),
        &[],
    )
}

/// The word for the side of a position.
pub(super) fn side(sign: i8) -> &'static str {
    match sign {
        1 => "long",
        _ => "short",
    }
}

fn write<T>(
    path: &Path,
    columns: &[OutputColumn<T>],
    rows: &[T],
    names: &[String],
) -> Result<(), SinkError> {
    let field = |(name, values): &OutputColumn<T>| Field::new(*name, values.kind(), false);
    let fields: Vec<Field> = columns.iter().map(field).collect();
    let schema = Arc::new(Schema::new(fields));
    let mut writer = parquet_writer(path, Arc::clone(&schema))?;
    for rows in rows.chunks(ROWS) {
        let arrays = columns.iter().map(|(_, values)| values.array(rows, names));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays.collect());
        let written = batch
            .map_err(|error| error.to_string())
            .and_then(|batch| writer.write(&batch).map_err(|error| error.to_string()));
        written.map_err(|what| SinkError::Parquet {
            path: path.to_owned(),
            what,
        })?;
    }
    close_parquet(writer, path, OutputFile::finish)
}

impl<T> ColumnValues<T> {
    fn kind(&self) -> DataType {
        match self {
            Self::Instrument(_) | Self::Text(_) => DataType::Utf8,
            Self::Number(_) => DataType::Float64,
            Self::Count(_) => DataType::UInt32,
            Self::Time(_) => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        }
    }

    fn array(&self, rows: &[T], names: &[String]) -> ArrayRef {
        let rows = rows.iter();
        match self {
            Self::Instrument(number) => {
                let name = |row| names.get(number(row)).map_or("", String::as_str);
                Arc::new(StringArray::from_iter_values(rows.map(name)))
            }
            Self::Text(text) => Arc::new(StringArray::from_iter_values(rows.map(text))),
            Self::Number(number) => Arc::new(Float64Array::from_iter_values(rows.map(number))),
            Self::Count(count) => Arc::new(UInt32Array::from_iter_values(rows.map(count))),
            Self::Time(time) => {
                let times = TimestampNanosecondArray::from_iter_values(rows.map(time));
                Arc::new(times.with_timezone("UTC"))
            }
        }
    }
}
