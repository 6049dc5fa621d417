//! ONNX files of convolution networks are recognised as the network that ONNX Runtime runs, and their
//! sliding windows score as its whole windows; others are refused with a reason.
//!
//! The files are in `given/convolution`, with the script that wrote them. The bits of the kernels have tests
//! of their own.

#[path = "given/naive.rs"]
mod naive;
mod needs;

use std::fs;
use std::path::{Path, PathBuf};

use foretick::model::Model;
use foretick::model::kernel::Isa;
use foretick::model::onnx::Onnx;
use foretick::model::proto::ModelProto;
use foretick::model::recognise::error::RecogniseError;
use foretick::model::recognise::{normal_form, recognise};
use foretick::model::slide::RecognisedNetwork;
use foretick::model::slide::convolution::network::{ConvolutionNetwork, HeadInput};
use foretick::model::slide::recurrent::network::Activation;
use foretick::model::slide::request::WindowRequest;
use foretick::model::slide::state::SlideStateTable;
use foretick::model::strategy::{Strategy, WindowMode, difference};

/// Rows in the windows of the files.
const STEPS: usize = 12;

/// Files that are refused: the part of the name after `refused-`, and words of the reason.
const REFUSED: [(&str, &str); 10] = [
    (
        "centred",
        "padded after the last row: the convolution at a step sees later rows",
    ),
    ("early", "takes convolution 1 before an activation"),
    (
        "gated",
        "operator Mul joins branches of the graph (convolution",
    ),
    ("groups", "convolution 2 is in groups of channels"),
    (
        "halved",
        "operator MaxPool pools all steps of convolution 2",
    ),
    ("image", "convolution 1 is over two dimensions"),
    (
        "long",
        "depends on 15 rows and sees the padding before the window's first row",
    ),
    ("older", "takes step 11 of 12 of"),
    ("recurrent", "layer 1 follows convolution 1"),
    ("stride", "convolution 1 has stride 2"),
];

#[test]
fn the_network_of_every_exporter_scores_as_onnx_runtime_does() {
    if !needs::onnx("the_network_of_every_exporter_scores_as_onnx_runtime_does") {
        return;
    }
    let mut compared = 0;
    for (name, bytes) in files().filter(|(name, _)| !name.contains("refused")) {
        let network = recognised(&bytes).unwrap_or_else(|why| panic!("{name}: {why}"));
        let rows = draw((STEPS + 5) * network.features(), compared);
        let mut whole = Onnx::bare(&bytes, STEPS).expect("the model loads");
        for window in rows.windows(STEPS * network.features()) {
            let wide: Vec<f64> = window.iter().copied().map(f64::from).collect();
            let mut expected = vec![];
            whole.score(&wide, &mut expected).expect("the model runs");
            let far = difference(&naive::forward(&network, window), &expected);
            assert!(far <= 3e-6, "{name}: {far:e}");
        }
        compared += 1;
    }
    assert!(compared >= 16, "only {compared} files");
}

/// 2,000 consecutive windows of two keys, as the engine requests them.
#[test]
fn sliding_windows_score_as_whole_windows_of_onnx_runtime() {
    if !needs::onnx("sliding_windows_score_as_whole_windows_of_onnx_runtime") {
        return;
    }
    for (name, bytes) in files().filter(|(name, _)| !name.contains("refused")) {
        let strategy =
            chosen(&bytes, WindowMode::Auto).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(strategy.name(), "slide", "{name}: {}", strategy.reason);
        assert!(
            strategy.max_rel_diff.is_some_and(|far| far <= 1e-5),
            "{name}"
        );
        let mut slide = strategy.sliding_windows(1).expect("it slides");
        let mut states = SlideStateTable::new();
        let mut whole = Onnx::bare(&bytes, STEPS).expect("the model loads");
        let (features, rows) = (whole.features(), 1_000 + STEPS - 1);
        let keys = [5, 6].map(|seed| wide(draw(rows * features, seed)));
        let (mut ours, mut theirs) = (vec![], vec![]);
        for at in 0..rows {
            let due = at + 1 >= STEPS;
            let requests = [0, 1].map(|key| WindowRequest::Row { key, due });
            let row = at * features..(at + 1) * features;
            let cells = [&keys[0][row.clone()], &keys[1][row]].concat();
            slide.step(&mut states, &requests, &cells, &mut ours);
            for rows in keys.iter().filter(|_| due) {
                let window = &rows[(at + 1 - STEPS) * features..(at + 1) * features];
                whole.score(window, &mut theirs).expect("the model runs");
            }
        }
        let far = difference(&ours, &theirs);
        assert!(far <= 1e-5, "{name}: {far:e}");
    }
}

#[test]
fn a_network_without_shared_columns_is_refused_with_the_reason() {
    if !needs::onnx("a_network_without_shared_columns_is_refused_with_the_reason") {
        return;
    }
    let mut seen = 0;
    for (name, bytes) in files() {
        let Some((_, kind)) = name.split_once("refused-") else {
            continue;
        };
        let listed = REFUSED.iter().find(|(of, _)| *of == kind);
        let (_, expected) = listed.unwrap_or_else(|| panic!("{name}: no reason is listed"));
        let why = recognised(&bytes).expect_err(&name).to_string();
        assert!(
            why.contains(expected),
            "{name}: {why:?} does not say {expected:?}"
        );
        let strategy = chosen(&bytes, WindowMode::Auto).expect("whole windows are left");
        assert_eq!((strategy.name(), strategy.reason), ("plain", why), "{name}");
        seen += 1;
    }
    assert_eq!(
        seen,
        2 * REFUSED.len(),
        "each reason has a file of both exporters"
    );
}

