//! The contract of an ONNX file: its `metadata_props` that begin with `foretick.`, and what the pipeline
//! declares for a file without them.

use std::path::Path;

use ort::session::Session;
use serde::de::DeserializeOwned;

use crate::model::ModelError;
use crate::model::contract::{Contract, DeclaredContract, values_fit};
use crate::model::normalise::Normalise;
use crate::signal::MAX_OUTPUTS;

/// The contract of the file; what it lacks is taken from `declared`.
pub(super) fn read(
    session: &Session,
    path: &Path,
    sha256: String,
    declared: &DeclaredContract,
) -> Result<Contract, ModelError> {
    let fail = |what: String| ModelError::Load {
        path: path.to_owned(),
        what,
    };
    let props = session
        .metadata()
        .map_err(|error| fail(error.to_string()))?;
    let text = |key: &str| props.custom(&format!("foretick.{key}"));
    let metadata = Metadata { text: &text };
    let features = metadata.json::<Vec<String>>("features").map_err(fail)?;
    let single = declared.single_rows && declared.steps.is_none();
    let foreign = features.is_none() && (declared.steps.is_some() || single);
    let features = match features {
        Some(features) => features,
        None if foreign => declared.features.clone(),
        None => return Err(fail(missing("features"))),
    };
    let steps = metadata.json("steps").map_err(fail)?;
    let steps = agree("steps", steps, declared.steps).map_err(fail)?;
    let steps = steps.or((foreign && single).then_some(1));
    let steps = steps.ok_or_else(|| fail(missing("steps")))?;
    let labels: Option<Vec<String>> = metadata.json("labels").map_err(fail)?;
    let ordered = labels.is_some();
    let declared_labels = Some(declared.labels.clone()).filter(|labels| !labels.is_empty());
    let labels: Vec<String> = agree("labels", labels, declared_labels)
        .map_err(fail)?
        .unwrap_or_default();
    if labels.len() > MAX_OUTPUTS {
        return Err(fail(format!(
            "{} labels; at most {MAX_OUTPUTS} are possible",
            labels.len()
        )));
    }
    let mut values: Vec<f64> = vec![];
    for key in ["values", "expected_pd"] {
        if let Some(numbers) = metadata.json::<Vec<f64>>(key).map_err(fail)? {
            values_fit(&numbers, labels.len())
                .map_err(|what| fail(format!("metadata `foretick.{key}`: {what}")))?;
            values = numbers;
        }
    }
    let horizon_ms: Option<i64> = metadata.json("horizon_ms").map_err(fail)?;
    let version = text("version").or_else(|| declared.version.clone());
    Ok(Contract {
        name: text("name").unwrap_or_else(|| file_stem(path)),
        version: version.unwrap_or_else(|| "0".into()),
        sha256,
        features_sha256: text("features_sha256"),
        normalise: metadata.normalise(features.len()).map_err(fail)?,
        features,
        steps,
        given: labels.len().max(1),
        labels,
        ordered,
        horizon_ns: horizon_ms.map(|ms| ms.saturating_mul(1_000_000)),
        reasons: metadata.json("reasons").map_err(fail)?.unwrap_or_default(),
        values,
        grades: metadata.json("grades").map_err(fail)?.unwrap_or_default(),
    })
}

/// The metadata of a file.
struct Metadata<'a> {
    text: &'a dyn Fn(&str) -> Option<String>,
}

impl Metadata<'_> {
    fn json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, String> {
        let text = (self.text)(key);
        let parsed = text.map(|text| serde_json::from_str(&text)).transpose();
        parsed.map_err(|error| {
            format!("metadata `foretick.{key}` is not the JSON expected there: {error}")
        })
    }

    fn normalise(&self, columns: usize) -> Result<Option<Normalise>, String> {
        let (mean, std): (Option<Vec<f64>>, Option<Vec<f64>>) =
            (self.json("mean")?, self.json("std")?);
        match (mean, std) {
            (None, None) => Ok(None),
            (Some(mean), Some(std))
                if mean.len() == columns
                    && std.len() == columns
                    && std.iter().all(|&s| s > 0.0) =>
            {
                Ok(Some(Normalise::Fixed { mean, std }))
            }
            _ => Err(format!(
                "metadata `foretick.mean` and `foretick.std` must both have {columns} numbers, std above 0"
            )),
        }
    }
}

/// The value of the file or of the pipeline; an error where both have one and they differ.
fn agree<T: PartialEq + std::fmt::Debug>(
    key: &str,
    file: Option<T>,
    pipeline: Option<T>,
) -> Result<Option<T>, String> {
    match (file, pipeline) {
        (Some(file), Some(pipeline)) if file != pipeline => Err(format!(
            "its metadata `foretick.{key}` is {file:?}, but `[model] {key}` is {pipeline:?}; take that out"
        )),
        (file, pipeline) => Ok(file.or(pipeline)),
    }
}

fn missing(key: &str) -> String {
    format!(
        "metadata_props has no `foretick.{key}`; write the contract into the file, or give `steps` (and \
         `labels`) in `[model]` for a file made elsewhere (see docs/src/how-to/foreign-models.md)"
    )
}

fn file_stem(path: &Path) -> String {
    path.file_stem().map_or_else(
        || "model".into(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}
