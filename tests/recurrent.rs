//! ONNX files of every exporter are recognised as the network that ONNX Runtime runs, or refused with a
//! reason.
//!
//! The files are in `given/recurrent`, with the scripts that wrote them. Scores are those of a naive forward
//! pass; the kernels have tests of their own.

#[path = "given/recurrent.rs"]
mod given;
#[path = "given/naive.rs"]
mod naive;
mod needs;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use foretick::model::onnx::library::environment;
use foretick::model::proto::ModelProto;
use foretick::model::recognise::error::RecogniseError;
use foretick::model::recognise::{long_memory, normal_form, recognise};
use foretick::model::slide::RecognisedNetwork;
use foretick::model::slide::recurrent::network::{
    Activation, CellKind, RecurrentLayer, RecurrentNetwork, ScaleStep,
};
use ort::session::Session;
use ort::value::Tensor;

use self::given::{draw, files, given};

/// Files that are refused: the part of the name after `refused-`, and words of the reason.
const REFUSED: [(&str, &str); 22] = [
    ("attention", "is attention over the steps of layer 2"),
    ("batch", "the input is fixed to batch = 8, not 1"),
    (
        "bidirectional",
        "layer 1 is bidirectional: its result at a step depends on later rows",
    ),
    ("both", "dense layer 1 takes layer 1 and layer 2 together"),
    (
        "cell-state",
        "takes `c0`, which is neither an output of a layer nor a constant",
    ),
    ("clip", "layer 1 has the setting `clip`"),
    ("convolution", "this is a convolution"),
    ("first", "takes step 1 of 9 of"),
    ("gru", "operator Loop holds a graph of its own"),
    ("half", "the input is of type float16, not float32"),
    ("input-forget", "layer 1 has the setting `input_forget`"),
    (
        "layer-norm",
        "operator LayerNormalization after layer 2 is not one that is computed here",
    ),
    ("mean", "operator ReduceMean pools all steps of layer 2"),
    (
        "own-scale",
        "operator ReduceMean on the rows normalises them over the window itself",
    ),
    ("peepholes", "layer 1 has peepholes"),
    (
        "relu",
        "layer 1 has other activations than sigmoid and tanh",
    ),
    ("reverse", "layer 1 runs in reverse"),
    (
        "reversed-rows",
        "layer 1 takes the steps of the rows from the newest to the oldest",
    ),
    (
        "scale-by-step",
        "operator Mul normalises a number differently at each step",
    ),
    ("skip", "dense layer 1 takes layer 1 and the rows together"),
    ("transformer", "there is no LSTM or GRU layer"),
    ("unrolled", "the recurrence is unrolled"),
];

#[test]
fn the_network_of_every_exporter_scores_as_onnx_runtime_does() {
    if !needs::onnx("the_network_of_every_exporter_scores_as_onnx_runtime_does") {
        return;
    }
    let mut compared = 0;
    for (name, steps, bytes) in files() {
        if name.contains("refused") {
            continue;
        }
        let folded = normal_form(&bytes, steps).unwrap_or_else(|why| panic!("{name}: {why}"));
        let network = network(&folded, steps).unwrap_or_else(|why| panic!("{name}: {why}"));
        hold(&name, &network, &bytes, 3e-6);
        hold(&format!("{name}, folded"), &network, &folded.bytes(), 3e-6);
        compared += 1;
    }
    assert!(compared >= 20, "only {compared} files");
}

#[test]
fn the_copy_with_long_memory_is_another_network_and_recognised_exactly() {
    if !needs::onnx("the_copy_with_long_memory_is_another_network_and_recognised_exactly") {
        return;
    }
    for (name, steps, bytes) in files() {
        if name.contains("refused") {
            continue;
        }
        let folded = normal_form(&bytes, steps).expect("the file is recognised");
        let twin = long_memory(&folded);
        let before = network(&folded, steps).expect("the file is recognised");
        let after = network(&twin, steps).unwrap_or_else(|why| panic!("{name}: {why}"));
        for (layer, twin) in before.layers.iter().zip(&after.layers) {
            keeps_more(&name, layer, twin);
        }
        hold(&format!("{name}, long memory"), &after, &twin.bytes(), 3e-6);
        let first = |row: f32| {
            let mut window = window(&after, 1);
            window[..after.features].fill(row);
            naive::forward(&RecognisedNetwork::Recurrent(after.clone()), &window)
        };
        let (low, high) = (first(-2.0), first(2.0));
        let moved = low
            .iter()
            .zip(&high)
            .any(|(low, high)| (low - high).abs() > 1e-4);
        assert!(moved, "{name}: the oldest row is forgotten: {low:?}");
    }
}

