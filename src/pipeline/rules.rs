//! When rows are made, when their inputs count as old, and what becomes of late events.

use crate::config::{ConfigFault, PipelineFile, RowLate, RowOn, WindowSetting};
use crate::engine::feature::FeaturePlan;
use crate::engine::row::{LatePolicy, RowRules, RowTrigger};

/// The rules of `[row]` and `[source]`.
pub(super) fn rules(file: &PipelineFile, plan: &FeaturePlan) -> Result<RowRules, ConfigFault> {
    let row = &file.row;
    let lateness = file.source.lateness_ms.unwrap_or(0);
    Ok(RowRules {
        on: match row.on {
            RowOn::Trade => RowTrigger::Trade,
            RowOn::Quote => RowTrigger::Quote,
            RowOn::Book => RowTrigger::Book,
            RowOn::Bar => RowTrigger::Bar,
            RowOn::Application | RowOn::Statement | RowOn::News => RowTrigger::Record,
        },
        stale_after: row.stale_after_ms.saturating_mul(1_000_000),
        max_gap: row.max_gap_ms().saturating_mul(1_000_000),
        lateness: i64::try_from(lateness.saturating_mul(1_000_000)).unwrap_or(i64::MAX),
        late: late(file, plan)?,
    })
}

fn late(file: &PipelineFile, plan: &FeaturePlan) -> Result<LatePolicy, ConfigFault> {
    let refuse = |what: &str| Err(ConfigFault::at("row.late", what));
    if file.row.late != RowLate::Correct && file.row.correct_ms.is_some() {
        let what = "`correct_ms` is for `late = \"correct\"`; take it out";
        return Err(ConfigFault::at("row.correct_ms", what));
    }
    match file.row.late {
        RowLate::Update => Ok(LatePolicy::Update),
        RowLate::Drop if file.source.lateness_ms.is_none() => refuse(
            "`drop` needs `source.lateness_ms`: streams of one venue overtake each other, and without it each \
             event that was overtaken would be dropped",
        ),
        RowLate::Drop => match file.row.on {
            RowOn::Trade | RowOn::Quote | RowOn::Book | RowOn::Bar => Ok(LatePolicy::Drop),
            RowOn::Application | RowOn::Statement | RowOn::News => {
                refuse("`drop` is for market data; leave `late` out")
            }
        },
        RowLate::Correct => Ok(LatePolicy::Correct {
            within: correct_within(file, plan)?,
        }),
    }
}

/// How late an event may be to be put in its place, in nanoseconds.
fn correct_within(file: &PipelineFile, plan: &FeaturePlan) -> Result<i64, ConfigFault> {
    let refuse = |key: &str, what: &str| Err(ConfigFault::at(key, what));
    let row = &file.row;
    if matches!(row.on, RowOn::Application | RowOn::Statement | RowOn::News) {
        let what =
            "`correct` is for market data: a record is revised by a record; leave `late` out";
        return refuse("row.late", what);
    }
    let Some(lateness) = file.source.lateness_ms else {
        let what = "`correct` needs `source.lateness_ms`: streams of one venue overtake each other, and without it \
                    each event that was overtaken would be put in its place";
        return refuse("row.late", what);
    };
    let Some(within) = row.correct_ms else {
        let what =
            "`correct` needs `row.correct_ms`: for how long events are kept to be worked on again";
        return refuse("row.late", what);
    };
    if within <= lateness {
        let what = "`correct_ms` must be above `source.lateness_ms`: events within the lateness are not late";
        return refuse("row.correct_ms", what);
    }
    let fields = &file.sink.fields;
    let lacks = |name: &&&str| !fields.iter().any(|field| field == **name);
    if let Some(lacking) = ["signal_id", "revision"]
        .iter()
        .find(lacks)
        .filter(|_| !fields.is_empty())
    {
        let what = format!(
            "`late = \"correct\"` needs the field `{lacking}`: without it a correction looks like a copy"
        );
        return refuse("sink.fields", &what);
    }
    if row.every > 1 {
        let what = "`every` must be 1 with `late = \"correct\"`: a row more would move all signals behind it";
        return refuse("row.every", what);
    }
    if !plan.figures().is_empty() || plan.uses_sentiment() {
        let what = "`correct` is not possible beside features of figures or sentiment: they are used from when they \
                    came, and are not kept to be worked on again; write `update`";
        return refuse("row.late", what);
    }
    if file.model.window == WindowSetting::Carried {
        let what = "`window = \"carried\"` is not possible with `row.late = \"correct\"`: its state is of all rows \
                    so far, and cannot go back; write `auto`";
        return refuse("model.window", what);
    }
    Ok(i64::try_from(within.saturating_mul(1_000_000)).unwrap_or(i64::MAX))
}
