//! Kind J: models made to do harm are refused or contained, each within ten seconds.

use std::fs;
use std::time::{Duration, Instant};

use foretick::model::proto::function::{FunctionProto, SparseTensorProto};
use foretick::model::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, StringStringEntryProto, TensorProto,
};
use prost::Message;

use crate::given;
use crate::needs;
use crate::table::{NUMBERS, Table, graph};

const THREE: &str = "labels = [\"a\", \"b\", \"c\"]\nvalues = [0, 0.5, 1]";
/// Ten seconds, and as much again on a machine that does other things too.
const CONTAINED: Duration = Duration::from_secs(20);

/// Runs `check`, which must end soon, with exit code 1 and one of these words.
fn refused(table: &Table, what: &str, words: &[&str]) -> Duration {
    let began = now();
    let run = table.check();
    let took = now().duration_since(began);
    assert_eq!(run.code, Some(1), "{what}: {}{}", run.stdout, run.stderr);
    let is_said = words.iter().any(|word| run.stderr.contains(word));
    assert!(is_said, "{what}: {words:?} in: {}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{what}: {}", run.stderr);
    assert!(took < CONTAINED, "{what}: {took:?}");
    took
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a process takes is what is tested"
)]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn graphs_without_an_end_are_stopped() {
    if !needs::onnx("graphs_without_an_end_are_stopped") {
        return;
    }
    for (name, word) in [
        ("loop", "deadline"),
        ("until", "deadline"),
        ("operator", "computes without a pause"),
        ("operator-at-load", "computes without a pause"),
    ] {
        let table = Table::new(&format!("hostile-{name}"), &NUMBERS, "");
        table.0.write("model.onnx", hostile(name));
        refused(&table, name, &[word]);
    }
}

