//! What is looked at in an ONNX file before ONNX Runtime sees it: operators, functions, where weights are,
//! and maps of probabilities, which become tensors.
//!
//! Opens no file: weights in other files are refused here, and were put into these bytes before where they
//! are to be read. Computes nothing.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::model::proto::function::{FunctionProto, SparseTensorProto};
use crate::model::proto::tensor::FLOAT;
use crate::model::proto::{
    AttributeProto, DimensionProto, DimensionSize, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
};

/// A file that may be given to ONNX Runtime.
pub(super) struct Admitted<'a> {
    /// The file, its maps replaced by tensors.
    pub(super) bytes: Cow<'a, [u8]>,
    /// The outputs that were maps, and the classes in the order of each one's tensor.
    pub(super) maps: Vec<(String, Classes)>,
    /// Names of classes in the order of a classifier inside of the graph, where it has names.
    pub(super) names: Option<Vec<String>>,
}

/// The classes of a map.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Classes {
    /// Names.
    Names(Vec<String>),
    /// Numbers, as text.
    Numbers(Vec<String>),
}

/// Reads a file and refuses what is not to run.
///
/// # Errors
/// What is refused, and what to do.
pub(super) fn admit(bytes: &[u8]) -> Result<Admitted<'_>, String> {
    let whole = "is it an ONNX file, whole and self-contained?";
    let mut model = ModelProto::parse(bytes).map_err(|error| format!("{error}; {whole}"))?;
    let functions = model.functions.iter();
    let functions = functions
        .map(|bytes| FunctionProto::parse(bytes))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("{error}; {whole}"))?;
    let Some(graph) = &mut model.graph else {
        return Err(format!("the file holds no graph; {whole}"));
    };
    let own: HashSet<&str> = functions.iter().map(|one| &*one.domain).collect();
    check_nodes(&graph.node, &own)?;
    check_tensors(graph)?;
    for function in &functions {
        check_nodes(&function.node, &own)?;
        for graph in graphs(&function.attribute_proto) {
            check_nodes(&graph.node, &own)?;
        }
        check_constants(&function.attribute_proto)?;
        for node in &function.node {
            check_constants(&node.attribute)?;
        }
    }
    check_size(graph, &functions)?;
    let names = class_names(&graph.node);
    let maps = replace_maps(graph);
    if maps.is_empty() {
        return Ok(Admitted {
            bytes: Cow::Borrowed(bytes),
            maps,
            names,
        });
    }
    let has_own = |sets: &[OperatorSetIdProto]| sets.iter().any(|set| ONNX.contains(&&*set.domain));
    if !has_own(&model.opset_import) {
        model.opset_import.push(OperatorSetIdProto {
            domain: String::new(),
            version: CAST_OPSET,
        });
    }
    Ok(Admitted {
        bytes: Cow::Owned(model.bytes()),
        maps,
        names,
    })
}

/// Refuses operators of domains that this program does not know, in the graph and in graphs inside of it.
fn check_nodes(nodes: &[NodeProto], own: &HashSet<&str>) -> Result<(), String> {
    for node in nodes {
        let domain = &*node.domain;
        if !KNOWN_DOMAINS.contains(&domain) && !own.contains(domain) {
            return Err(format!(
                "operator `{}` is of the domain `{domain}`, for which there is no code here; export the model \
                 with operators of ONNX (`ai.onnx`, `ai.onnx.ml`) alone",
                node.op_type
            ));
        }
        for graph in graphs(&node.attribute) {
            check_nodes(&graph.node, own)?;
        }
    }
    Ok(())
}

/// The graphs that settings hold: bodies of loops, branches.
fn graphs(attributes: &[AttributeProto]) -> impl Iterator<Item = &GraphProto> {
    let attributes = attributes.iter();
    attributes.flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs))
}

/// Refuses weights in other files, wherever they are.
fn check_tensors(graph: &GraphProto) -> Result<(), String> {
    graph.initializer.iter().try_for_each(check_tensor)?;
    let sparse = graph.sparse_initializer.iter();
    sparse
        .map(Vec::as_slice)
        .try_for_each(check_sparse_tensor)?;
    let mut nodes = graph.node.iter();
    nodes.try_for_each(|node| check_constants(&node.attribute))
}

