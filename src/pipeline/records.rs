//! What the records of a pipeline look like: applications and statements, with the tokens of persons.

use crate::config;
use crate::config::{ConfigFault, PipelineFile, RowOn};
use crate::decode::RecordForm;
use crate::decode::privacy::Pseudonym;
use crate::engine::feature::FeaturePlan;
use crate::schema::RecordKind;
use crate::secret;

/// What the pipeline reads of its records; none where its rows are not records.
///
/// # Errors
/// The key whose value makes no sense.
pub(super) fn form(
    file: &PipelineFile,
    plan: &FeaturePlan,
) -> Result<Option<RecordForm>, ConfigFault> {
    let kind = match file.row.on {
        RowOn::Application => Some(RecordKind::Application),
        RowOn::Statement => Some(RecordKind::Statement),
        RowOn::Trade | RowOn::Quote | RowOn::Book | RowOn::Bar | RowOn::News => None,
    };
    match (kind, plan.fields().is_empty()) {
        (None, true) => Ok(None),
        (None, false) => Err(ConfigFault::at("row.on", FIELDS_NEED_RECORDS)),
        (Some(_), true) => Err(ConfigFault::at("feature", RECORDS_NEED_FIELDS)),
        (Some(kind), false) => {
            let names_persons = kind == RecordKind::Application;
            let pseudonym = pseudonym(file.privacy.as_ref(), names_persons)?;
            let products = &file.source.products;
            Ok(Some(RecordForm::new(
                kind,
                plan.fields(),
                products,
                pseudonym,
            )))
        }
    }
}

/// How identifiers become tokens. Companies keep their names where no key is given; persons must have one.
///
/// # Errors
/// What is missing or wrong, and what to write. The message never shows the key.
fn pseudonym(
    privacy: Option<&config::PrivacyConfig>,
    names_persons: bool,
) -> Result<Option<Pseudonym>, ConfigFault> {
    let Some(config::PrivacyConfig { key, key_id }) = privacy else {
        return match names_persons {
            true => Err(ConfigFault::at("privacy", PERSONS_NEED_A_KEY)),
            false => Ok(None),
        };
    };
    let refused = |what: String| ConfigFault::at("privacy.key", what);
    let secret = secret::resolve(key).ok_or_else(|| {
        refused("`key` must be `env:NAME` or `file:PATH`, never the key itself".into())
    })?;
    let secret =
        secret.map_err(|error| refused(format!("while reading `key` from {key}: {error}")))?;
    let pseudonym = Pseudonym::new(secret.as_bytes(), key_id.clone());
    pseudonym
        .map(Some)
        .map_err(|what| ConfigFault::at("privacy", what))
}

const FIELDS_NEED_RECORDS: &str =
    "a feature of kind `field` needs records: write `on = \"application\"` or `\"statement\"`";
const RECORDS_NEED_FIELDS: &str =
    "rows of records consist of their fields: make each feature `kind = \"field\"`";
const PERSONS_NEED_A_KEY: &str = "applications name persons: add a table [privacy] with `key = \"env:NAME\"` and \
     `key_id`, so that their identifiers leave as tokens";
