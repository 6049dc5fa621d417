//! Tokens that replace the identifiers of persons: a keyed hash, with the name of the key before it.
//!
//! HMAC-SHA256 (RFC 2104, FIPS 198-1), truncated to 128 bits. A person has the same token as long as the
//! key is the same; without the key a token cannot be checked against a list of names. Knows no record and
//! no topic.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::hex::hex;

/// Makes tokens with one key.
#[derive(Clone)]
pub struct Pseudonym {
    mac: Hmac<Sha256>,
    key_id: String,
}

impl Pseudonym {
    /// Makes tokens `key_id:…` with this key.
    ///
    /// # Errors
    /// What is wrong with the key or its name.
    pub fn new(key: &[u8], key_id: String) -> Result<Self, String> {
        if key.len() < KEY_BYTES_MIN {
            return Err(format!(
                "the key has {} bytes; at least {KEY_BYTES_MIN} are needed (`openssl rand -hex 32`)",
                key.len()
            ));
        }
        if key_id.is_empty()
            || !key_id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            return Err(
                "`key_id` must be letters, digits and dashes: it stands in every token".into(),
            );
        }
        let mac = Hmac::new_from_slice(key).map_err(|error| error.to_string())?;
        Ok(Self { mac, key_id })
    }

    /// The token of an identifier: `key_id:` and 32 hexadecimal digits.
    #[must_use]
    pub fn token(&self, identifier: &str) -> String {
        let mut mac = self.mac.clone();
        mac.update(identifier.as_bytes());
        let hash = mac.finalize().into_bytes();
        format!("{}:{}", self.key_id, hex(&hash[..TOKEN_BYTES]))
    }
}

impl std::fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the key.
        f.debug_struct("Pseudonym")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The length of a token's hash: a shorter key would be easier to guess than the hash.
const KEY_BYTES_MIN: usize = 16;
const TOKEN_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_published_hmac() {
        // RFC 4231, test case 6: a key of 131 bytes 0xaa.
        let pseudonym = Pseudonym::new(&[0xaa; 131], "k".into()).unwrap();
        let text = "Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(pseudonym.token(text), "k:60e431591ee0b67f0d8a26aacbf5b77f");
    }

    #[test]
    fn weak_keys_and_odd_names_are_refused() {
        assert!(
            Pseudonym::new(b"short", "k".into())
                .unwrap_err()
                .contains("16")
        );
        assert!(Pseudonym::new(&[1; 32], "a b".into()).is_err());
        let shown = format!(
            "{:?}",
            Pseudonym::new(b"0123456789abcdef", "k".into()).unwrap()
        );
        assert!(!shown.contains("0123456789"), "{shown}");
    }
}
