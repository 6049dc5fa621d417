//! ONNX's messages as far as a folded graph needs them, and the numbers in its tensors.
//!
//! Field numbers are those of `onnx.proto`. Knows no operator. What nobody here reads is kept as the bytes
//! it came in, so that a file can be decoded, changed in one place, and encoded again.

use prost::{Message, Oneof};

use super::recognise::error::RecogniseError;

/// A file: a graph, and what is said about it.
#[derive(Clone, PartialEq, Message)]
pub struct ModelProto {
    /// Version of the file format.
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    /// Who wrote it.
    #[prost(string, tag = "2")]
    pub producer_name: String,
    /// The writer's version.
    #[prost(string, tag = "3")]
    pub producer_version: String,
    /// Namespace of the model.
    #[prost(string, tag = "4")]
    pub domain: String,
    /// Version of the model.
    #[prost(int64, optional, tag = "5")]
    pub model_version: Option<i64>,
    /// Free text.
    #[prost(string, tag = "6")]
    pub doc_string: String,
    /// The computation.
    #[prost(message, optional, tag = "7")]
    pub graph: Option<GraphProto>,
    /// Versions of the operator sets in use.
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSetIdProto>,
    /// Keys and values: the contract.
    #[prost(message, repeated, tag = "14")]
    pub metadata_props: Vec<StringStringEntryProto>,
    /// As it came.
    #[prost(bytes = "vec", repeated, tag = "20")]
    pub training_info: Vec<Vec<u8>>,
    /// As it came.
    #[prost(bytes = "vec", repeated, tag = "25")]
    pub functions: Vec<Vec<u8>>,
    /// As it came.
    #[prost(bytes = "vec", repeated, tag = "26")]
    pub configuration: Vec<Vec<u8>>,
}

/// Nodes in the order of their computation.
#[derive(Clone, PartialEq, Message)]
pub struct GraphProto {
    /// The operators.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<NodeProto>,
    /// Its name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Constants, by name.
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<TensorProto>,
    /// Free text.
    #[prost(string, tag = "10")]
    pub doc_string: String,
    /// What comes in; in old files the constants too.
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfoProto>,
    /// What goes out.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfoProto>,
    /// Types of what lies between.
    #[prost(message, repeated, tag = "13")]
    pub value_info: Vec<ValueInfoProto>,
    /// As it came.
    #[prost(bytes = "vec", repeated, tag = "14")]
    pub quantization_annotation: Vec<Vec<u8>>,
    /// As it came.
    #[prost(bytes = "vec", repeated, tag = "15")]
    pub sparse_initializer: Vec<Vec<u8>>,
    /// Keys and values.
    #[prost(message, repeated, tag = "16")]
    pub metadata_props: Vec<StringStringEntryProto>,
}

/// One operator with the names of what it reads and writes; an empty name is an argument left out.
#[derive(Clone, PartialEq, Message)]
pub struct NodeProto {
    /// Names of its arguments.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// Names of its results.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// Its name.
    #[prost(string, tag = "3")]
    pub name: String,
    /// The operator.
    #[prost(string, tag = "4")]
    pub op_type: String,
    /// Its settings.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<AttributeProto>,
    /// Free text.
    #[prost(string, tag = "6")]
    pub doc_string: String,
    /// The operator set; empty for ONNX's own.
    #[prost(string, tag = "7")]
    pub domain: String,
    /// Which function of the name, where there are several.
    #[prost(string, tag = "8")]
    pub overload: String,
    /// Keys and values.
    #[prost(message, repeated, tag = "9")]
    pub metadata_props: Vec<StringStringEntryProto>,
    /// As it came.
    #[prost(bytes = "vec", repeated, tag = "10")]
    pub device_configurations: Vec<Vec<u8>>,
}

