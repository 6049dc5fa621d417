//! Writes small ONNX models for tests: flattened inputs, concatenated, times one matrix, softmax.
//!
//! Encodes just enough of the format (protocol buffers by hand) for one graph; decodes nothing.

/// The shape of a graph, and the metadata of its file.
#[derive(Clone)]
pub(crate) struct Graph {
    /// Names and shapes of its inputs, −1 for an open dimension.
    pub(crate) inputs: Vec<(&'static str, Vec<i64>)>,
    /// The type of the inputs: 1 is f32, 7 is i64.
    pub(crate) element: u64,
    /// Number of scores.
    pub(crate) outputs: i64,
    /// The axis of its softmax: over the scores of a window (1), or over those of all windows (0).
    pub(crate) softmax: u64,
    /// The size of a table in which every number is looked up first, so that a number beyond its end fails
    /// the run; 0 for none.
    pub(crate) table: i64,
    /// `metadata_props`.
    pub(crate) metadata: Vec<(String, String)>,
}

impl Graph {
    /// A graph for windows of so many steps of these columns, with its contract.
    pub(crate) fn of(columns: &[String], features_sha256: &str, steps: i64) -> Self {
        let metadata = [
            ("name", "small".to_owned()),
            ("version", "3".to_owned()),
            ("features", format!("{columns:?}")),
            ("features_sha256", features_sha256.to_owned()),
            ("labels", r#"["down", "flat", "up"]"#.to_owned()),
            ("steps", steps.to_string()),
            ("horizon_ms", "2000".to_owned()),
        ];
        let metadata = metadata.map(|(key, value)| (format!("foretick.{key}"), value));
        Self {
            inputs: vec![("window", vec![1, steps, columns.len() as i64])],
            element: F32,
            outputs: 3,
            softmax: 1,
            table: 0,
            metadata: metadata.into(),
        }
    }

    /// Changes one entry of the metadata; removes it where `value` is none.
    pub(crate) fn say(mut self, key: &str, value: Option<&str>) -> Self {
        let key = format!("foretick.{key}");
        self.metadata.retain(|entry| entry.0 != key);
        self.metadata
            .extend(value.map(|value| (key, value.to_owned())));
        self
    }

    /// The model's file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let cells = |shape: &[i64]| shape.iter().skip(1).product::<i64>();
        let rows = self.inputs.iter().map(|(_, shape)| cells(shape)).sum();
        let mut graph = Message::default();
        let mut parts = vec![];
        for (input, _) in &self.inputs {
            let [places, numbers, flat] =
                ["places", "numbers", "flat"].map(|what| format!("{what} {input}"));
            if self.table == 0 {
                // An integer input is cast first: the matrix is of f32.
                graph.message(1, node("Cast", &[input], &numbers, &[("to", F32)]));
            } else {
                graph.message(1, node("Cast", &[input], &places, &[("to", I64)]));
                graph.message(1, node("Gather", &["table", &places], &numbers, &[]));
            }
            graph.message(1, node("Flatten", &[&numbers], &flat, &[("axis", 1)]));
            parts.push(flat);
        }
        if self.table > 0 {
            graph.message(5, numbers("table", &[self.table]));
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        graph.message(1, node("Concat", &parts, "flat", &[("axis", 1)]));
        graph.message(1, node("MatMul", &["flat", "weights"], "sums", &[]));
        graph.message(
            1,
            node("Softmax", &["sums"], "scores", &[("axis", self.softmax)]),
        );
        graph.text(2, "small");
        graph.message(5, numbers("weights", &[rows, self.outputs]));
        for (name, shape) in &self.inputs {
            graph.message(11, value(name, self.element, shape));
        }
        let batch = self.inputs[0].1[0];
        graph.message(12, value("scores", F32, &[batch, self.outputs]));
        let mut version = Message::default();
        version.number(2, 17);
        let mut model = Message::default();
        model.number(1, 8);
        model.message(7, graph);
        model.message(8, version);
        for (key, value) in &self.metadata {
            let mut entry = Message::default();
            entry.text(1, key);
            entry.text(2, value);
            model.message(14, entry);
        }
        model.0
    }
}

const F32: u64 = 1;
const I64: u64 = 7;

fn node(kind: &str, inputs: &[&str], output: &str, attributes: &[(&str, u64)]) -> Message {
    const INT: u64 = 2;
    let mut node = Message::default();
    for input in inputs {
        node.text(1, input);
    }
    node.text(2, output);
    node.text(3, output);
    node.text(4, kind);
    for (name, number) in attributes {
        let mut attribute = Message::default();
        attribute.text(1, name);
        attribute.number(3, *number);
        attribute.number(20, INT);
        node.message(5, attribute);
    }
    node
}

/// The number at this place of the matrix, row by row.
pub(crate) fn weight(place: i64) -> f32 {
    ((place * 37 % 101) - 50) as f32 / 5_000.0
}

/// Small numbers, some below zero.
fn numbers(name: &str, shape: &[i64]) -> Message {
    let mut tensor = Message::default();
    for &size in shape {
        tensor.number(1, size as u64);
    }
    tensor.number(2, F32);
    tensor.text(8, name);
    let count: i64 = shape.iter().product();
    let numbers = (0..count).map(weight);
    tensor.bytes(9, &numbers.flat_map(f32::to_le_bytes).collect::<Vec<u8>>());
    tensor
}

/// The declaration of an input or output.
fn value(name: &str, element: u64, shape: &[i64]) -> Message {
    let mut dimensions = Message::default();
    for &size in shape {
        let mut dimension = Message::default();
        match u64::try_from(size) {
            Ok(size) => dimension.number(1, size),
            Err(_) => dimension.text(2, "batch"),
        }
        dimensions.message(1, dimension);
    }
    let mut tensor = Message::default();
    tensor.number(1, element);
    tensor.message(2, dimensions);
    let mut kind = Message::default();
    kind.message(1, tensor);
    let mut value = Message::default();
    value.text(1, name);
    value.message(2, kind);
    value
}

/// A protocol buffer: fields, one after the other.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: Self) {
        self.bytes(field, &message.0);
    }
}