#[test]
fn a_network_that_is_no_plain_stack_is_refused_with_the_reason() {
    if !needs::onnx("a_network_that_is_no_plain_stack_is_refused_with_the_reason") {
        return;
    }
    let reasons = BTreeMap::from(REFUSED);
    let mut seen = BTreeMap::new();
    for (name, steps, bytes) in files() {
        let Some((_, kind)) = name.split_once("refused-") else {
            continue;
        };
        let expected = reasons
            .get(kind)
            .unwrap_or_else(|| panic!("{name}: no reason is listed"));
        let why = recognised(&bytes, steps).expect_err(&name).to_string();
        assert!(
            why.contains(expected),
            "{name}: {why:?} does not say {expected:?}"
        );
        seen.insert(kind.to_owned(), ());
    }
    assert_eq!(
        seen.len(),
        REFUSED.len(),
        "a listed reason has no file: {seen:?}"
    );
}

#[test]
fn weights_are_read_in_the_order_of_the_operator() {
    if !needs::onnx("weights_are_read_in_the_order_of_the_operator") {
        return;
    }
    let mixed = given("onnx-mixed");
    let network = recognised(&mixed, 7).expect("the file is recognised");
    let scale: Vec<ScaleStep> = network.scale.iter().map(|(scale, _)| *scale).collect();
    let turned = [ScaleStep::Mul, ScaleStep::Add];
    assert_eq!(
        scale[..4],
        [
            ScaleStep::Sub,
            ScaleStep::Div,
            ScaleStep::Mul,
            ScaleStep::Add
        ]
    );
    assert_eq!(scale[4..], turned);
    let cells: Vec<CellKind> = network.layers.iter().map(|layer| layer.cell).collect();
    assert_eq!(
        cells,
        [CellKind::Gru { reset_after: false }, CellKind::Lstm]
    );
    let head: Vec<_> = network
        .head
        .iter()
        .map(|dense| (dense.outputs, dense.activation))
        .collect();
    assert_eq!(head, [(4, Activation::Tanh), (3, Activation::Sigmoid)]);
    assert!(network.layers[1].b.iter().all(|&b| b == 0.0));
    assert!(network.layers.iter().all(|layer| layer.start.is_none()));
    let file = ModelProto::parse(&mixed).expect("the file is whole");
    let graph = file.graph.expect("the file has a graph");
    let w = graph.initializer.iter().find(|tensor| tensor.name == "w0");
    let w = w
        .expect("the first layer has weights")
        .floats()
        .expect("they are float32");
    assert_eq!(network.layers[0].w, w);

    let started = recognised(&given("onnx-lstm-started"), 7).expect("the file is recognised");
    let (h, c) = started.layers[0]
        .start
        .as_ref()
        .expect("it starts from a state");
    assert_eq!((h.len(), c.len()), (8, 8));
    let bare = recognised(&given("onnx-bare"), 7).expect("the file is recognised");
    assert!(bare.head.is_empty());
    assert_eq!(bare.layers[0].cell, CellKind::Gru { reset_after: true });
}

/// A window of another length, bytes that are not a file, and half a file are refused.
#[test]
fn other_windows_and_broken_files_are_refused() {
    if !needs::onnx("other_windows_and_broken_files_are_refused") {
        return;
    }
    let file = given("onnx-lstm");
    let other = normal_form(&file, 8)
        .expect_err("the file has 7 steps")
        .to_string();
    assert!(
        other.contains("the input is fixed to steps = 7, not 8"),
        "{other}"
    );
    let why = normal_form(b"\xff\xff\xff", 7).expect_err("these are no messages");
    assert!(matches!(why, RecogniseError::Bytes(_)), "{why}");
    for end in [0, 40, file.len() / 2, file.len() - 3] {
        assert!(recognised(&file[..end], 7).is_err(), "cut at {end}");
    }
    let symbolic = given("onnx-lstm-symbolic");
    for steps in [1, 2, 31] {
        let network = recognised(&symbolic, steps).expect("any length fits");
        hold("onnx-lstm-symbolic", &network, &symbolic, 3e-6);
    }
}

/// ONNX Runtime computes the same scores after a file was decoded and encoded.
#[test]
fn files_score_the_same_after_decoding_and_encoding() {
    if !needs::onnx("files_score_the_same_after_decoding_and_encoding") {
        return;
    }
    for (name, steps, bytes) in files().filter(|(name, _, _)| !name.contains("half")) {
        let again = ModelProto::parse(&bytes)
            .expect("the file is whole")
            .bytes();
        let shape = [1, steps, features(&bytes)];
        let x = draw(shape.iter().product(), 7);
        if !name.contains("batch") {
            assert_eq!(run(&bytes, &x, shape), run(&again, &x, shape), "{name}");
        }
    }
}

