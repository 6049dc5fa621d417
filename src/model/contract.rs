//! What a model's file promises, and the check of it against a pipeline's features.

use std::path::Path;

use super::ModelError;
use super::normalise::Normalise;

/// What a model's file promises: what it takes, and what it gives.
#[derive(Clone, Debug, Default)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file, in hexadecimal.
    pub sha256: String,
    /// The columns that it was trained on, in order.
    pub features: Vec<String>,
    /// SHA-256 of their definitions, in hexadecimal; none where the file does not say.
    pub features_sha256: Option<String>,
    /// Its classes, in the order of its outputs; empty for a single score.
    pub labels: Vec<String>,
    /// Rows in a window.
    pub steps: usize,
    /// Normalisation fitted in training.
    pub normalise: Option<Normalise>,
    /// Prediction horizon, in nanoseconds.
    pub horizon_ns: Option<i64>,
    /// Codes of the reasons that it outputs after its scores, in order.
    pub reasons: Vec<String>,
    /// The value of each label on the scale of the score, as the default rate of a grade; empty where nothing
    /// gives one.
    pub values: Vec<f64>,
    /// Whether the file itself lists the labels, which it does lowest first.
    pub ordered: bool,
    /// Numbers that the graph gives for a window, reasons not counted: one for each label, or one for two
    /// labels.
    pub given: usize,
    /// Grades, best first: the name of each, and its highest score.
    pub grades: Vec<(String, f64)>,
}

/// What the numbers of a column are, for inputs that are no floats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ColumnKind {
    /// Any number.
    #[default]
    Number,
    /// A field of a record, as it came: it may be an integer.
    Field,
    /// The place of a text in this list; NaN for none of them.
    Category(Vec<String>),
    /// The number of a word piece; 0 behind the end of the headline.
    Token,
}

/// What the pipeline's configuration says about a model whose file carries no contract, or a part of one.
#[derive(Clone, Debug, Default)]
pub struct DeclaredContract {
    /// The columns of a row.
    pub features: Vec<String>,
    /// What the numbers of each column are.
    pub kinds: Vec<ColumnKind>,
    /// Rows in a window.
    pub steps: Option<usize>,
    /// Its classes.
    pub labels: Vec<String>,
    /// Its version.
    pub version: Option<String>,
    /// The columns of each input; empty where there is one input, which takes all.
    pub inputs: Vec<(String, Vec<String>)>,
    /// The output that holds the scores.
    pub output: Option<String>,
    /// Whether its windows are single rows, where it does not say: applications and headlines.
    pub single_rows: bool,
}

/// Checks that there is a finite value for each label, or none at all.
///
/// # Errors
/// Both counts.
pub fn values_fit(values: &[f64], labels: usize) -> Result<(), String> {
    if values.is_empty() || values.len() == labels && values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(format!(
        "`values` needs a finite number for each of {labels} labels, not {values:?}"
    ))
}

/// Names of labels that lie between others.
const NEUTRAL: &[&str] = &["neutral", "flat", "hold", "unchanged", "stationary", "none"];

impl Contract {
    /// Numbers that a window gives: the scores, then the reasons.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.given + self.reasons.len()
    }

    /// Refuses a score that would be made of an order of labels for which nobody vouches: of three and more
    /// labels that only the configuration lists, in the order of the outputs, or whose neutral one is first
    /// or last.
    ///
    /// # Errors
    /// What is missing, and what to write.
    pub fn check_order(&self) -> Result<(), String> {
        let labels = &self.labels;
        if labels.len() < 3 || !self.values.is_empty() {
            return Ok(());
        }
        let mut ends = [labels.first(), labels.last()].into_iter().flatten();
        let neutral = ends.find(|label| NEUTRAL.contains(&label.to_lowercase().as_str()));
        let why = match neutral {
            Some(label) => format!("`{label}` would be the lowest or the highest of them"),
            None if self.ordered => return Ok(()),
            None => "nothing says which is lowest and which is highest".into(),
        };
        Err(format!(
            "a score is a mean over the labels {labels:?}, but {why}; give each its value in `[model] values` \
             (as [-1, 0, 1]), in the order of the labels"
        ))
    }

    /// Checks that the model was trained on the columns that a pipeline computes: their names in order, and
    /// the hash of their definitions.
    ///
    /// # Errors
    /// [`ModelError::Contract`] with the first difference.
    pub fn check(&self, columns: &[String], sha256: &str, path: &Path) -> Result<(), ModelError> {
        let refuse = |what| {
            Err(ModelError::Contract {
                path: path.to_owned(),
                what,
            })
        };
        let mut labels = self.labels.iter().enumerate();
        if let Some((_, label)) = labels.find(|(at, label)| self.labels[..*at].contains(label)) {
            return refuse(format!(
                "two of its labels are `{label}`; give each output a name of its own in `labels`"
            ));
        }
        if self.features != columns {
            let at = self
                .features
                .iter()
                .zip(columns)
                .take_while(|(a, b)| a == b)
                .count();
            let name = |list: &[String]| {
                list.get(at)
                    .map_or("nothing".into(), |name| format!("`{name}`"))
            };
            return refuse(format!(
                "column {at} is {} in the model and {} in the pipeline; use the features that it was \
                 trained on, or train it again",
                name(&self.features),
                name(columns),
            ));
        }
        match &self.features_sha256 {
            Some(trained) if trained != sha256 => refuse(format!(
                "the features have the same names but another definition (model {trained}, pipeline \
                 {sha256}); restore the [[feature]] tables it was trained on, or train it again"
            )),
            _ => Ok(()),
        }
    }
}