/// A setting of an operator.
#[derive(Clone, PartialEq, Message)]
pub struct AttributeProto {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// A float.
    #[prost(float, optional, tag = "2")]
    pub f: Option<f32>,
    /// An integer.
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    /// A text.
    #[prost(bytes = "vec", optional, tag = "4")]
    pub s: Option<Vec<u8>>,
    /// A constant.
    #[prost(message, optional, tag = "5")]
    pub t: Option<TensorProto>,
    /// A graph within.
    #[prost(message, optional, tag = "6")]
    pub g: Option<GraphProto>,
    /// Floats.
    #[prost(float, repeated, packed = "false", tag = "7")]
    pub floats: Vec<f32>,
    /// Integers.
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    /// Texts.
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub strings: Vec<Vec<u8>>,
    /// Constants.
    #[prost(message, repeated, tag = "10")]
    pub tensors: Vec<TensorProto>,
    /// Graphs within.
    #[prost(message, repeated, tag = "11")]
    pub graphs: Vec<GraphProto>,
    /// Free text.
    #[prost(string, tag = "13")]
    pub doc_string: String,
    /// As it came.
    #[prost(bytes = "vec", optional, tag = "14")]
    pub tp: Option<Vec<u8>>,
    /// As it came.
    #[prost(bytes = "vec", repeated, tag = "15")]
    pub type_protos: Vec<Vec<u8>>,
    /// Which of the fields holds the value.
    #[prost(int32, optional, tag = "20")]
    pub r#type: Option<i32>,
    /// The setting of the function around it that it repeats.
    #[prost(string, tag = "21")]
    pub ref_attr_name: String,
    /// As it came.
    #[prost(bytes = "vec", optional, tag = "22")]
    pub sparse_tensor: Option<Vec<u8>>,
    /// As it came.
    #[prost(bytes = "vec", repeated, tag = "23")]
    pub sparse_tensors: Vec<Vec<u8>>,
}

/// A constant: its numbers lie in `raw_data`, or in the field of their type.
#[derive(Clone, PartialEq, Message)]
pub struct TensorProto {
    /// Its shape.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    /// The type of its numbers.
    #[prost(int32, optional, tag = "2")]
    pub data_type: Option<i32>,
    /// As it came.
    #[prost(bytes = "vec", optional, tag = "3")]
    pub segment: Option<Vec<u8>>,
    /// Numbers of type float32.
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    /// Numbers of type int32 and smaller.
    #[prost(int32, repeated, tag = "5")]
    pub int32_data: Vec<i32>,
    /// Texts.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub string_data: Vec<Vec<u8>>,
    /// Numbers of type int64.
    #[prost(int64, repeated, tag = "7")]
    pub int64_data: Vec<i64>,
    /// Its name.
    #[prost(string, tag = "8")]
    pub name: String,
    /// Numbers as bytes, least significant first.
    #[prost(bytes = "vec", optional, tag = "9")]
    pub raw_data: Option<Vec<u8>>,
    /// Numbers of type float64.
    #[prost(double, repeated, tag = "10")]
    pub double_data: Vec<f64>,
    /// Numbers of unsigned types.
    #[prost(uint64, repeated, tag = "11")]
    pub uint64_data: Vec<u64>,
    /// Free text.
    #[prost(string, tag = "12")]
    pub doc_string: String,
    /// Where the numbers are in another file.
    #[prost(message, repeated, tag = "13")]
    pub external_data: Vec<StringStringEntryProto>,
    /// 1 where they are in another file.
    #[prost(int32, optional, tag = "14")]
    pub data_location: Option<i32>,
    /// Keys and values.
    #[prost(message, repeated, tag = "16")]
    pub metadata_props: Vec<StringStringEntryProto>,
}

/// A name with its type.
#[derive(Clone, PartialEq, Message)]
pub struct ValueInfoProto {
    /// The name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The type.
    #[prost(message, optional, tag = "2")]
    pub r#type: Option<TypeProto>,
    /// Free text.
    #[prost(string, tag = "3")]
    pub doc_string: String,
    /// Keys and values.
    #[prost(message, repeated, tag = "4")]
    pub metadata_props: Vec<StringStringEntryProto>,
}

