//! Sweeps: several values of keys of `[backtest]`, tried in all combinations.

use super::options::BacktestOptions;
use crate::backtest::Terms;
use crate::config::ConfigError;
use crate::pipeline::Pipeline;

/// One choice of values.
#[derive(Clone, Debug)]
pub(super) struct Combination {
    /// Each key with its value, as they were written.
    pub(super) set: Vec<(String, String)>,
    pub(super) terms: Terms,
}

/// Why a sweep cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// It is not written as a sweep.
    #[error("while reading --sweep {given}: {what}")]
    Form {
        /// What was written.
        given: String,
        /// What is wrong and what to write.
        what: String,
    },
    /// One of its values makes no sense. Not transparent: the chain of causes must contain the
    /// [`ConfigError`].
    #[error("with --sweep {set}: {error}")]
    Value {
        /// The combination.
        set: String,
        /// What is wrong with it.
        #[source]
        error: ConfigError,
    },
}

/// More combinations take more memory than they tell.
const COMBINATIONS_MAX: usize = 10_000;

/// All combinations of the values, the last key changing first; none without a sweep.
///
/// # Errors
/// [`SweepError`].
pub(super) fn combinations(
    pipeline: &Pipeline,
    options: &BacktestOptions,
) -> Result<Vec<Combination>, SweepError> {
    let mut axes: Vec<(&str, Vec<&str>)> = vec![];
    for given in &options.sweep {
        let (key, values) = axis(given).map_err(|what| refuse(given, what))?;
        if axes.iter().any(|(known, _)| *known == key) {
            return Err(refuse(
                given,
                "the key is swept twice; write all its values once",
            ));
        }
        axes.push((key, values));
    }
    let counts = axes.iter().map(|(_, values)| values.len());
    let count = counts.fold(1_usize, usize::saturating_mul);
    if count > COMBINATIONS_MAX {
        let what =
            format!("{count} combinations are more than {COMBINATIONS_MAX}; leave values out");
        return Err(refuse(&options.sweep.join(" --sweep "), what));
    }
    let mut chosen: Vec<Vec<(String, String)>> = vec![vec![]];
    for (key, values) in &axes {
        let more = chosen.iter().flat_map(|set| {
            values.iter().map(|value| {
                let next = ((*key).to_owned(), (*value).to_owned());
                set.iter().cloned().chain([next]).collect()
            })
        });
        chosen = more.collect();
    }
    let chosen = chosen.into_iter().filter(|set| !set.is_empty());
    chosen
        .map(|set| combination(pipeline, options, set))
        .collect()
}

/// The key and the values of a sweep.
fn axis(given: &str) -> Result<(&str, Vec<&str>), &'static str> {
    let form = "write a key of [backtest] and its values, such as backtest.enter=0.1,0.15,0.2";
    let (key, values) = given.split_once('=').ok_or(form)?;
    if !key.starts_with("backtest.") {
        return Err(
            "only keys of [backtest] can be swept: all values are tried on the same signals, which other \
                    keys would change",
        );
    }
    if matches!(key, "backtest.step_ms" | "backtest.fill_on") {
        return Err(
            "this key is the same for all that is tried in one run; run once for each value with --set",
        );
    }
    let values: Vec<&str> = values.split(',').map(str::trim).collect();
    match values.iter().any(|value| value.is_empty()) {
        true => Err(form),
        false => Ok((key, values)),
    }
}

fn combination(
    pipeline: &Pipeline,
    options: &BacktestOptions,
    set: Vec<(String, String)>,
) -> Result<Combination, SweepError> {
    let written: Vec<String> = set
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let overrides: Vec<String> = options.set.iter().chain(&written).cloned().collect();
    let settings =
        Pipeline::load(pipeline.path(), &overrides).and_then(|changed| changed.backtest());
    match settings {
        Ok(settings) => Ok(Combination {
            set,
            terms: settings.terms,
        }),
        Err(error) => Err(SweepError::Value {
            set: written.join(" --sweep "),
            error,
        }),
    }
}

fn refuse(given: &str, what: impl Into<String>) -> SweepError {
    SweepError::Form {
        given: given.to_owned(),
        what: what.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_leave_the_signals_alone_are_swept() {
        let values = vec!["0.1", "0.2"];
        assert_eq!(
            axis("backtest.enter=0.1, 0.2"),
            Ok(("backtest.enter", values))
        );
        for (given, word) in [
            ("backtest.enter", "write a key"),
            ("backtest.enter=0.1,", "write a key"),
            ("row.every=1,2", "only keys of [backtest]"),
            ("backtest.fill_on=book,quotes", "once for each value"),
        ] {
            assert!(axis(given).unwrap_err().contains(word), "{given}");
        }
    }
}
