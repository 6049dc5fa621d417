//! Changes of the configuration on the command line, for one pipeline of several or for all.

use super::load_errors::LoadErrors;

/// The settings for the pipeline of this name: `NAME:KEY=VALUE` where the name is its own, and `KEY=VALUE`.
#[must_use]
pub fn overrides_of(name: &str, set: &[String]) -> Vec<String> {
    let own = |one: &String| match addressed(one) {
        Some((to, rest)) => (to == name).then(|| rest.to_owned()),
        None => Some(one.clone()),
    };
    set.iter().filter_map(own).collect()
}

/// The name and the rest of `NAME:KEY=VALUE`.
fn addressed(one: &str) -> Option<(&str, &str)> {
    let (name, rest) = one.split_once(':')?;
    (!name.contains(['=', '"', '\''])).then_some((name, rest))
}

/// Refuses settings for a pipeline that is not there.
///
/// # Errors
/// [`LoadErrors`] with the first, and those that there are.
pub fn check_override_names(set: &[String], known: &[&str]) -> Result<(), LoadErrors> {
    let lost = |one: &&String| addressed(one).is_some_and(|(name, _)| !known.contains(&name));
    let mut errors = LoadErrors::default();
    if let Some(one) = set.iter().find(lost) {
        let known = known.join(", ");
        // Without the value, which may be a secret.
        let key = one.split_once('=').map_or("", |(key, _)| key);
        errors.push(format!(
            "--set {key}: there is no such pipeline here; there is {known}"
        ));
    }
    errors.into_result(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_applies_to_the_pipeline_that_it_names() {
        let set = ["a:x=1", "y=b:2", "b:x=2"].map(str::to_owned);
        assert_eq!(overrides_of("a", &set), ["x=1", "y=b:2"]);
        assert_eq!(overrides_of("b", &set), ["y=b:2", "x=2"]);
        assert!(check_override_names(&set, &["a", "b"]).is_ok());
        let refused = check_override_names(&set, &["a"]).unwrap_err().to_string();
        assert!(refused.starts_with("--set b:x:") && refused.ends_with("there is a"));
    }
}
