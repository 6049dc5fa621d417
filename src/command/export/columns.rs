//! The columns of a set: their names, each once, and what they hold.

use std::collections::HashMap;

use arrow_schema::{DataType, Field, TimeUnit};

use super::folds::Folds;
use super::known::KnownTimes;
use super::set::{is_number, metadata};
use crate::config::{ConfigFault, RowOn};
use crate::engine::feature::FeatureKind;
use crate::pipeline::Pipeline;

/// The columns of a set.
pub(super) struct Columns {
    /// In the order of the file.
    pub(super) all: Vec<SetColumn>,
    /// What the set says of itself.
    pub(super) metadata: HashMap<String, String>,
}

/// A column.
pub(super) struct SetColumn {
    name: String,
    /// What it holds.
    pub(super) holds: Holds,
    can_be_null: bool,
}

/// What a column holds.
#[derive(Clone, Debug)]
pub(super) enum Holds {
    /// The instrument, firm or applicant.
    Key,
    /// The time of the row.
    TsEvent,
    /// When its frame was received.
    TsRecv,
    /// The stream of its frame.
    Stream,
    /// The place of its frame in the stream.
    Offset,
    /// Its own quality.
    Quality,
    /// The period of a statement.
    Period,
    /// A feature.
    Feature(usize),
    /// When a feature's input became known.
    Known(usize),
    /// The class of a label.
    Class(usize, &'static [&'static str]),
    /// The value of a label.
    Value(usize),
    /// The end of a label.
    End(usize),
    /// The middle of bid and ask.
    Mid,
    /// The beginning of its window.
    WindowStart,
    /// What it shares with others.
    Group,
    /// Its weight.
    Weight,
    /// Its part.
    Split,
    /// Its part in a fold.
    Fold(usize),
}

impl Holds {
    /// Its type in the file.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Key | Self::Group => DataType::Utf8,
            Self::Stream | Self::Quality | Self::Class(..) | Self::Split | Self::Fold(_) => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            Self::TsEvent | Self::TsRecv | Self::Known(_) | Self::End(_) | Self::WindowStart => {
                DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
            }
            Self::Offset | Self::Period => DataType::Int64,
            Self::Feature(_) | Self::Value(_) | Self::Mid | Self::Weight => DataType::Float64,
        }
    }
}

impl SetColumn {
    /// Its entry in the schema.
    pub(super) fn field(&self) -> Field {
        Field::new(&self.name, self.holds.data_type(), self.can_be_null)
    }
}

impl Columns {
    /// The columns of a pipeline's set; `key` names whom rows are about.
    ///
    /// # Errors
    /// The feature or the label that has the name of another column.
    pub(super) fn of(
        pipeline: &Pipeline,
        key: &str,
        known: &KnownTimes,
        folds: Option<&Folds>,
    ) -> Result<Self, ConfigFault> {
        let mut all = vec![];
        let mut add = |name: String, holds: Holds, can_be_null: bool| {
            all.push(SetColumn {
                name,
                holds,
                can_be_null,
            });
        };
        let is_of_records = pipeline.form.is_some() || pipeline.news.is_some();
        add(key.into(), Holds::Key, false);
        add("ts_event".into(), Holds::TsEvent, false);
        add("ts_recv".into(), Holds::TsRecv, true);
        add("source_stream".into(), Holds::Stream, false);
        add("source_offset".into(), Holds::Offset, false);
        add("quality".into(), Holds::Quality, false);
        if pipeline.file.row.on == RowOn::Statement {
            add("period".into(), Holds::Period, true);
        }
        for (column, name) in pipeline.plan.names().iter().enumerate() {
            add(name.clone(), Holds::Feature(column), is_of_records);
        }
        for (column, name) in known.columns().into_iter().enumerate() {
            add(name, Holds::Known(column), true);
        }
        if !is_of_records && !has_mid(pipeline) {
            add("mid".into(), Holds::Mid, true);
        }
        for (label, spec) in pipeline.labels.iter().enumerate() {
            let own = match spec.classes() {
                Some(classes) if !is_number(spec) => Holds::Class(label, classes),
                _ => Holds::Value(label),
            };
            add(spec.name.clone(), own, true);
            add(spec.value_column.clone(), Holds::Value(label), true);
            add(spec.end_column.clone(), Holds::End(label), true);
        }
        add("window_start".into(), Holds::WindowStart, true);
        if pipeline.split.group_by.is_some() {
            add("group".into(), Holds::Group, true);
        }
        add("weight".into(), Holds::Weight, false);
        add("split".into(), Holds::Split, false);
        for fold in 0..folds.map_or(0, Folds::len) {
            add(format!("fold_{fold}"), Holds::Fold(fold), true);
        }
        refuse_doubles(pipeline, &all)?;
        let metadata = metadata(pipeline, known, folds);
        Ok(Self { all, metadata })
    }
}

/// Whether a feature is the mid under its own name: it then is the column.
fn has_mid(pipeline: &Pipeline) -> bool {
    let mut features = pipeline.file.features.iter();
    features.any(|one| one.name == "mid" && one.kind == FeatureKind::Mid && !one.hidden)
}

fn refuse_doubles(pipeline: &Pipeline, all: &[SetColumn]) -> Result<(), ConfigFault> {
    let mut known: HashMap<&str, &SetColumn> = HashMap::new();
    for column in all {
        let Some(other) = known.insert(&column.name, column) else {
            continue;
        };
        let name = &column.name;
        let what = |one: &SetColumn| match one.holds {
            Holds::Feature(_) => format!("the feature `{name}`"),
            Holds::Class(..) | Holds::Value(_) | Holds::End(_) => {
                format!("the label's column `{name}`")
            }
            _ => format!("the set's own column `{name}`"),
        };
        let (one, two) = (what(other), what(column));
        let mut features = pipeline.file.features.iter();
        let feature = features.position(|feature| feature.name == *name);
        let key = feature.map_or("label".to_owned(), |at| format!("feature[{at}].name"));
        let advice = format!("{one} and {two} have one name; rename the feature or the label");
        return Err(ConfigFault::at(key, advice));
    }
    Ok(())
}
