//! Dead letters as Kafka records: the frame as payload, its reason and address as headers, cut to the size
//! that the topic takes.
//!
//! Sends nothing.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders, OwnedMessage};
use sha2::{Digest, Sha256};

use crate::hex::hex;
use crate::kafka::Properties;
use crate::sink::dead_letter::DeadLetter;
use crate::sink::status::RefusalReason;

/// How much of a payload a letter may hold. Each try that the broker finds too large is followed by the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LetterSize {
    /// As much as the producer sends.
    Whole,
    /// As much as any topic of use takes.
    Small,
    /// Nothing: the headers say what the record was.
    HeadersOnly,
}

/// A dead letter as it is sent.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) payload: Vec<u8>,
    pub(super) headers: OwnedHeaders,
    /// Whether it has lost some of its payload by this.
    pub(super) newly_cut: bool,
}

impl LetterSize {
    /// What is tried when this was too large.
    pub(super) fn smaller(self) -> Option<Self> {
        match self {
            Self::Whole => Some(Self::Small),
            Self::Small => Some(Self::HeadersOnly),
            Self::HeadersOnly => None,
        }
    }

    /// The bytes of payload beside these headers, where the producer sends records of `most` bytes.
    fn payload_max(self, most: usize, headers: &OwnedHeaders) -> usize {
        let header = |header: Header<'_, &[u8]>| {
            header.key.len() + header.value.map_or(0, <[u8]>::len) + HEADER_BYTES
        };
        let headers: usize = headers.iter().map(header).sum();
        let fits = most.saturating_sub(headers + RECORD_BYTES);
        match self {
            Self::Whole => fits,
            Self::Small => fits.min(SMALL_BYTES),
            Self::HeadersOnly => 0,
        }
    }
}

impl Letter {
    /// A frame that could not be decoded.
    pub(super) fn of(letter: &DeadLetter<'_>, size: LetterSize, most: usize) -> Self {
        let (partition, offset) = (letter.origin.partition, letter.origin.offset);
        let mut headers = OwnedHeaders::new_with_capacity(8)
            .insert(text("error", letter.reason))
            .insert(text("source_topic", letter.stream))
            .insert(text("source_partition", &partition.to_string()))
            .insert(text("source_offset", &offset.to_string()));
        if let Some(field) = letter.field {
            headers = headers.insert(text("field", field));
        }
        Self::cut(letter.bytes, headers, size, most)
    }

    /// A letter that was refused, smaller. Of one that was cut before, the headers stay.
    pub(super) fn again(refused: &OwnedMessage, size: LetterSize, most: usize) -> Self {
        let headers = refused.headers().cloned().unwrap_or_default();
        Self::cut(refused.payload().unwrap_or_default(), headers, size, most)
    }

    fn cut(payload: &[u8], headers: OwnedHeaders, size: LetterSize, most: usize) -> Self {
        let was_cut = headers.iter().any(|header| header.key == CUT);
        if payload.len() <= size.payload_max(most, &headers) {
            return Self {
                payload: payload.to_vec(),
                headers,
                newly_cut: false,
            };
        }
        let headers = match was_cut {
            true => headers,
            false => headers
                .insert(text(CUT, "true"))
                .insert(text("payload_bytes", &payload.len().to_string()))
                .insert(text("payload_sha256", &hex(&Sha256::digest(payload)))),
        };
        let fits = size.payload_max(most, &headers).min(payload.len());
        Self {
            payload: payload[..fits].to_vec(),
            headers,
            newly_cut: !was_cut,
        }
    }
}

/// Why a topic does not take a record, where that is the record's or the topic's fault; none where the
/// delivery failed otherwise, as by a broker that is away.
pub(super) fn refusal_reason(error: &KafkaError) -> Option<RefusalReason> {
    match error.rdkafka_error_code()? {
        RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::MessageBatchTooLarge => {
            Some(RefusalReason::TooLarge)
        }
        RDKafkaErrorCode::UnknownTopic
        | RDKafkaErrorCode::UnknownTopicOrPartition
        | RDKafkaErrorCode::UnknownPartition
        | RDKafkaErrorCode::InvalidTopic => Some(RefusalReason::NoTopic),
        RDKafkaErrorCode::TopicAuthorizationFailed => Some(RefusalReason::NotAuthorised),
        RDKafkaErrorCode::InvalidRecord | RDKafkaErrorCode::PolicyViolation => {
            Some(RefusalReason::Invalid)
        }
        _ => None,
    }
}

