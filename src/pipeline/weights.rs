//! Weights that an ONNX file keeps in other files: read from beside the model, checked, and put into its
//! bytes.
//!
//! ONNX Runtime itself never opens a file that a model names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use crate::model::proto::{ModelProto, TensorProto};

/// A model whose weights are in its own bytes.
pub(super) struct WholeModel {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// The other files that it had, in the order of their names.
    pub(super) files: Vec<Vec<u8>>,
}

/// Puts the weights of other files into the bytes of a model. Bytes that are no ONNX file stay as they are,
/// for ONNX Runtime to refuse.
///
/// # Errors
/// The file that is missing, or is not to be read, and why.
pub(super) fn whole(path: &Path, bytes: Vec<u8>) -> Result<WholeModel, String> {
    let Ok(mut model) = ModelProto::parse(&bytes) else {
        return Ok(WholeModel {
            bytes,
            files: vec![],
        });
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut files = BTreeMap::new();
    if let Some(graph) = &mut model.graph {
        let mut room = BYTES_MAX.saturating_sub(bytes.len() as u64);
        graph.each_tensor(&mut |tensor| match tensor.is_elsewhere() {
            true => fetch(folder, tensor, &mut files, &mut room),
            false => Ok(()),
        })?;
    }
    if files.is_empty() {
        return Ok(WholeModel {
            bytes,
            files: vec![],
        });
    }
    Ok(WholeModel {
        bytes: model.bytes(),
        files: files.into_values().collect(),
    })
}

/// Puts the numbers of a constant, which are in another file, into the constant.
fn fetch(
    folder: &Path,
    tensor: &mut TensorProto,
    files: &mut BTreeMap<String, Vec<u8>>,
    room: &mut u64,
) -> Result<(), String> {
    let name = tensor.name.clone();
    let location = tensor.external("location").unwrap_or_default().to_owned();
    let refuse = |what: &str| {
        Err(format!(
            "constant `{name}` is in the file `{location}`, {what}"
        ))
    };
    let number = |key: &str| tensor.external(key).map(str::parse::<u64>).transpose();
    let (Ok(offset), Ok(length)) = (number("offset"), number("length")) else {
        return refuse("but its offset or length is no number");
    };
    if !files.contains_key(&location) {
        // Whole files are held until the model is loaded.
        let held: u64 = files.values().map(|file| file.len() as u64).sum();
        let bytes = read(folder, &location, BYTES_MAX.saturating_sub(held))
            .map_err(|what| format!("constant `{name}` is in the file `{location}`, {what}"))?;
        files.insert(location.clone(), bytes);
    }
    let all = &files[&location];
    let from = offset.unwrap_or(0);
    let most = (all.len() as u64).saturating_sub(from);
    let length = length.unwrap_or(most);
    if from > all.len() as u64 || length > most {
        let what = format!(
            "which has {} bytes, not {length} from place {from} on; is it of another export?",
            all.len()
        );
        return refuse(&what);
    }
    if let Some(wanted) = tensor.bytes_wanted()
        && wanted != length
    {
        let what = format!(
            "which has {length} bytes for it, but shape {:?} needs {wanted}",
            tensor.dims
        );
        return refuse(&what);
    }
    if length > *room {
        return refuse("with which the model is larger than 2 GiB, the most that is taken");
    }
    *room -= length;
    // Both are below the length of a file in memory.
    let (from, length) = (from as usize, length as usize);
    tensor.raw_data = Some(all[from..from + length].to_vec());
    tensor.external_data.clear();
    tensor.data_location = None;
    Ok(())
}

/// Reads a file beside the model: one that is below the model's folder by its own path, and neither is a link
/// nor has another name.
fn read(folder: &Path, location: &str, most: u64) -> Result<Vec<u8>, String> {
    let relative = Path::new(location);
    let plain = |component: Component<'_>| matches!(component, Component::Normal(_));
    if location.is_empty() || !relative.components().all(plain) {
        return Err("which is not a path below the model's folder; put it beside the model".into());
    }
    let mut path = PathBuf::from(folder);
    let mut seen = None;
    for component in relative.components() {
        path.push(component);
        let found = std::fs::symlink_metadata(&path)
            .map_err(|error| format!("which cannot be read: {error}"))?;
        if found.is_symlink() {
            return Err(format!(
                "but {} is a link; put the file itself beside the model",
                path.display()
            ));
        }
        seen = Some(found);
    }
    let Some(seen) = seen.filter(std::fs::Metadata::is_file) else {
        return Err("which is no file".into());
    };
    if seen.nlink() != 1 {
        return Err("which has several names (hard links); put a copy beside the model".into());
    }
    if seen.len() > most {
        return Err("with which the model is larger than 2 GiB, the most that is taken".into());
    }
    let failed = |error: std::io::Error| format!("which cannot be read: {error}");
    let mut file = File::open(&path).map_err(failed)?;
    let opened = file.metadata().map_err(failed)?;
    if (opened.dev(), opened.ino()) != (seen.dev(), seen.ino()) {
        return Err("which was replaced while it was read; start again".into());
    }
    let mut bytes = vec![];
    let read = file.by_ref().take(seen.len()).read_to_end(&mut bytes);
    read.map_err(failed)?;
    Ok(bytes)
}

/// The largest file in the format of ONNX.
pub(super) const BYTES_MAX: u64 = 2 << 30;
