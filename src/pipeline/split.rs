//! `[split]`, checked.

use crate::config::{
    ConfigFault, FoldsConfig, FoldsKind, GroupBy, PipelineFile, RowOn, SplitConfig,
};
use crate::signal::quality::Quality;
use crate::time::parse_time;
use crate::units::Nanos;

/// How rows are divided, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitSettings {
    /// Rows from this time on are for validation.
    pub validation_from: Option<Nanos>,
    /// Rows from this time on are for the test.
    pub test_from: Option<Nanos>,
    /// Rows in a window.
    pub steps: u64,
    /// The key that says so, or would.
    pub steps_key: &'static str,
    /// How long before a border rows are purged at least, in nanoseconds.
    pub purge_ns: i64,
    /// How long after a border rows are left out, in nanoseconds.
    pub embargo_ns: i64,
    /// What no two sides of a border may share.
    pub group_by: Option<GroupBy>,
    /// The shares of groups for validation and test; none where groups are divided by time.
    pub shares: Option<(f64, f64)>,
    /// The qualities of windows that are used.
    pub qualities: Vec<Quality>,
    /// Folds.
    pub folds: Option<FoldSettings>,
}

/// How folds are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoldSettings {
    /// How folds are made of blocks.
    pub kind: FoldsKind,
    /// The number of blocks.
    pub blocks: usize,
    /// How many a combinatorial fold tests.
    pub test_blocks: usize,
    /// How many blocks a fold of `walk_forward` is trained on; none: all before its test.
    pub train_blocks: Option<usize>,
    /// When the first block begins; none: at the first event.
    pub from: Option<Nanos>,
    /// When the last one ends; none: after the last event.
    pub to: Option<Nanos>,
}

/// The most folds, each of which is a column.
const FOLDS_MAX: usize = 256;

/// How rows are divided.
///
/// # Errors
/// The key whose value makes no sense.
pub(super) fn split(file: &PipelineFile) -> Result<SplitSettings, ConfigFault> {
    let config = &file.split;
    let label = match &file.labels[..] {
        [label] => Some(label),
        _ => None,
    };
    let of_label = label.map(|label| (label.test_from.as_deref(), label.steps));
    let (label_from, label_steps) = of_label.unwrap_or_default();
    if config.test_from.is_some() && label_from.is_some() {
        return Err(both("test_from"));
    }
    if config.steps.is_some() && label_steps.is_some() {
        return Err(both("steps"));
    }
    let test_from = match label_from {
        Some(text) => time("label.test_from", Some(text))?,
        None => time("split.test_from", config.test_from.as_deref())?,
    };
    let validation_from = time("split.validation_from", config.validation_from.as_deref())?;
    if let (Some(validation), Some(test)) = (validation_from, test_from)
        && validation >= test
    {
        let what = "`validation_from` must be before `test_from`";
        return Err(ConfigFault::at("split.validation_from", what));
    }
    let test_key = match label_from {
        Some(_) => "label.test_from",
        None => "split.test_from",
    };
    let border = validation_from.map(|from| ("split.validation_from", from));
    let border = border.or(test_from.map(|from| (test_key, from)));
    let steps_key = match label_steps.is_some() || label.is_some() && config.steps.is_none() {
        true => "label.steps",
        false => "split.steps",
    };
    Ok(SplitSettings {
        validation_from,
        test_from,
        steps: label_steps.or(config.steps).unwrap_or(1).max(1),
        steps_key,
        purge_ns: nanos("split.purge_ms", config.purge_ms)?,
        embargo_ns: nanos("split.embargo_ms", config.embargo_ms)?,
        group_by: group_by(file)?,
        shares: shares(config, border.is_some())?,
        qualities: qualities(config)?,
        folds: config
            .folds
            .as_ref()
            .map(|folds| fold_settings(folds, border))
            .transpose()?,
    })
}

fn both(key: &str) -> ConfigFault {
    let what = format!("`{key}` stands in [label] and in [split]; take one out");
    ConfigFault::at(format!("split.{key}"), what)
}

fn time(key: &str, text: Option<&str>) -> Result<Option<Nanos>, ConfigFault> {
    let time = text.map(parse_time).transpose();
    time.map_err(|what| ConfigFault::at(key, what))
}

fn nanos(key: &str, ms: i64) -> Result<i64, ConfigFault> {
    let name = key.rsplit('.').next().unwrap_or(key);
    match ms {
        ..0 => Err(ConfigFault::at(
            key,
            format!("`{name}` must be zero or more"),
        )),
        ms => Ok(ms.saturating_mul(1_000_000)),
    }
}