/// Headers as the client takes them.
pub(super) fn kafka_headers(headers: &[(&str, &[u8])]) -> OwnedHeaders {
    headers.iter().fold(
        OwnedHeaders::new_with_capacity(headers.len()),
        |all, (key, value)| {
            all.insert(Header {
                key,
                value: Some(*value),
            })
        },
    )
}

/// The largest record that a producer with these properties sends.
pub(super) fn record_bytes_max(properties: &Properties) -> usize {
    let set = properties.get("message.max.bytes");
    set.and_then(|bytes| bytes.parse().ok())
        .unwrap_or(DEFAULT_RECORD_BYTES)
}

fn text<'a>(key: &'a str, value: &'a str) -> Header<'a, &'a [u8]> {
    Header {
        key,
        value: Some(value.as_bytes()),
    }
}

/// The header of a letter that does not hold its whole payload.
const CUT: &str = "payload_cut";
/// What librdkafka sends at most by default: less than a topic takes by default.
const DEFAULT_RECORD_BYTES: usize = 1_000_000;
/// Room for the lengths of a header, and for what a record and its batch have besides.
const HEADER_BYTES: usize = 10;
const RECORD_BYTES: usize = 256;
/// The payload of a letter that was too large for its topic.
const SMALL_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use rdkafka::Timestamp;

    use super::*;
    use crate::frame::Origin;

    fn letter(bytes: &[u8], size: LetterSize, most: usize) -> Letter {
        let of = DeadLetter {
            reason: "truncated",
            field: None,
            origin: Origin::of_test(),
            stream: "trades",
            bytes,
        };
        Letter::of(&of, size, most)
    }

    fn header(letter: &Letter, key: &str) -> Option<String> {
        let found = letter.headers.iter().find(|header| header.key == key)?;
        Some(String::from_utf8(found.value?.to_vec()).unwrap())
    }

    #[test]
    fn a_letter_that_fits_is_whole() {
        let whole = letter(&[b'x'; 5_000], LetterSize::Whole, 10_000);
        assert_eq!((whole.payload.len(), whole.newly_cut), (5_000, false));
        assert_eq!(header(&whole, CUT), None);
    }

    #[test]
    fn a_letter_is_cut_to_what_the_producer_sends_and_says_what_it_was() {
        let payload = vec![b'x'; 3_000_000];
        let cut = letter(&payload, LetterSize::Whole, 1_000_000);
        assert!(cut.newly_cut && cut.payload.len() > 999_000 && cut.payload.len() < 999_999);
        assert_eq!(header(&cut, CUT).as_deref(), Some("true"));
        assert_eq!(header(&cut, "payload_bytes").as_deref(), Some("3000000"));
        let sum = hex(&Sha256::digest(&payload));
        assert_eq!(header(&cut, "payload_sha256"), Some(sum.clone()));
        // Cut once more, it still tells of the whole.
        let refused = OwnedMessage::new(
            Some(cut.payload),
            None,
            "trades.dlq.v1".into(),
            Timestamp::NotAvailable,
            0,
            0,
            Some(cut.headers),
        );
        for (size, bytes) in [
            (LetterSize::Small, SMALL_BYTES),
            (LetterSize::HeadersOnly, 0),
        ] {
            let smaller = Letter::again(&refused, size, 1_000_000);
            assert_eq!((smaller.payload.len(), smaller.newly_cut), (bytes, false));
            let told = header(&smaller, "payload_bytes");
            assert_eq!(told.as_deref(), Some("3000000"));
            assert_eq!(header(&smaller, "payload_sha256"), Some(sum.clone()));
            assert_eq!(smaller.headers.count(), 7, "each header once");
        }
    }
}
