//! The built-in linear model: the baseline that every pipeline can name.
//!
//! Without labels, one weight per column gives a score; with labels, one row of weights per label gives
//! probabilities (multinomial logistic regression). Where the columns are the numbers of word pieces, each
//! piece has one weight per label, whatever its position: a bag of pieces. Windows have one row. The scores
//! have the same bits on every machine.

use std::path::Path;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::contract::{Contract, values_fit};
use super::normalise::Normalise;
use super::{Model, ModelError, softmax};
use crate::signal::MAX_OUTPUTS;

/// b + W·x, or b + the sum of the weights of each piece; then softmax where there are labels.
#[derive(Clone, Debug)]
pub struct Linear {
    weights: Weights,
    columns: usize,
    bias: Vec<f64>,
    classes: bool,
}

#[derive(Clone, Debug)]
enum Weights {
    /// A row per label, each with a number per column.
    OfColumns(Vec<Vec<f64>>),
    /// The weights of each piece, a number per label. A piece without weights adds nothing.
    OfPieces(FxHashMap<u32, Vec<f64>>),
}

/// A linear model's file (JSON).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    name: String,
    version: String,
    features: Vec<String>,
    features_sha256: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    values: Vec<f64>,
    weights: Option<Vec<Vec<f64>>>,
    pieces: Option<FxHashMap<u32, Vec<f64>>>,
    bias: Vec<f64>,
    mean: Option<Vec<f64>>,
    std: Option<Vec<f64>>,
    horizon_ms: Option<i64>,
}

impl Linear {
    /// Reads a model from its JSON text.
    ///
    /// # Errors
    /// [`ModelError::Load`] with the first error in the file.
    pub fn parse(path: &Path, text: &[u8], sha256: String) -> Result<(Self, Contract), ModelError> {
        let fail = |what: String| ModelError::Load {
            path: path.to_owned(),
            what,
        };
        let wire: Wire = serde_json::from_slice(text).map_err(|error| fail(error.to_string()))?;
        let (rows, columns) = (wire.labels.len().max(1), wire.features.len());
        if rows > MAX_OUTPUTS {
            return Err(fail(format!(
                "{rows} labels; at most {MAX_OUTPUTS} are possible"
            )));
        }
        values_fit(&wire.values, rows).map_err(fail)?;
        let (shaped, weights) = match (wire.weights, wire.pieces) {
            (Some(all), None) => (
                all.len() == rows && all.iter().all(|row| row.len() == columns),
                Weights::OfColumns(all),
            ),
            (None, Some(all)) => (
                all.values().all(|piece| piece.len() == rows),
                Weights::OfPieces(all),
            ),
            _ => return Err(fail("give either `weights` or `pieces`".into())),
        };
        if !shaped || wire.bias.len() != rows {
            return Err(fail(format!(
                "`weights` must be {rows} rows (one per label) of {columns} numbers (one per feature), or each of \
                 `pieces` must have {rows} numbers; `bias` must have {rows} numbers"
            )));
        }
        let normalise = match (wire.mean, wire.std) {
            (None, None) => None,
            (Some(mean), Some(std))
                if matches!(weights, Weights::OfColumns(_))
                    && mean.len() == columns
                    && std.len() == columns
                    && std.iter().all(|&std| std > 0.0) =>
            {
                Some(Normalise::Fixed { mean, std })
            }
            _ => {
                return Err(fail(format!(
                    "`mean` and `std` must both have {columns} numbers, std above 0, and go with `weights`"
                )));
            }
        };
        let contract = Contract {
            name: wire.name,
            version: wire.version,
            sha256,
            features: wire.features,
            features_sha256: wire.features_sha256,
            labels: wire.labels,
            values: wire.values,
            ordered: true,
            given: rows,
            steps: 1,
            normalise,
            horizon_ns: wire.horizon_ms.map(|ms| ms.saturating_mul(1_000_000)),
            ..Contract::default()
        };
        let classes = !contract.labels.is_empty();
        Ok((
            Self {
                weights,
                columns,
                bias: wire.bias,
                classes,
            },
            contract,
        ))
    }