/// A folded graph with one byte changed, every seventh in turn, is recognised or refused, without a panic.
#[test]
fn damaged_graphs_never_panic() {
    if !needs::onnx("damaged_graphs_never_panic") {
        return;
    }
    let (mut read, mut refused) = (0, 0);
    for (_, steps, bytes) in files().filter(|(name, _, _)| !name.contains("refused")) {
        let folded = normal_form(&bytes, steps)
            .expect("the file is recognised")
            .bytes();
        for at in (0..folded.len()).step_by(7) {
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = folded.clone();
                damaged[at] ^= change;
                match ModelProto::parse(&damaged).and_then(|model| network(&model, steps)) {
                    Ok(_) => read += 1,
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(
        read > 1_000 && refused > 1_000,
        "{read} read, {refused} refused"
    );
}

/// The published model has one layer per column, in parallel.
#[test]
fn the_published_default_model_is_refused_with_the_reason() {
    const TEST: &str = "the_published_default_model_is_refused_with_the_reason";
    let Some(data) = needs::data(TEST) else {
        return;
    };
    if !needs::onnx(TEST) {
        return;
    }
    let path = data.join("default/us-window4/multihead_lstm_window4.onnx");
    let why = recognised(&fs::read(path).expect("the data set is whole"), 4);
    let why = why.expect_err("it is no plain stack").to_string();
    assert!(
        why.contains("layer 1 takes the numbers of the rows"),
        "{why}"
    );
}

#[test]
fn the_shipped_model_is_recognised() {
    if !needs::onnx("the_shipped_model_is_recognised") {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/price-direction/model.onnx");
    if !needs::file("the_shipped_model_is_recognised", &path) {
        return;
    }
    let bytes = fs::read(path).expect("the model is there");
    let network = recognised(&bytes, 50).unwrap_or_else(|why| panic!("{why}"));
    let units: Vec<usize> = network.layers.iter().map(|layer| layer.units).collect();
    assert_eq!(units, [64, 32]);
    hold("price-direction", &network, &bytes, 1e-5);
}

/// The bias of the gate that keeps the state is raised by 4, in a GRU up to 4 in all; nothing else changes.
fn keeps_more(name: &str, layer: &RecurrentLayer, twin: &RecurrentLayer) {
    let gate = if layer.cell == CellKind::Lstm { 2 } else { 0 };
    let half = layer.cell.gates() * layer.units;
    for (at, (&b, &raised)) in layer.b.iter().zip(&twin.b).enumerate() {
        let by = match layer.cell {
            _ if at / layer.units != gate => 0.0,
            CellKind::Lstm => 4.0,
            CellKind::Gru { .. } => (4.0 - b - layer.b[half + at]).clamp(0.0, 4.0),
        };
        assert_eq!(raised, b + by, "{name}: bias {at}");
    }
    let biased = RecurrentLayer {
        b: twin.b.clone(),
        ..layer.clone()
    };
    assert_eq!(&biased, twin, "{name}");
}

/// Compares the naive forward pass with ONNX Runtime's scores on random windows.
fn hold(name: &str, network: &RecurrentNetwork, model: &[u8], tolerance: f64) {
    for seed in 1..4 {
        let x = window(network, seed);
        let expected = run(model, &x, [1, network.steps, network.features]);
        let found = naive::forward(&RecognisedNetwork::Recurrent(network.clone()), &x);
        assert_eq!(
            (found.len(), network.outputs()),
            (expected.len(), expected.len()),
            "{name}"
        );
        for (found, expected) in found.iter().zip(&expected) {
            let expected = f64::from(*expected);
            let near = (found - expected).abs() <= tolerance * expected.abs().max(0.1);
            assert!(near, "{name}: {found} here, {expected} by ONNX Runtime");
        }
    }
}

/// The first output for one window.
fn run(model: &[u8], window: &[f32], shape: [usize; 3]) -> Vec<f32> {
    let environment = environment().expect("asked for before");
    let mut builder = Session::builder(environment).expect("a session can be set up");
    builder = builder
        .with_intra_threads(1)
        .expect("one thread is possible");
    let mut session = builder.commit_from_memory(model).expect("the model loads");
    let input = Tensor::from_array((shape, window.to_vec())).expect("the window has this shape");
    let outputs = session.run(ort::inputs![&input]).expect("the model runs");
    let (_, values) = outputs[0]
        .try_extract_tensor::<f32>()
        .expect("scores are float32");
    values.to_vec()
}

fn network(model: &ModelProto, steps: usize) -> Result<RecurrentNetwork, RecogniseError> {
    match recognise(model, steps)? {
        RecognisedNetwork::Recurrent(network) => Ok(network),
        RecognisedNetwork::Convolution(_) => {
            Err(RecogniseError::Graph("this is a convolution".into()))
        }
    }
}

fn recognised(bytes: &[u8], steps: usize) -> Result<RecurrentNetwork, RecogniseError> {
    network(&normal_form(bytes, steps)?, steps)
}

fn window(network: &RecurrentNetwork, seed: u64) -> Vec<f32> {
    draw(network.steps * network.features, seed)
}

fn features(bytes: &[u8]) -> usize {
    let file = ModelProto::parse(bytes).expect("the file is whole");
    let graph = file.graph.expect("the file has a graph");
    let tensor = graph.input[0]
        .r#type
        .as_ref()
        .and_then(|kind| kind.tensor_type.as_ref());
    let shape = tensor
        .and_then(|tensor| tensor.shape.as_ref())
        .expect("the window has a shape");
    match shape.dim[2].size {
        Some(foretick::model::proto::DimensionSize::Value(size)) => size as usize,
        _ => panic!("the features are not fixed"),
    }
}
