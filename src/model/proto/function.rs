//! Messages of ONNX files that are read and never written, so that fields may be missing here: functions and
//! sparse constants.

use prost::Message;

use super::{AttributeProto, NodeProto, TensorProto};
use crate::model::recognise::error::RecogniseError;

/// A function of the file: operators under one name.
#[derive(Clone, PartialEq, Message)]
pub struct FunctionProto {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The operators.
    #[prost(message, repeated, tag = "7")]
    pub node: Vec<NodeProto>,
    /// The operator set that it belongs to.
    #[prost(string, tag = "10")]
    pub domain: String,
    /// Settings that a call may leave out, with their values.
    #[prost(message, repeated, tag = "11")]
    pub attribute_proto: Vec<AttributeProto>,
    /// Which of the functions of this name it is.
    #[prost(string, tag = "13")]
    pub overload: String,
}

/// A constant most of whose numbers are zero.
#[derive(Clone, PartialEq, Message)]
pub struct SparseTensorProto {
    /// The others.
    #[prost(message, optional, tag = "1")]
    pub values: Option<TensorProto>,
    /// Their places.
    #[prost(message, optional, tag = "2")]
    pub indices: Option<TensorProto>,
}

impl FunctionProto {
    /// Reads a function.
    ///
    /// # Errors
    /// [`RecogniseError::Bytes`] where the bytes are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecogniseError> {
        Ok(Self::decode(bytes)?)
    }
}

impl SparseTensorProto {
    /// Reads a constant.
    ///
    /// # Errors
    /// [`RecogniseError::Bytes`] where the bytes are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecogniseError> {
        Ok(Self::decode(bytes)?)
    }
}