#[test]
fn filters_and_head_input_are_read_as_exported() {
    if !needs::onnx("filters_and_head_input_are_read_as_exported") {
        return;
    }
    let tcn = convolution("torch-script-tcn");
    let shapes = tcn
        .filters
        .iter()
        .map(|f| (f.from, f.kernel, f.dilation, f.plus));
    // Two residual blocks; the skip connection of the first is a 1 × 1 convolution, folded to the front.
    let expected = [
        (0, 1, 1, None),
        (0, 2, 1, None),
        (2, 2, 1, Some(1)),
        (3, 2, 2, None),
        (4, 2, 2, Some(3)),
    ];
    assert_eq!(shapes.collect::<Vec<_>>(), expected);
    assert_eq!((tcn.head_input, tcn.outputs()), (HeadInput::Last, 3));
    assert!(
        tcn.filters[4].then == Activation::Relu && tcn.filters[4].activation == Activation::Relu
    );
    let padded = convolution("torch-dynamo-padded");
    assert_eq!(padded.scale.len(), 2, "the rows are normalised");
    assert_eq!(
        convolution("torch-script-flat").head_input,
        HeadInput::Flat(8)
    );
    assert_eq!(
        convolution("torch-dynamo-last-three").head_input,
        HeadInput::Flat(3)
    );
    assert_eq!(
        convolution("torch-dynamo-pooled").head_input,
        HeadInput::Mean(8)
    );
    assert_eq!(
        convolution("torch-script-largest").head_input,
        HeadInput::Max(8)
    );
    // Columns flattened by channel or by step are the same network.
    let (by_channel, by_step) = (
        convolution("torch-script-flat"),
        convolution("torch-script-flat-by-step"),
    );
    assert_eq!(by_channel.head[0].inputs, by_step.head[0].inputs);
}

#[test]
fn a_carried_state_of_a_convolution_is_refused() {
    if !needs::onnx("a_carried_state_of_a_convolution_is_refused") {
        return;
    }
    let error = chosen(&given("torch-script-tcn"), WindowMode::Carried).expect_err("it has none");
    assert!(
        error
            .to_string()
            .contains("a convolution has no state to carry"),
        "{error}"
    );
}

/// A folded graph with one byte changed, every fifth in turn, is recognised or refused, without a panic.
#[test]
fn damaged_graphs_never_panic() {
    if !needs::onnx("damaged_graphs_never_panic") {
        return;
    }
    let (mut read, mut refused) = (0, 0);
    for (_, bytes) in files().filter(|(name, _)| !name.contains("refused")) {
        let folded = normal_form(&bytes, STEPS).expect("the file folds").bytes();
        for at in (0..folded.len()).step_by(5) {
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = folded.clone();
                damaged[at] ^= change;
                match ModelProto::parse(&damaged).and_then(|model| recognise(&model, STEPS)) {
                    // A network that is accepted can be packed and run.
                    Ok(network) => {
                        let requests = (1..=STEPS).map(|row| WindowRequest::Row {
                            key: 0,
                            due: row == STEPS,
                        });
                        let mut slide = network.pack(Isa::best()).sliding_windows(1);
                        let (mut states, requests) =
                            (SlideStateTable::new(), requests.collect::<Vec<_>>());
                        let rows = vec![0.5; STEPS * network.features()];
                        slide.step(&mut states, &requests, &rows, &mut vec![]);
                        read += 1;
                    }
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

fn recognised(bytes: &[u8]) -> Result<RecognisedNetwork, RecogniseError> {
    recognise(&normal_form(bytes, STEPS)?, STEPS)
}

fn chosen(bytes: &[u8], windows: WindowMode) -> Result<Strategy, foretick::model::ModelError> {
    Strategy::choose(Path::new("model.onnx"), bytes, STEPS, windows, Isa::best())
}

fn convolution(name: &str) -> ConvolutionNetwork {
    match recognised(&given(name)) {
        Ok(RecognisedNetwork::Convolution(network)) => network,
        other => panic!("{name}: {other:?}"),
    }
}

/// Numbers between −2 and 2.
fn draw(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u32 << 22) as f32 - 2.0
    };
    (0..count).map(|_| next()).collect()
}

fn wide(numbers: Vec<f32>) -> Vec<f64> {
    numbers.into_iter().map(f64::from).collect()
}

/// Name and bytes of every file.
fn files() -> impl Iterator<Item = (String, Vec<u8>)> {
    let entries = fs::read_dir(folder()).expect("the files are part of the repository");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|end| end == "onnx"))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| {
        let name = path.file_stem().expect("a file has a name");
        let bytes = fs::read(&path).expect("the file can be read");
        (name.to_string_lossy().into_owned(), bytes)
    })
}

fn given(name: &str) -> Vec<u8> {
    fs::read(folder().join(format!("{name}.onnx"))).expect("the file is part of the repository")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/given/convolution")
}