#[test]
fn a_deadline_is_what_the_configuration_says() {
    if !needs::onnx("a_deadline_is_what_the_configuration_says") {
        return;
    }
    // Longer than the default, so that the default does not pass for it.
    let table = Table::new("hostile-late", &NUMBERS, "deadline_ms = 5_000");
    table.0.write("model.onnx", hostile("loop"));
    let took = refused(&table, "loop", &["`[model] deadline_ms`"]);
    assert!(took >= Duration::from_secs(5), "{took:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn graphs_that_take_all_memory_are_refused() {
    if !needs::onnx("graphs_that_take_all_memory_are_refused") {
        return;
    }
    for name in ["zeros", "doubled", "wide"] {
        let table = Table::new(
            &format!("hostile-{name}"),
            &NUMBERS,
            "memory_bytes = 1_000_000_000",
        );
        table.0.write("model.onnx", hostile(name));
        refused(&table, name, &["`[model] memory_bytes`"]);
    }
}

#[test]
fn functions_that_explode_and_operators_of_nobody_are_refused() {
    if !needs::onnx("functions_that_explode_and_operators_of_nobody_are_refused") {
        return;
    }
    for (name, word) in [
        ("functions", "operators once its functions are put in"),
        ("recursion", "calls itself"),
        ("domain", "of the domain `evil.ops`"),
    ] {
        let table = Table::new(&format!("hostile-{name}"), &NUMBERS, "");
        table.0.write("model.onnx", hostile(name));
        refused(&table, name, &[word]);
    }
}

/// Each call takes stack, here and in ONNX Runtime.
#[test]
fn functions_that_call_too_deep_are_refused() {
    if !needs::onnx("functions_that_call_too_deep_are_refused") {
        return;
    }
    let call = |number: u32| NodeProto {
        op_type: format!("step{number}"),
        domain: "own".into(),
        ..NodeProto::default()
    };
    let mut model = ModelProto::parse(&graph("softmax-three")).expect("it is a model");
    let graph = model.graph.as_mut().expect("it has a graph");
    graph.node.push(call(0));
    let functions = (0..100_000).map(|number| FunctionProto {
        name: format!("step{number}"),
        domain: "own".into(),
        node: vec![call(number + 1)],
        ..FunctionProto::default()
    });
    model.functions = functions.map(|one| one.encode_to_vec()).collect();
    let table = Table::new("hostile-chain", &NUMBERS, THREE);
    table.0.write("model.onnx", model.bytes());
    refused(&table, "chain", &["more than 100 deep"]);
}

#[test]
fn files_that_are_no_models_are_refused() {
    if !needs::onnx("files_that_are_no_models_are_refused") {
        return;
    }
    let whole = graph("softmax-three");
    let mut nested = GraphProto::default();
    for _ in 0..200 {
        let branch = AttributeProto {
            name: "then_branch".into(),
            g: Some(nested),
            ..AttributeProto::default()
        };
        nested = GraphProto {
            node: vec![NodeProto {
                op_type: "If".into(),
                attribute: vec![branch],
                ..NodeProto::default()
            }],
            ..GraphProto::default()
        };
    }
    let deep = ModelProto {
        graph: Some(nested),
        ..ModelProto::default()
    };
    let deep = deep.bytes();
    let files: [(&str, &[u8]); 4] = [
        ("cut", &whole[..whole.len() / 2]),
        ("empty", b""),
        ("text", b"these are no weights"),
        ("deep", &deep),
    ];
    for (name, bytes) in files {
        let table = Table::new(&format!("hostile-{name}"), &NUMBERS, THREE);
        table.0.write("model.onnx", bytes);
        refused(&table, name, &["is it an ONNX file", "holds no graph"]);
    }
    let table = Table::new("hostile-folder", &NUMBERS, THREE);
    fs::create_dir(table.0.path("model.onnx")).expect("the folder takes a folder");
    refused(&table, "folder", &["it is no file"]);
    let text = table
        .0
        .read("pipeline.toml")
        .replace("model.onnx", "/dev/zero");
    table.0.write("pipeline.toml", text);
    refused(&table, "device", &["it is no file"]);
}

/// The model whose weights are in a second file, each with another place in it.
fn elsewhere(location: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut model = ModelProto::parse(&graph("external")).expect("it is a model");
    let graph = model.graph.as_mut().expect("it has a graph");
    let tensor = graph.initializer.iter_mut().find(|one| one.name == "w1");
    let tensor = tensor.expect("it has weights");
    let entry = |key: &str, value: &str| StringStringEntryProto {
        key: key.into(),
        value: value.into(),
    };
    for (key, value) in [("location", location)].iter().chain(more) {
        tensor.external_data.retain(|one| one.key != *key);
        tensor.external_data.push(entry(key, value));
    }
    model.bytes()
}

#[test]
fn weights_are_read_from_beside_the_model_and_nowhere_else() {
    if !needs::onnx("weights_are_read_from_beside_the_model_and_nowhere_else") {
        return;
    }
    let outside = Table::new("hostile-outside", &NUMBERS, "").0;
    let weights = given::repository("tests/given/exporters/external.weights");
    let weights = fs::read(weights).expect("it is committed");
    let outside_file = outside.write("w", &weights);
    let outside_text = outside_file.to_str().expect("text");
    let outside_folder = outside.path("").canonicalize().expect("it is there");
    let table = Table::new("hostile-weights", &NUMBERS, THREE);
    table.0.write("external.weights", &weights);
    let link = |from, to| std::os::unix::fs::symlink(from, table.0.path(to));
    link(outside_file.clone(), "link").expect("a link is made");
    link(outside_folder, "folder").expect("a link is made");
    fs::hard_link(&outside_file, table.0.path("second-name")).expect("a name is given");
    let up = format!(
        "../{}/w",
        outside.path("").file_name().expect("a name").display()
    );
    let not_below = "is not a path below the model's folder";
    for (location, more, word) in [
        (&*up, &[][..], not_below),
        ("a/../../w", &[], not_below),
        (outside_text, &[], not_below),
        ("/proc/self/environ", &[], not_below),
        ("/dev/zero", &[], not_below),
        ("", &[], not_below),
        ("./external.weights/../w", &[], not_below),
        ("*/_ORT_MEM_ADDR_/*", &[], "cannot be read"),
        ("nowhere", &[], "cannot be read"),
        ("link", &[], "is a link"),
        ("folder/w", &[], "is a link"),
        ("second-name", &[], "several names"),
        (
            "external.weights",
            &[("offset", "1000000")],
            "not 72 from place 1000000 on",
        ),
        (
            "external.weights",
            &[("offset", "18446744073709551615")],
            "place 18446744073709551615",
        ),
        ("external.weights", &[("offset", "-4")], "is no number"),
        (
            "external.weights",
            &[("length", "99999999999")],
            "which has 180 bytes",
        ),
        (
            "external.weights",
            &[("length", "4")],
            "which has 4 bytes for it",
        ),
    ] {
        table.0.write("model.onnx", elsewhere(location, more));
        refused(&table, location, &[word]);
    }
    table
        .0
        .write("model.onnx", elsewhere("external.weights", &[]));
    let run = table.check();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

/// The weights of operators and branches are bound to the folder too. Those of functions and of sparse
/// tensors must be in the model's file.
#[test]
fn weights_in_other_parts_of_the_file_are_bound_too() {
    if !needs::onnx("weights_in_other_parts_of_the_file_are_bound_too") {
        return;
    }
    let table = Table::new("hostile-hidden", &NUMBERS, THREE);
    let far = TensorProto {
        name: "far".into(),
        dims: vec![1],
        data_type: Some(1),
        data_location: Some(1),
        external_data: vec![StringStringEntryProto {
            key: "location".into(),
            value: "../secret".into(),
        }],
        ..TensorProto::default()
    };
    let constant = NodeProto {
        op_type: "Constant".into(),
        output: vec!["far".into()],
        attribute: vec![AttributeProto {
            name: "value".into(),
            t: Some(far.clone()),
            r#type: Some(4),
            ..AttributeProto::default()
        }],
        ..NodeProto::default()
    };
    let function = |node: Vec<NodeProto>, attribute_proto: Vec<AttributeProto>| FunctionProto {
        name: "hidden".into(),
        domain: "own".into(),
        node,
        attribute_proto,
        ..FunctionProto::default()
    };
    let whole = || ModelProto::parse(&graph("softmax-three")).expect("it is a model");
    let mut of_node = whole();
    let in_graph = of_node.graph.as_mut().expect("it has a graph");
    in_graph.node.push(constant.clone());
    let mut of_function = whole();
    of_function.functions = vec![function(vec![constant.clone()], vec![]).encode_to_vec()];
    let mut of_default = whole();
    let default = constant.attribute.clone();
    of_default.functions = vec![function(vec![], default).encode_to_vec()];
    let mut of_sparse = whole();
    let sparse = SparseTensorProto {
        values: Some(far),
        ..SparseTensorProto::default()
    };
    let in_graph = of_sparse.graph.as_mut().expect("it has a graph");
    in_graph.sparse_initializer = vec![sparse.encode_to_vec()];
    let mut of_branch = whole();
    let branch = AttributeProto {
        name: "then_branch".into(),
        g: Some(GraphProto {
            node: vec![constant],
            ..GraphProto::default()
        }),
        ..AttributeProto::default()
    };
    in_branch(&mut of_branch, branch);
    let mut dimension = whole();
    let graph = dimension.graph.as_mut().expect("it has a graph");
    graph.initializer[0].dims = vec![-1];
    for (name, model, word) in [
        ("node", of_node, "is not a path below"),
        ("branch", of_branch, "is not a path below"),
        ("function", of_function, "not read from there"),
        ("default", of_default, "not read from there"),
        ("sparse", of_sparse, "not read from there"),
        ("dimension", dimension, "a dimension of -1"),
    ] {
        table.0.write("model.onnx", model.bytes());
        refused(&table, name, &[word]);
    }
}

fn in_branch(model: &mut ModelProto, branch: AttributeProto) {
    let graph = model.graph.as_mut().expect("it has a graph");
    graph.node.push(NodeProto {
        op_type: "If".into(),
        attribute: vec![branch],
        ..NodeProto::default()
    });
}

fn hostile(name: &str) -> Vec<u8> {
    let path = given::repository("tests/given/hostile").join(format!("{name}.onnx"));
    fs::read(path).expect("it is committed")
}