fn group_by(file: &PipelineFile) -> Result<Option<GroupBy>, ConfigFault> {
    match (file.split.group_by, file.row.on) {
        (Some(GroupBy::Text), on) if on != RowOn::News => {
            let what = "`group_by = \"text\"` groups headlines; set it to `key`";
            Err(ConfigFault::at("split.group_by", what))
        }
        (group_by, _) => Ok(group_by),
    }
}

fn shares(config: &SplitConfig, has_border: bool) -> Result<Option<(f64, f64)>, ConfigFault> {
    let each = [
        ("validation_share", config.validation_share),
        ("test_share", config.test_share),
    ];
    let Some((key, _)) = each.iter().find(|(_, share)| share.is_some()) else {
        return Ok(None);
    };
    let fault = |key: &str, what: String| Err(ConfigFault::at(format!("split.{key}"), what));
    if config.group_by.is_none() {
        return fault(key, format!("`{key}` is a share of groups; set `group_by`"));
    }
    if has_border {
        let what = "shares and times exclude each other; take `validation_from` and `test_from` out, or this";
        return fault(key, what.to_owned());
    }
    let [validation, test] = each.map(|(_, share)| share.unwrap_or(0.0));
    for (key, share) in each {
        if share.is_some_and(|share| !(0.0..1.0).contains(&share)) {
            return fault(key, format!("`{key}` must be from 0 to 1"));
        }
    }
    if validation + test >= 1.0 {
        return fault(key, "the shares must leave groups for `train`".to_owned());
    }
    Ok(Some((validation, test)))
}

fn qualities(config: &SplitConfig) -> Result<Vec<Quality>, ConfigFault> {
    let Some(words) = &config.qualities else {
        return Ok(vec![Quality::Ok]);
    };
    let quality = |(at, word): (usize, &String)| {
        let known = Quality::ALL
            .into_iter()
            .find(|quality| quality.word() == word);
        known.ok_or_else(|| {
            let all = Quality::ALL.map(Quality::word).join("`, `");
            let what = format!("`{word}` is no quality; the qualities are `{all}`");
            ConfigFault::at(format!("split.qualities[{at}]"), what)
        })
    };
    words.iter().enumerate().map(quality).collect()
}

/// How folds are made of the time before `border`, where validation or test begin, by this key.
fn fold_settings(
    config: &FoldsConfig,
    border: Option<(&str, Nanos)>,
) -> Result<FoldSettings, ConfigFault> {
    let fault = |key: &str, what: String| ConfigFault::at(format!("split.folds.{key}"), what);
    let (blocks, tested) = (config.blocks, config.test_blocks);
    if blocks < 2 {
        return Err(fault("blocks", "`blocks` must be 2 or more".to_owned()));
    }
    let folds = match config.kind {
        FoldsKind::WalkForward => blocks - 1,
        FoldsKind::Combinatorial if !(1..blocks).contains(&tested) => {
            let what = "`test_blocks` must be above zero and below `blocks`";
            return Err(fault("test_blocks", what.to_owned()));
        }
        FoldsKind::Combinatorial => (0..tested.min(blocks - tested)).fold(1_usize, |folds, at| {
            folds.saturating_mul(blocks - at) / (at + 1)
        }),
    };
    if folds > FOLDS_MAX {
        let what = format!("these are {folds} folds, and there may be {FOLDS_MAX}; lower `blocks`");
        return Err(fault("blocks", what));
    }
    if config.train_blocks == Some(0) {
        return Err(fault(
            "train_blocks",
            "`train_blocks` must be above zero".to_owned(),
        ));
    }
    if config.train_blocks.is_some() && config.kind == FoldsKind::Combinatorial {
        let what = "`train_blocks` means nothing for combinatorial folds; take it out";
        return Err(fault("train_blocks", what.to_owned()));
    }
    let from = time("split.folds.from", config.from.as_deref())?;
    let to = time("split.folds.to", config.to.as_deref())?;
    if let (Some(to), Some((key, border))) = (to, border)
        && to > border
    {
        let what = format!(
            "the folds would train on rows that are held out from `{key}` on; write a `to` that is not after it, or \
             take `to` out"
        );
        return Err(fault("to", what));
    }
    let to = to.or(border.map(|(_, border)| border));
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(fault("from", "the folds begin after their end".to_owned()));
    }
    Ok(FoldSettings {
        kind: config.kind,
        blocks,
        test_blocks: tested,
        train_blocks: config.train_blocks,
        from,
        to,
    })
}
