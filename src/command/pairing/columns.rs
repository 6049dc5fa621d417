//! Signals as Parquet holds them: rows of columns, and the columns of what is nested in JSON.

use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, cast::AsArray};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use serde_json::{Value, json};

use super::SignalObject;

/// The rows of a batch.
///
/// # Errors
/// What is wrong with a column.
pub(super) fn rows(batch: &RecordBatch) -> Result<Vec<SignalObject>, String> {
    let mut rows = vec![SignalObject::new(); batch.num_rows()];
    let schema = batch.schema();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let values =
            values(column).map_err(|error| format!("column `{}`: {error}", field.name()))?;
        for (row, value) in rows.iter_mut().zip(values) {
            row.insert(field.name().clone(), value);
        }
    }
    Ok(rows)
}

/// A signal of JSON with the fields that it would have as columns of Parquet. What has no column is left
/// out: the parts of `latency_ns`, the weights of reasons.
pub(super) fn as_columns(signal: SignalObject) -> SignalObject {
    signal.into_iter().flat_map(columns).collect()
}

/// The values of a column: whole numbers, numbers, flags; times as nanoseconds; anything else as text.
fn values(column: &ArrayRef) -> Result<Vec<Value>, arrow_schema::ArrowError> {
    let (whole, number) = (DataType::Int64, DataType::Float64);
    let value = |at: usize, value: &dyn Fn(usize) -> Value| {
        if column.is_null(at) {
            Value::Null
        } else {
            value(at)
        }
    };
    let all = |of: &dyn Fn(usize) -> Value| (0..column.len()).map(|at| value(at, of)).collect();
    Ok(match column.data_type() {
        DataType::Boolean => all(&|at| column.as_boolean().value(at).into()),
        kind if kind.is_integer() => {
            let column = cast(column, &whole)?;
            all(&|at| column.as_primitive::<Int64Type>().value(at).into())
        }
        DataType::Timestamp(_, zone) => {
            let nanos = DataType::Timestamp(TimeUnit::Nanosecond, zone.clone());
            let column = cast(&cast(column, &nanos)?, &whole)?;
            all(&|at| column.as_primitive::<Int64Type>().value(at).into())
        }
        kind if kind.is_floating() => {
            let column = cast(column, &number)?;
            all(&|at| column.as_primitive::<Float64Type>().value(at).into())
        }
        _ => {
            let column = cast(column, &DataType::Utf8)?;
            all(&|at| column.as_string::<i32>().value(at).into())
        }
    })
}

/// The columns of Parquet that hold a field of JSON.
fn columns((name, value): (String, Value)) -> Vec<(String, Value)> {
    let parts = |prefix: &str, value: Value| match value {
        Value::Object(parts) => {
            let part = |(part, value)| (format!("{prefix}_{part}"), value);
            parts.into_iter().map(part).collect()
        }
        _ => vec![],
    };
    match (name.as_str(), value) {
        ("probabilities", value) => parts("probability", value),
        ("source", value) => parts("source", value),
        ("sentiment", mut value) => {
            if let Value::Object(parts) = &mut value {
                parts.remove("half_life_ms");
            }
            parts("sentiment", value)
        }
        ("latency_ns", _) => vec![],
        ("model", Value::Object(model)) => {
            let part = |part: &str| model.get(part).and_then(Value::as_str).unwrap_or("");
            let text = ["name", "version", "sha256"].map(part).join(" ");
            vec![(name, json!(text))]
        }
        ("reasons", Value::Array(reasons)) => {
            let codes = reasons.iter().filter_map(|reason| reason["code"].as_str());
            let codes: Vec<&str> = codes.collect();
            vec![(name, json!(codes.join(",")))]
        }
        (_, value) => vec![(name, value)],
    }
}
