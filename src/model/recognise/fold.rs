//! The graph as ONNX Runtime folds it for one window: shapes fixed, constants computed.
//!
//! ONNX Runtime gives a folded graph only as a file: one is written to a new temporary folder, read back and
//! removed. Beside the search for the library itself, this is the only file access of `model`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, io, process};

use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use super::error::{RecogniseError, refuse};
use super::graph::{graph, window_input, window_shape};
use crate::model::onnx::library::environment;
use crate::model::proto::{DimensionSize, ModelProto};

/// Folds a file for one window of so many steps.
///
/// # Errors
/// [`RecogniseError`] where the input is no window `[1, T, F]`, or ONNX Runtime cannot fold the graph.
pub fn normal_form(bytes: &[u8], steps: usize) -> Result<ModelProto, RecogniseError> {
    let mut model = ModelProto::parse(bytes)?;
    let (named, sizes) = fixed_sizes(&mut model, steps)?;
    let bytes = if named { &model.bytes() } else { bytes };
    let folder = Folder::new()?;
    let file = folder.0.join("folded.onnx");
    let failed = |error: ort::Error| RecogniseError::Fold(error.to_string());
    let mut builder = Session::builder(environment()?)
        .and_then(|builder| Ok(builder.with_intra_threads(1)?))
        .and_then(|builder| Ok(builder.with_inter_threads(1)?))
        .and_then(|builder| Ok(builder.with_optimization_level(GraphOptimizationLevel::Level1)?))
        .and_then(|builder| Ok(builder.with_optimized_model_path(&file)?))
        .map_err(failed)?;
    for (name, size) in sizes {
        let fixed = builder.with_dimension_override(name, size as i64);
        builder = fixed.map_err(|error| failed(error.into()))?;
    }
    builder.commit_from_memory(bytes).map_err(failed)?;
    ModelProto::parse(&fs::read(&file)?)
}

/// The symbols of the window's open dimensions with their sizes, and whether one had to be named first.
fn fixed_sizes(
    model: &mut ModelProto,
    steps: usize,
) -> Result<(bool, Vec<(String, usize)>), RecogniseError> {
    let input = window_input(graph(model)?)?;
    let shape = window_shape(input)?;
    let wanted = [("batch", 1), ("steps", steps)];
    for (size, (what, wanted)) in shape.iter().zip(wanted) {
        match size {
            Some(size) if *size != wanted => {
                return refuse(format!(
                    "the input is fixed to {what} = {size}, not {wanted}"
                ));
            }
            _ => {}
        }
    }
    if shape[2].is_none() {
        return refuse("the number of features in the input is not fixed");
    }
    let name = input.name.clone();
    let inputs = model.graph.iter_mut().flat_map(|graph| &mut graph.input);
    let input = inputs.filter(|input| input.name == name);
    let types =
        input.filter_map(|input| input.r#type.as_mut()?.tensor_type.as_mut()?.shape.as_mut());
    let (mut named, mut sizes) = (false, Vec::<(String, usize)>::new());
    for (dim, (what, size)) in types.flat_map(|shape| &mut shape.dim).zip(wanted) {
        let symbol = || DimensionSize::Param(format!("foretick_{what}"));
        named |= dim.size.is_none();
        if let DimensionSize::Param(symbol) = dim.size.get_or_insert_with(symbol) {
            sizes.push((symbol.clone(), size));
        }
    }
    match &sizes[..] {
        [(a, one), (b, other)] if a == b && one != other => refuse(format!(
            "the input uses one symbol for batch and steps: `{a}`"
        )),
        _ => Ok((named, sizes)),
    }
}

/// A new temporary folder, removed on drop. It did not exist before, so no other file is in it.
struct Folder(PathBuf);

impl Folder {
    /// Names are numbered within the process; a name that a process of the same number left behind is
    /// skipped.
    fn new() -> io::Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            let name = format!("foretick-fold-{}-{number}", process::id());
            let path = env::temp_dir().join(name);
            match fs::create_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Self(path)),
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_new_and_is_removed_with_its_files() {
        let (folder, other) = (Folder::new().unwrap(), Folder::new().unwrap());
        assert_ne!(folder.0, other.0);
        let path = folder.0.clone();
        fs::write(path.join("folded.onnx"), b"graph").unwrap();
        drop(folder);
        assert!(!path.exists() && other.0.exists());
    }
}
