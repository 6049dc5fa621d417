//! The numbers of an ONNX tensor.

use super::TensorProto;
use crate::model::recognise::error::RecogniseError;

/// `TensorProto.DataType`: float32.
pub const FLOAT: i32 = 1;
const INT32: i32 = 6;
const INT64: i32 = 7;

impl TensorProto {
    /// A constant with these float32 numbers.
    #[must_use]
    pub fn of(name: String, dims: Vec<i64>, numbers: &[f32]) -> Self {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
        Self {
            name,
            dims,
            data_type: Some(FLOAT),
            raw_data: Some(bytes.collect()),
            ..Self::default()
        }
    }

    /// Whether its numbers are in another file.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.data_location() != 0
    }

    /// What its entry about another file says of `key`: `location`, `offset`, `length`.
    #[must_use]
    pub fn external(&self, key: &str) -> Option<&str> {
        let entry = self.external_data.iter().find(|entry| entry.key == key)?;
        Some(&entry.value)
    }

    /// The bytes that its numbers take by its shape and type; none for types without a fixed size, and for
    /// shapes that make no sense.
    #[must_use]
    pub fn bytes_wanted(&self) -> Option<u64> {
        let size: u64 = match self.data_type() {
            2 | 3 | 9 | 17..=20 => 1,
            4 | 5 | 10 | 16 => 2,
            FLOAT | INT32 | 12 => 4,
            INT64 | 11 | 13 | 14 => 8,
            15 => 16,
            _ => return None,
        };
        let size_of = |bytes: u64, &size: &i64| bytes.checked_mul(u64::try_from(size).ok()?);
        self.dims.iter().try_fold(size, size_of)
    }

    /// Its shape.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        let size = |&size| usize::try_from(size).unwrap_or(0);
        self.dims.iter().map(size).collect()
    }

    /// Its numbers, which must be float32: other types would be rounded.
    ///
    /// # Errors
    /// [`RecogniseError::Graph`] where they have another type, are in another file, or are too few.
    pub fn floats(&self) -> Result<Vec<f32>, RecogniseError> {
        if self.data_type() != FLOAT {
            return self.refuse(&format!("is of type {}, not float32", self.type_name()));
        }
        let numbers = match &self.raw_data {
            Some(raw) => numbers(raw, f32::from_le_bytes),
            None => self.float_data.clone(),
        };
        self.counted(numbers)
    }

    /// Its numbers, which must be int64 or int32.
    ///
    /// # Errors
    /// [`RecogniseError::Graph`] where they have another type, are in another file, or are too few.
    pub fn integers(&self) -> Result<Vec<i64>, RecogniseError> {
        let numbers = match (self.data_type(), &self.raw_data) {
            (INT64, Some(raw)) => numbers(raw, i64::from_le_bytes),
            (INT64, None) => self.int64_data.clone(),
            (INT32, Some(raw)) => widened(&numbers(raw, i32::from_le_bytes)),
            (INT32, None) => widened(&self.int32_data),
            _ => return self.refuse(&format!("is of type {}, not int64", self.type_name())),
        };
        self.counted(numbers)
    }

    fn counted<N>(&self, numbers: Vec<N>) -> Result<Vec<N>, RecogniseError> {
        if numbers.len() == self.shape().iter().product::<usize>() {
            return Ok(numbers);
        }
        self.refuse(&format!(
            "has {} numbers in the file for shape {:?}",
            numbers.len(),
            self.dims
        ))
    }

    fn refuse<T>(&self, what: &str) -> Result<T, RecogniseError> {
        Err(RecogniseError::Graph(format!(
            "constant `{}` {what}",
            self.name
        )))
    }

    fn type_name(&self) -> String {
        type_name(self.data_type())
    }
}

/// The name of a `TensorProto.DataType`.
#[must_use]
pub fn type_name(data_type: i32) -> String {
    let names = [
        "undefined",
        "float32",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "float64",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
    ];
    let name = usize::try_from(data_type).ok().and_then(|at| names.get(at));
    name.map_or_else(|| format!("number {data_type}"), |name| (*name).to_owned())
}

fn numbers<N, const BYTES: usize>(raw: &[u8], number: fn([u8; BYTES]) -> N) -> Vec<N> {
    raw.as_chunks()
        .0
        .iter()
        .map(|&bytes| number(bytes))
        .collect()
}

fn widened(numbers: &[i32]) -> Vec<i64> {
    numbers.iter().copied().map(i64::from).collect()
}