    /// The sum of a row of these columns: all weights are one. For pipelines that name no file.
    #[must_use]
    pub fn sum(columns: &[String]) -> (Self, Contract) {
        let contract = Contract {
            name: "sum".into(),
            version: "1".into(),
            features: columns.to_vec(),
            given: 1,
            steps: 1,
            ..Contract::default()
        };
        let linear = Self {
            weights: Weights::OfColumns(vec![vec![1.0; columns.len()]]),
            columns: columns.len(),
            bias: vec![0.0],
            classes: false,
        };
        (linear, contract)
    }
}

impl Model for Linear {
    fn score(&mut self, windows: &[f64], scores: &mut Vec<f64>) -> Result<(), ModelError> {
        for row in windows.chunks_exact(self.columns) {
            let before = scores.len();
            match &self.weights {
                Weights::OfColumns(all) => {
                    for (weights, bias) in all.iter().zip(&self.bias) {
                        let products = weights.iter().zip(row).map(|(w, x)| w * x);
                        scores.push(bias + products.fold(0.0, |sum, product| sum + product));
                    }
                }
                Weights::OfPieces(all) => {
                    scores.extend_from_slice(&self.bias);
                    // A number that is not a piece, such as NaN, becomes 0, the padding.
                    for weights in row.iter().filter_map(|&piece| all.get(&(piece as u32))) {
                        for (score, weight) in scores[before..].iter_mut().zip(weights) {
                            *score += weight;
                        }
                    }
                }
            }
            if self.classes {
                softmax(&mut scores[before..]);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"name":"m","version":"1","features":["a","b"],"labels":["down","up"],
        "weights":[[1,0],[0,2]],"bias":[0,-1]}"#;

    #[test]
    fn each_row_gets_its_own_probabilities() {
        let (mut linear, contract) =
            Linear::parse(Path::new("m"), FILE.as_bytes(), "s".into()).unwrap();
        assert_eq!((contract.outputs(), contract.steps), (2, 1));
        let mut scores = vec![];
        linear.score(&[1.0, 1.0, 800.0, 0.0], &mut scores).unwrap();
        assert_eq!(scores[..2], [0.5, 0.5], "1·1 + 0 and 2·1 − 1 are equal");
        assert_eq!(scores[2..], [1.0, 0.0], "each row has its own sum");
    }

    #[test]
    fn a_piece_has_the_same_weight_at_every_position() {
        let text = FILE.replace(
            "\"weights\":[[1,0],[0,2]]",
            "\"pieces\":{\"7\":[1,0],\"9\":[0,2]}",
        );
        let (mut linear, contract) =
            Linear::parse(Path::new("m"), text.as_bytes(), "s".into()).unwrap();
        assert_eq!((contract.outputs(), contract.steps), (2, 1));
        let mut scores = vec![];
        let rows = [[7.0, 9.0], [9.0, 7.0], [7.0, 0.0], [0.0, 7.0], [0.0, 8.0]];
        linear.score(rows.as_flattened(), &mut scores).unwrap();
        assert_eq!(scores[..4], [0.5; 4], "1 + 0 and 0 + 2 − 1 are equal");
        assert_eq!(scores[4..6], scores[6..8]);
        let of = |difference: f64| 1.0 / (1.0 + libm::exp(-difference));
        assert!((scores[4] - of(2.0)).abs() < 1e-15, "1 against −1");
        assert!((scores[8] - of(1.0)).abs() < 1e-15, "the bias alone");
        let both = FILE.replace("\"bias\"", "\"pieces\":{},\"bias\"");
        let error = Linear::parse(Path::new("m"), both.as_bytes(), String::new()).unwrap_err();
        assert!(
            error.to_string().contains("either `weights` or `pieces`"),
            "{error}"
        );
    }

    #[test]
    fn weights_of_a_wrong_shape_are_refused_with_the_right_shape() {
        let text = FILE.replace("[0,2]", "[0]");
        let error = Linear::parse(Path::new("m.json"), text.as_bytes(), String::new()).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("2 rows") && error.contains("m.json"),
            "{error}"
        );
    }
}
