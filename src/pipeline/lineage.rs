//! What all signals of a pipeline share.

use crate::config::{PipelineFile, RowLate};
use crate::model::contract::Contract;
use crate::schema::RecordKind;
use crate::signal::lineage::Lineage;
use crate::signal::model::ModelIdentity;

/// The lineage of a pipeline with this model; `records` are the records that its rows are made of.
pub(super) fn lineage(
    file: &PipelineFile,
    records: Option<RecordKind>,
    features_sha256: &str,
    contract: &Contract,
    horizon_ns: i64,
) -> Lineage {
    // Of two labels of a company or an applicant the score is the probability of the last: its PD.
    let values = match (records, &contract.labels[..]) {
        (Some(_), [_, _]) if contract.values.is_empty() => vec![0.0, 1.0],
        _ => contract.values.clone(),
    };
    Lineage {
        schema: file.signal.schema.clone(),
        pipeline: file.name.clone(),
        key: records.map_or("instrument", RecordKind::key),
        half_life_ns: file.news.as_ref().map(|news| news.half_life_ns()),
        corrects: file.row.late == RowLate::Correct,
        streams: vec![],
        models: vec![ModelIdentity {
            name: contract.name.clone(),
            version: contract.version.clone(),
            sha256: contract.sha256.clone(),
            features_sha256: features_sha256.to_owned(),
            labels: contract.labels.clone(),
            values,
            reasons: contract.reasons.clone(),
            grades: contract.grades.clone(),
            horizon_ns,
            shadow: file.signal.shadow,
        }],
    }
}
