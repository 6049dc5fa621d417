//! `source.websocket.key` and `secret`: references to the account's credentials, checked and read.
//!
//! No error shows what they refer to, or a secret that stands where a reference should.

use crate::config::{ConfigFault, WebsocketConfig};
use crate::decode::venue::Credentials;
use crate::secret;

/// Refuses a key without a secret, a secret without a key, and either of them where it is no reference.
/// Reads neither: commands that open no connection do without.
///
/// # Errors
/// The key of the configuration that is wrong.
pub(super) fn check(config: &WebsocketConfig) -> Result<(), ConfigFault> {
    for (key, value) in [(KEY, &config.key), (SECRET, &config.secret)] {
        let is_reference = |text: &String| text.starts_with("env:") || text.starts_with("file:");
        if value.as_ref().is_some_and(|value| !is_reference(value)) {
            let what = "a credential must not stand here; write `env:NAME` or `file:PATH`";
            return Err(ConfigFault::at(key, what));
        }
    }
    match (&config.key, &config.secret) {
        (Some(_), None) => Err(ConfigFault::at(KEY, "`key` needs `secret`")),
        (None, Some(_)) => Err(ConfigFault::at(SECRET, "`secret` needs `key`")),
        _ => Ok(()),
    }
}

/// The credentials, read from where they are; none where none are configured.
///
/// # Errors
/// The key of the configuration that is wrong, or whose variable or file cannot be read.
pub(super) fn credentials(config: &WebsocketConfig) -> Result<Option<Credentials>, ConfigFault> {
    check(config)?;
    let (Some(key), Some(secret)) = (&config.key, &config.secret) else {
        return Ok(None);
    };
    Ok(Some(Credentials {
        key: read(KEY, key)?,
        secret: read(SECRET, secret)?,
    }))
}

fn read(key: &str, reference: &str) -> Result<String, ConfigFault> {
    let fault = |why: &str| ConfigFault::at(key, format!("while reading `{reference}`: {why}"));
    match secret::resolve(reference) {
        Some(Ok(text)) if text.is_empty() => Err(fault("it is empty")),
        Some(Ok(text)) => Ok(text),
        Some(Err(why)) => Err(fault(&why)),
        None => Err(ConfigFault::at(key, "write `env:NAME` or `file:PATH`")),
    }
}

const KEY: &str = "source.websocket.key";
const SECRET: &str = "source.websocket.secret";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch::Scratch;

    const CANARY: &str = "canary-7f3a";

    fn config(key: Option<&str>, secret: Option<&str>) -> WebsocketConfig {
        WebsocketConfig {
            key: key.map(str::to_owned),
            secret: secret.map(str::to_owned),
            ..WebsocketConfig::default()
        }
    }

    #[test]
    fn a_credential_that_stands_in_the_configuration_is_refused_and_not_repeated() {
        for (config, at) in [
            (config(Some(CANARY), Some("env:PATH")), KEY),
            (config(Some("env:PATH"), Some(CANARY)), SECRET),
            (config(None, Some(CANARY)), SECRET),
        ] {
            let fault = check(&config).unwrap_err();
            assert_eq!(fault.key, at);
            assert!(!fault.what.contains(CANARY), "{}", fault.what);
        }
        assert!(check(&config(None, None)).is_ok());
        assert!(check(&config(Some("env:NOT_SET_HERE"), Some("file:none"))).is_ok());
        for (config, at) in [
            (config(Some("env:PATH"), None), KEY),
            (config(None, Some("env:PATH")), SECRET),
        ] {
            assert_eq!(check(&config).unwrap_err().key, at);
        }
    }

    #[test]
    fn references_are_read_and_what_they_refer_to_is_not_shown() {
        let scratch = Scratch::new();
        let file = scratch.write("secret", format!("{CANARY}\n"));
        let reference = format!("file:{}", file.display());
        let read = credentials(&config(Some("env:PATH"), Some(&reference))).unwrap();
        let read = read.expect("both are given");
        assert_eq!(read.key, std::env::var("PATH").unwrap());
        assert_eq!(read.secret, CANARY);
        assert!(!format!("{read:?}").contains(CANARY));
        let empty = format!("file:{}", scratch.write("empty", "\n").display());
        let fault = credentials(&config(Some(&empty), Some(&reference))).unwrap_err();
        assert_eq!(fault.key, KEY);
        std::fs::remove_file(&file).unwrap();
        let fault = credentials(&config(Some("env:PATH"), Some(&reference))).unwrap_err();
        assert!(
            fault.key == SECRET && fault.what.contains(&reference),
            "{}",
            fault.what
        );
    }
}