fn check_constants(attributes: &[AttributeProto]) -> Result<(), String> {
    for attribute in attributes {
        let mut tensors = attribute.t.iter().chain(&attribute.tensors);
        tensors.try_for_each(check_tensor)?;
        let sparse = attribute.sparse_tensor.iter();
        let mut sparse = sparse.chain(&attribute.sparse_tensors);
        sparse.try_for_each(|bytes| check_sparse_tensor(bytes))?;
    }
    graphs(attributes).try_for_each(check_tensors)
}

fn check_sparse_tensor(bytes: &[u8]) -> Result<(), String> {
    let sparse = SparseTensorProto::parse(bytes).map_err(|error| error.to_string())?;
    sparse
        .values
        .iter()
        .chain(&sparse.indices)
        .try_for_each(check_tensor)
}

fn check_tensor(tensor: &TensorProto) -> Result<(), String> {
    if tensor.is_elsewhere() || !tensor.external_data.is_empty() {
        return Err(format!(
            "constant `{}` is in another file ({}), which is not read from there; keep the weights of the \
             main graph beside the model's file, or export them into it (`onnx.save_model(model, path, \
             save_as_external_data=False)`)",
            tensor.name,
            tensor.external("location").unwrap_or("not named"),
        ));
    }
    match tensor.dims.iter().find(|&&size| size < 0) {
        None => Ok(()),
        Some(size) => Err(format!(
            "constant `{}` has a dimension of {size}",
            tensor.name
        )),
    }
}

/// Refuses functions that call themselves, and functions whose calls would become too many operators.
fn check_size(graph: &GraphProto, functions: &[FunctionProto]) -> Result<(), String> {
    let mut sizes = Sizes {
        by_name: functions.iter().map(|one| (name_of(one), one)).collect(),
        known: HashMap::new(),
        depth: 0,
    };
    let size = sizes.of_nodes(&graph.node)?;
    if size > NODES_MAX {
        return Err(format!(
            "it has {size} operators once its functions are put in; at most {NODES_MAX} are taken"
        ));
    }
    Ok(())
}

/// Domain, name and overload of a function.
type FunctionName<'a> = (&'a str, &'a str, &'a str);

fn name_of(function: &FunctionProto) -> FunctionName<'_> {
    (
        own_domain(&function.domain),
        &function.name,
        &function.overload,
    )
}

/// The domain, with one name for ONNX's own.
fn own_domain(domain: &str) -> &str {
    if ONNX.contains(&domain) { "" } else { domain }
}

/// Operators of functions, with those of the functions that they call.
struct Sizes<'a> {
    by_name: HashMap<FunctionName<'a>, &'a FunctionProto>,
    /// None while a function is being counted.
    known: HashMap<FunctionName<'a>, Option<u64>>,
    /// Functions that are being counted.
    depth: usize,
}

impl<'a> Sizes<'a> {
    fn of_nodes(&mut self, nodes: &'a [NodeProto]) -> Result<u64, String> {
        let mut size = 0_u64;
        for node in nodes {
            let own = self.of_call(node)?;
            size = size.saturating_add(own);
            for graph in graphs(&node.attribute) {
                size = size.saturating_add(self.of_nodes(&graph.node)?);
            }
        }
        Ok(size)
    }

    fn of_call(&mut self, node: &'a NodeProto) -> Result<u64, String> {
        let name = (own_domain(&node.domain), &*node.op_type, &*node.overload);
        let Some(function) = self.by_name.get(&name).copied() else {
            return Ok(1);
        };
        match self.known.get(&name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(format!("its function `{}` calls itself", name.1)),
            None => {}
        }
        if self.depth == CALLS_MAX {
            return Err(format!(
                "its functions call each other more than {CALLS_MAX} deep"
            ));
        }
        self.known.insert(name, None);
        self.depth += 1;
        let mut size = self.of_nodes(&function.node)?;
        for graph in graphs(&function.attribute_proto) {
            size = size.saturating_add(self.of_nodes(&graph.node)?);
        }
        self.depth -= 1;
        self.known.insert(name, Some(size));
        Ok(size)
    }
}

