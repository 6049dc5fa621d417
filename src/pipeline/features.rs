//! The `[[feature]]` tables, compiled.

use crate::config::{ConfigFault, PipelineFile, RowOn};
use crate::engine::feature::{FeaturePlan, FeatureSpec};

/// The plan of the features; `vocabulary` is the SHA-256 of the word pieces, empty where there are none.
///
/// # Errors
/// The table at fault.
pub(super) fn plan(file: &PipelineFile, vocabulary: &str) -> Result<FeaturePlan, ConfigFault> {
    let compile = |features: &[FeatureSpec]| FeaturePlan::compile_with(features, vocabulary);
    let plan = compile(&file.features).map_err(|error| {
        let of_that_name = |at: &usize| {
            file.features
                .get(*at)
                .is_some_and(|spec| spec.name == error.feature)
        };
        // Of several tables with that name the first that does not compile after those before it.
        let at = (0..file.features.len())
            .filter(of_that_name)
            .reduce(|first, next| match compile(&file.features[..=first]) {
                Err(_) => first,
                Ok(_) => next,
            });
        let key = at.map_or("feature".into(), |at| format!("feature[{at}]"));
        ConfigFault::at(key, error.to_string())
    })?;
    if plan.is_empty() {
        let what = "no feature is a column; take `hidden` from one";
        return Err(ConfigFault::at("feature", what));
    }
    if !plan.figures().is_empty() && file.engine.shards != 1 {
        return Err(ConfigFault::at("engine.shards", FIGURES_NEED_ONE_SHARD));
    }
    if (file.row.on == RowOn::News) != plan.tokens().is_some() {
        return Err(ConfigFault::at("row.on", HEADLINES_ARE_TOKENS));
    }
    Ok(plan)
}

const FIGURES_NEED_ONE_SHARD: &str =
    "`shards` must be 1: a figure concerns all instruments, and comes in one partition";
const HEADLINES_ARE_TOKENS: &str = "`on = \"news\"` and a feature `kind = \"tokens\"` go together";

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(features: &str) -> String {
        let text =
            format!("name = \"x\"\n[row]\non = \"trade\"\n[model]\nkind = \"sum\"\n{features}");
        plan(&toml::from_str(&text).unwrap(), "").unwrap_err().key
    }

    #[test]
    fn the_table_at_fault_is_named_though_another_has_its_name() {
        let price = "[[feature]]\nname = \"a\"\nkind = \"price\"\n";
        let wrong = "[[feature]]\nname = \"a\"\nkind = \"mean\"\nof = \"nothing\"\nwindow = 3\n";
        assert_eq!(fault(&format!("{price}{price}")), "feature[1]");
        assert_eq!(fault(&format!("{wrong}{price}")), "feature[0]");
    }
}
