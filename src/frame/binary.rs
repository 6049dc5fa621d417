//! Binary frames: what tells them from text, and how a capture holds them, whose lines are text. So it holds
//! frames, too, that some shards took and others lost.
//!
//! `decode::control` reads the form of a capture.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::BYTE_ORDER_MARK;

/// Whether a frame is binary: it begins with a byte with which no JSON, no receive time and no other text in
/// ASCII begins. Sources drop binary messages that begin otherwise, so that none is read as text.
#[must_use]
pub fn is_binary(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| !first.is_ascii()) && !frame.starts_with(BYTE_ORDER_MARK)
}

/// A binary frame as a capture holds it: `{"foretick":"frame","base64":"…"}`.
#[must_use]
pub fn wrapped(frame: &[u8]) -> String {
    let mut text = String::with_capacity(wrapped_length(frame.len()));
    text.push_str(HEAD);
    STANDARD.encode_string(frame, &mut text);
    text.push_str(TAIL);
    text
}

/// A frame that the shards `of` took, and others of `shards` lost, as a capture holds it:
/// `{"foretick":"frame","shards":3,"of":[0,2],"base64":"…"}`.
#[must_use]
pub fn wrapped_for(frame: &[u8], shards: usize, of: &[usize]) -> String {
    let wrapped = wrapped(frame);
    let rest = &wrapped[KIND.len()..];
    format!(r#"{KIND},"shards":{shards},"of":{of:?}{rest}"#)
}

/// Bytes of the form of a binary frame of so many bytes.
#[must_use]
pub fn wrapped_length(bytes: usize) -> usize {
    HEAD.len() + bytes.div_ceil(3) * 4 + TAIL.len()
}

const KIND: &str = r#"{"foretick":"frame""#;
const HEAD: &str = r#"{"foretick":"frame","base64":""#;
const TAIL: &str = "\"}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_frame_is_told_by_its_first_byte() {
        for binary in [
            &b"\x91\x81\xa1T\xa1t"[..],
            b"\xdc\x00\x01",
            b"\xff",
            b"\xef\xbb",
        ] {
            assert!(is_binary(binary), "{binary:?}");
        }
        for text in [
            &b""[..],
            b"{}",
            b"[1]",
            b"17 {}",
            b" {",
            b"\xef\xbb\xbf{}",
            b"\x08\x91",
        ] {
            assert!(!is_binary(text), "{text:?}");
        }
    }

    #[test]
    fn the_form_of_a_capture_has_the_length_that_is_told() {
        // The encodings of RFC 4648, section 10.
        for (bytes, base64) in [
            (&b"f"[..], "Zg=="),
            (b"fo", "Zm8="),
            (b"foobar", "Zm9vYmFy"),
        ] {
            let text = wrapped(bytes);
            assert_eq!(
                text,
                format!(r#"{{"foretick":"frame","base64":"{base64}"}}"#)
            );
            assert_eq!(text.len(), wrapped_length(bytes.len()));
        }
    }
}
