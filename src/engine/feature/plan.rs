//! From `[[feature]]` tables to the program that [`super::FeatureState`] runs.
//!
//! Features of the same input and span share one window. The plan holds no state of an instrument.

mod build;

use sha2::{Digest, Sha256};

use super::error::FeatureError;
use super::kind::FeatureKind;
use super::program::{Node, Operation, Step, WindowSpec};
use super::recursion::RecursionKind;
use super::spec::FeatureSpec;
use crate::hex::hex;
use crate::schema::RecordField;

/// The compiled features of a pipeline.
#[derive(Clone, Debug, Default)]
pub struct FeaturePlan {
    pub(super) steps: Vec<Step>,
    pub(super) nodes: Vec<Node>,
    pub(super) windows: Vec<WindowSpec>,
    /// Nodes that remember something between events.
    pub(super) memories: usize,
    /// Nodes that remember levels of the book.
    pub(super) order_flows: usize,
    /// Nodes that remember something of their own.
    pub(super) recursions: Vec<RecursionKind>,
    /// Nodes of the row's columns, in order.
    pub(super) columns: Vec<usize>,
    /// Nodes that change as time passes, even without events.
    pub(super) aging: Vec<usize>,
    fields: Vec<RecordField>,
    tokens: Option<usize>,
    figures: Vec<String>,
    names: Vec<String>,
    sha256: String,
    uses_book: bool,
    uses_top: bool,
}

impl FeaturePlan {
    /// Compiles the features, in their order.
    ///
    /// # Errors
    /// [`FeatureError`] naming the feature and what to change.
    pub fn compile(specs: &[FeatureSpec]) -> Result<Self, FeatureError> {
        Self::compile_with(specs, "")
    }

    /// The same where features also depend on a file, such as a vocabulary: its SHA-256 goes into that of
    /// the features.
    ///
    /// # Errors
    /// [`FeatureError`] naming the feature and what to change.
    pub fn compile_with(specs: &[FeatureSpec], file_sha256: &str) -> Result<Self, FeatureError> {
        let mut plan = Self::default();
        for spec in specs {
            spec.check()?;
            if plan.named(&spec.name).is_some() {
                return Err(spec.error("is named twice; give it another name"));
            }
            if plan.fields.is_empty() != (spec.kind != FeatureKind::Field) && !plan.names.is_empty()
            {
                return Err(spec.error(
                    "cannot stand beside the others: fields of records and features of the \
                                       market do not mix",
                ));
            }
            if spec.kind == FeatureKind::Tokens {
                plan.tokens = Some(spec.tokens(specs.len() == 1)?);
                let columns = 0..spec.max_tokens.unwrap_or_default();
                plan.names
                    .extend(columns.map(|at| format!("{}_{at}", spec.name)));
                continue;
            }
            if spec.kind == FeatureKind::Field {
                plan.fields.push(spec.field()?);
                plan.names.push(spec.name.clone());
                continue;
            }
            let node = plan.add(spec)?;
            if !spec.hidden {
                plan.columns.push(node);
                plan.names.push(spec.name.clone());
            }
        }
        let text = serde_json::to_string(specs).unwrap_or_default() + file_sha256;
        plan.sha256 = hex(&Sha256::digest(text.as_bytes()));
        Ok(plan)
    }

    /// Names of the columns, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Columns of a row.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether a row would have no columns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The fields of records that are the columns; none where events of a market make the rows.
    #[must_use]
    pub fn fields(&self) -> &[RecordField] {
        &self.fields
    }

    /// The figures of the economy that features name.
    #[must_use]
    pub fn figures(&self) -> &[String] {
        &self.figures
    }

    /// Whether any feature is the sentiment of headlines.
    #[must_use]
    pub fn uses_sentiment(&self) -> bool {
        let mut nodes = self.nodes.iter();
        nodes.any(|node| matches!(node.operation, Operation::Sentiment))
    }

    /// Columns of a headline's pieces, where these are the row.
    #[must_use]
    pub fn tokens(&self) -> Option<usize> {
        self.tokens
    }

    /// SHA-256 over the features as resolved: what a model must have been trained on.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Whether any feature looks at the book's levels.
    #[must_use]
    pub fn uses_book(&self) -> bool {
        self.uses_book
    }

    /// Whether any feature looks at the best bid and offer.
    #[must_use]
    pub fn uses_top(&self) -> bool {
        self.uses_top
    }
}
