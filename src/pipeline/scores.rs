//! What the numbers of a model are as scores: checked against the configuration, and on rows that look like
//! those to come.

use super::error::PipelineError;
use super::model_file::ModelFile;
use crate::config::{ActivationName, ConfigFault, Document, ModelKind, PipelineFile};
use crate::engine::feature::FeatureSpec;
use crate::model::contract::{Contract, values_fit};
use crate::model::normalise::Normalise;
use crate::model::random_numbers::RandomNumbers;
use crate::model::score_form::{Activation, ScoreFault, ScoreForm};
use crate::model::{Model, ModelError};
use crate::signal::field::SignalField;

/// Takes over `[model] values`, and says how the model's numbers become outputs.
///
/// # Errors
/// What the configuration lacks or contradicts, and what to write.
pub(super) fn form(
    file: &PipelineFile,
    fields: &[SignalField],
    contract: &mut Contract,
) -> Result<ScoreForm, ConfigFault> {
    let values = &file.model.values;
    if !values.is_empty() {
        values_fit(values, contract.labels.len())
            .map_err(|what| ConfigFault::at("model.values", what))?;
        if !contract.values.is_empty() && contract.values != *values {
            let what = format!(
                "the model's file gives its labels the values {:?}; take `values` out",
                contract.values
            );
            return Err(ConfigFault::at("model.values", what));
        }
        contract.values.clone_from(values);
    }
    let of_score = [
        SignalField::Score,
        SignalField::Grade,
        SignalField::Sentiment,
    ];
    let is_needed = !file.alerts.is_empty()
        || file.news.is_some()
        || of_score.iter().any(|field| fields.contains(field));
    if is_needed {
        contract
            .check_order()
            .map_err(|what| ConfigFault::at("model.labels", what))?;
    }
    let form = ScoreForm {
        given: contract.given,
        classes: contract.labels.len(),
        activation: match file.model.activation {
            None => Activation::None,
            Some(ActivationName::Softmax) => Activation::Softmax,
            Some(ActivationName::Sigmoid) => Activation::Sigmoid,
        },
        probability: !file.alerts.is_empty(),
    };
    match form.wrong_activation() {
        Some(what) => Err(ConfigFault::at("model.activation", what)),
        None => Ok(form),
    }
}

/// Scores rows that look like those to come, and checks that probabilities are some.
///
/// # Errors
/// [`PipelineError`] where a score is no probability, though it should be one, and what to write.
pub(super) fn try_out(
    model: &mut dyn Model,
    (file, document): (&PipelineFile, &Document),
    (source, contract, form): (&ModelFile, &Contract, ScoreForm),
    (normalise, pieces): (&Normalise, usize),
) -> Result<(), PipelineError> {
    let raw = ScoreForm {
        activation: Activation::None,
        ..form
    };
    // A sum or a linear score is a probability where the fields make it one.
    if source.kind != ModelKind::Onnx && form.classes == 0 {
        return Ok(());
    }
    let columns: Vec<Column> = contract
        .features
        .iter()
        .map(|name| Column::of(name, &file.features, *normalise == Normalise::None, pieces))
        .collect();
    let mut numbers = RandomNumbers::new();
    let (mut tried, mut probabilities, mut faults) = (0, 0, 0);
    let (mut scored, mut failed) = (false, None);
    for window in 0..WINDOWS {
        let mut cells = vec![];
        for _ in 0..contract.steps {
            cells.extend((0..columns.len()).map(|at| columns[at].cell(at, window, &mut numbers)));
        }
        let mut given = vec![];
        match model.score(&cells, &mut given) {
            Ok(()) => {
                scored = true;
                given.truncate(form.given);
            }
            // A made-up row may be one that the graph refuses.
            Err(error @ ModelError::Run(_)) => {
                failed = Some(error);
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        match form.outputs(&given) {
            Ok(_) => tried += 1,
            Err(ScoreFault::Undefined) => continue,
            // A single score may leave 0..1 on a row that never comes, but not on most rows.
            Err(ScoreFault::Range(_)) if form.classes == 0 && faults < WINDOWS / 2 => {
                faults += 1;
                continue;
            }
            Err(fault @ (ScoreFault::Range(_) | ScoreFault::Sum(_))) => {
                let what = refusal(contract, form, &given, fault);
                let path = source.path.clone();
                return Err(ModelError::Contract { path, what }.into());
            }
        }
        probabilities += usize::from(raw.outputs(&given).is_ok());
    }
    if let Some(error) = failed.filter(|_| !scored) {
        return Err(error.into());
    }
    if form.activation == Activation::Softmax && tried > 0 && probabilities == tried {
        let what = "the model gives probabilities already; take `activation` out";
        return Err(document
            .error(ConfigFault::at("model.activation", what))
            .into());
    }
    Ok(())
}

/// What is wrong with the numbers of a window, and what to do.
fn refusal(contract: &Contract, form: ScoreForm, given: &[f64], fault: ScoreFault) -> String {
    let whose = if contract.labels.is_empty() {
        "no probability, which [[alert]] needs".into()
    } else {
        format!("no probabilities of its labels {:?}", contract.labels)
    };
    let advice = match (fault, form.activation) {
        (ScoreFault::Sum(_), _) => {
            "labels must exclude each other: export the model with a softmax over its classes"
                .into()
        }
        (_, Activation::None) => format!(
            "if they are logits, write `activation = \"{}\"` in [model]",
            form.remedy()
        ),
        (_, Activation::Softmax | Activation::Sigmoid) => {
            "correct the graph: its numbers are not finite logits".into()
        }
    };
    format!("it gives {given:?} for a window, {whose}: {fault}; {advice}")
}

/// What a column's numbers look like.
enum Column {
    /// The tokens of headlines, from a vocabulary of so many pieces.
    Token(usize),
    /// The index of a category.
    Category(usize),
    /// A number between two bounds.
    Bounded(f64, f64),
    /// A number of unknown size.
    Any,
    /// A z-score.
    Normal,
}

impl Column {
    fn of(name: &str, features: &[FeatureSpec], is_raw: bool, pieces: usize) -> Self {
        if pieces > 0 {
            return Self::Token(pieces);
        }
        if !is_raw {
            return Self::Normal;
        }
        let Some(spec) = features.iter().find(|spec| spec.name == name) else {
            return Self::Any;
        };
        match (&spec.categories, spec.min, spec.max) {
            (Some(categories), _, _) => Self::Category(categories.len()),
            (None, Some(min), Some(max)) => Self::Bounded(min, max),
            _ => Self::Any,
        }
    }

    /// A number of this column, at place `at` of its row, in the n-th window.
    fn cell(&self, at: usize, window: usize, numbers: &mut RandomNumbers) -> f64 {
        let uniform = numbers.uniform();
        match *self {
            Self::Token(pieces) if at <= 4 + window => (uniform * pieces as f64).floor(),
            Self::Token(_) => 0.0,
            Self::Category(count) => (uniform * count as f64).floor(),
            Self::Bounded(min, max) => min + uniform * (max - min),
            Self::Any => numbers.normal() * 10_f64.powi(window as i32 % SIZES - 1),
            Self::Normal => numbers.normal(),
        }
    }
}

/// Windows that are tried.
const WINDOWS: usize = 24;
/// Sizes of raw numbers that are tried: 0.1, 1, … 10,000.
const SIZES: i32 = 6;
