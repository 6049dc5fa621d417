//! How the state of a pipeline that reads Kafka comes back after a restart.

use sha2::{Digest as _, Sha256};

use super::source::group;
use crate::config::{PipelineFile, RowOn, SourceKind};
use crate::engine::EngineSettings;
use crate::engine::feature::FeaturePlan;
use crate::hex::hex;
use crate::signal::lineage::Lineage;
use crate::state::{StateFolder, StateIdentity};

/// The way in which state comes back after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing is held of an instrument that a restart could lose.
    Stateless,
    /// The topics are read again from their oldest records, without publishing.
    ReadAgain,
    /// The topics are read again for `source.rebuild_ms`; what is longer ago is not known.
    ReadSome,
    /// From the snapshots of this folder, else by reading the topics again.
    Snapshots(StateFolder),
}

impl Recovery {
    /// What it is, for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Stateless => "nothing is held between records".into(),
            Self::ReadAgain => {
                "the topics are read again from their oldest records; `[state] dir` makes that short".into()
            }
            Self::ReadSome => {
                "the topics are read again for `source.rebuild_ms`; longer memory is lost".into()
            }
            Self::Snapshots(folder) => format!(
                "snapshots in {}, else the topics are read again",
                folder.path().display()
            ),
        }
    }
}

/// How the state of a live run comes back.
pub(super) fn recovery(file: &PipelineFile, settings: &EngineSettings) -> Recovery {
    // Of a statement it is remembered whether it says something new.
    let stands_alone =
        settings.stands_alone() && file.row.on == RowOn::Application && file.alerts.is_empty();
    if file.source.kind != SourceKind::Kafka || file.kafka.embedded || stands_alone {
        return Recovery::Stateless;
    }
    match &file.state.dir {
        Some(dir) => Recovery::Snapshots(StateFolder::of_group(dir, &group(file))),
        None if file.source.rebuild_ms > 0 => Recovery::ReadSome,
        None => Recovery::ReadAgain,
    }
}

/// Of what the snapshots of a run are.
pub(super) fn identity(
    file: &PipelineFile,
    plan: &FeaturePlan,
    settings: &EngineSettings,
    lineage: &Lineage,
) -> StateIdentity {
    StateIdentity {
        pipeline: file.name.clone(),
        group: group(file),
        model_sha256: lineage.first_model().sha256.clone(),
        features_sha256: plan.sha256().to_owned(),
        settings_sha256: hex(&Sha256::digest(format!("{settings:?}"))),
        engine_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