/// The names of classes that a classifier of the graph has.
fn class_names(nodes: &[NodeProto]) -> Option<Vec<String>> {
    let of = |node: &NodeProto| Some(texts(&node.setting("classlabels_strings")?.strings));
    nodes
        .iter()
        .filter(|node| node.op_type != ZIP_MAP)
        .find_map(of)
}

/// Puts the tensor of probabilities in place of each output that is a sequence of maps, under its name, in
/// float32. So probabilities in float64, which exporters put into maps too, are read though ONNX Runtime has
/// no such map.
fn replace_maps(graph: &mut GraphProto) -> Vec<(String, Classes)> {
    let mut maps = vec![];
    let outputs: Vec<String> = graph.output.iter().map(|one| one.name.clone()).collect();
    for node in &mut graph.node {
        let [output] = &node.output[..] else { continue };
        if node.op_type != ZIP_MAP || !outputs.contains(output) {
            continue;
        }
        let names = node.setting("classlabels_strings");
        let classes = match names.map(|one| texts(&one.strings)) {
            Some(names) if !names.is_empty() => Classes::Names(names),
            _ => {
                let numbers = node.setting("classlabels_int64s");
                let numbers = numbers.map_or(&[][..], |one| &one.ints);
                Classes::Numbers(numbers.iter().map(i64::to_string).collect())
            }
        };
        maps.push((output.clone(), classes));
        *node = NodeProto {
            input: node.input.clone(),
            output: node.output.clone(),
            name: node.name.clone(),
            op_type: "Cast".into(),
            attribute: vec![AttributeProto {
                name: "to".into(),
                i: Some(i64::from(FLOAT)),
                r#type: Some(ATTRIBUTE_INT),
                ..AttributeProto::default()
            }],
            ..NodeProto::default()
        };
    }
    for output in &mut graph.output {
        let Some((_, classes)) = maps.iter().find(|(name, _)| *name == output.name) else {
            continue;
        };
        let columns = i64::try_from(classes.list().len()).unwrap_or(i64::MAX);
        output.r#type = Some(probabilities(columns));
    }
    maps
}

impl Classes {
    /// The classes as text.
    pub(super) fn list(&self) -> &[String] {
        let (Self::Names(list) | Self::Numbers(list)) = self;
        list
    }
}

/// The type of a tensor `[N, columns]` of float32.
fn probabilities(columns: i64) -> TypeProto {
    let dimension = |size| DimensionProto {
        size,
        ..DimensionProto::default()
    };
    let dim = vec![
        dimension(None),
        dimension(Some(DimensionSize::Value(columns))),
    ];
    TypeProto {
        tensor_type: Some(TensorTypeProto {
            elem_type: Some(FLOAT),
            shape: Some(TensorShapeProto { dim }),
        }),
        ..TypeProto::default()
    }
}

fn texts(all: &[Vec<u8>]) -> Vec<String> {
    let text = |one: &Vec<u8>| String::from_utf8_lossy(one).into_owned();
    all.iter().map(text).collect()
}

/// How deep functions may call each other: each call takes stack.
const CALLS_MAX: usize = 100;
const ZIP_MAP: &str = "ZipMap";
/// Names of ONNX's own operator set.
const ONNX: [&str; 2] = ["", "ai.onnx"];
/// The operator sets that ONNX Runtime has.
const KNOWN_DOMAINS: [&str; 6] = [
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "com.microsoft",
    "com.ms.internal.nhwc",
    "com.microsoft.nchwc",
];
/// A version of ONNX's own operators that has `Cast`.
const CAST_OPSET: i64 = 13;
/// The type of a setting that is an integer.
const ATTRIBUTE_INT: i32 = 2;
/// The largest transformers have tens of thousands.
const NODES_MAX: u64 = 1_000_000;