/// The type of a value; what is no tensor is kept as it came.
#[derive(Clone, PartialEq, Message)]
pub struct TypeProto {
    /// A tensor.
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorTypeProto>,
    /// As it came.
    #[prost(bytes = "vec", optional, tag = "4")]
    pub sequence_type: Option<Vec<u8>>,
    /// As it came.
    #[prost(bytes = "vec", optional, tag = "5")]
    pub map_type: Option<Vec<u8>>,
    /// What the value means.
    #[prost(string, tag = "6")]
    pub denotation: String,
    /// As it came.
    #[prost(bytes = "vec", optional, tag = "7")]
    pub opaque_type: Option<Vec<u8>>,
    /// As it came.
    #[prost(bytes = "vec", optional, tag = "8")]
    pub sparse_tensor_type: Option<Vec<u8>>,
    /// As it came.
    #[prost(bytes = "vec", optional, tag = "9")]
    pub optional_type: Option<Vec<u8>>,
}

/// A tensor's type.
#[derive(Clone, PartialEq, Message)]
pub struct TensorTypeProto {
    /// The type of its numbers.
    #[prost(int32, optional, tag = "1")]
    pub elem_type: Option<i32>,
    /// Its shape, where it is known.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<TensorShapeProto>,
}

/// A shape.
#[derive(Clone, PartialEq, Message)]
pub struct TensorShapeProto {
    /// Its dimensions.
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<DimensionProto>,
}

/// A dimension: a size, a symbol, or neither.
#[derive(Clone, PartialEq, Message)]
pub struct DimensionProto {
    /// The size or the symbol.
    #[prost(oneof = "Size", tags = "1, 2")]
    pub size: Option<Size>,
    /// What the dimension means.
    #[prost(string, tag = "3")]
    pub denotation: String,
}

/// How large a dimension is.
#[derive(Clone, PartialEq, Oneof)]
pub enum Size {
    /// So many.
    #[prost(int64, tag = "1")]
    Value(i64),
    /// As many as wherever else this symbol stands.
    #[prost(string, tag = "2")]
    Param(String),
}

/// A key and its value.
#[derive(Clone, PartialEq, Message)]
pub struct StringStringEntryProto {
    /// The key.
    #[prost(string, tag = "1")]
    pub key: String,
    /// The value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// An operator set.
#[derive(Clone, PartialEq, Message)]
pub struct OperatorSetIdProto {
    /// Its name; empty for ONNX's own.
    #[prost(string, tag = "1")]
    pub domain: String,
    /// Its version.
    #[prost(int64, tag = "2")]
    pub version: i64,
}

/// `TensorProto.DataType`: float32.
pub const FLOAT: i32 = 1;
const INT32: i32 = 6;
const INT64: i32 = 7;

impl ModelProto {
    /// Reads a file.
    ///
    /// # Errors
    /// [`RecogniseError::Bytes`] where it is no ONNX file.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecogniseError> {
        Ok(Self::decode(bytes)?)
    }

    /// The file again.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}

impl NodeProto {
    /// Argument `at`, where it is given.
    #[must_use]
    pub fn argument(&self, at: usize) -> Option<&str> {
        let name = self.input.get(at).map(String::as_str);
        name.filter(|name| !name.is_empty())
    }

    /// A setting.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&AttributeProto> {
        self.attribute.iter().find(|one| one.name == name)
    }

    /// A setting that is an integer.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.setting(name)?.i
    }
}

impl TensorProto {
    /// A constant of float32 numbers.
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

    /// Its shape.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        let size = |&size| usize::try_from(size).unwrap_or(0);
        self.dims.iter().map(size).collect()
    }

    /// Its numbers, which must be float32: others would be rounded.
    ///
    /// # Errors
    /// [`RecogniseError::Graph`] where they are of another type, elsewhere, or too few.
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
    /// [`RecogniseError::Graph`] where they are of another type, elsewhere, or too few.
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
