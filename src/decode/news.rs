//! Headlines and posts: `news.items.v1`, and the news feeds of venues.
//!
//! An item becomes one event for each instrument that it concerns, all with the same values: the pieces of
//! its headline. Items that are copies, in another language or about no known instrument are dropped, by
//! reason.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;

use super::ahead::is_ahead;
use super::decoded::Decoded;
use super::error::DecodeError;
use super::field::{Field, parse_fields};
use super::json::parse;
use super::news_item::{NewsItem, NewsMessage};
use crate::event::{Batch, Body, Record};
use crate::instrument::{Instruments, is_name};
use crate::news::News;
use crate::news::clean::clean;
use crate::news::fold::{SeenItems, words};
use crate::units::Nanos;

/// Reads items, and remembers their numbers, words and instruments.
#[derive(Debug)]
pub(crate) struct NewsReader {
    news: Arc<News>,
    /// The items seen so far.
    pub(crate) seen: SeenItems,
    pieces: Vec<u32>,
}

/// Instruments of one item at most; an item with more is a list, not news.
const INSTRUMENTS_MAX: usize = 32;

/// The fields of an item.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireItem<'a> {
    #[serde(borrow)]
    ts_event: Field<'a>,
    #[serde(borrow)]
    ts_recv: Field<'a>,
    #[serde(borrow)]
    id: Field<'a>,
    #[serde(borrow)]
    revision: Field<'a>,
    #[serde(borrow)]
    headline: Field<'a>,
    #[serde(borrow)]
    language: Field<'a>,
    #[serde(borrow)]
    instruments: Field<'a>,
}

const NAMES: [&str; 7] = [
    "ts_event",
    "ts_recv",
    "id",
    "revision",
    "headline",
    "language",
    "instruments",
];

impl NewsReader {
    /// A reader that has read nothing yet.
    pub(super) fn new(news: Arc<News>) -> Self {
        Self {
            news,
            seen: SeenItems::default(),
            pieces: vec![],
        }
    }

    /// Reads one record of the topic.
    pub(super) fn decode(
        &mut self,
        bytes: &[u8],
        instruments: &mut Instruments,
        batch: &mut Batch,
        max_ahead_ns: i64,
    ) -> Result<Decoded, DecodeError> {
        let wire: WireItem<'_> = parse_fields(bytes, &NAMES)?;
        let ts_event = wire.ts_event.time("ts_event")?;
        let of_record = wire.ts_recv.optional_time("ts_recv")?;
        refuse_ahead(ts_event, of_record, batch, max_ahead_ns)?;
        batch.received_first(of_record);
        let item = NewsItem {
            ts_event,
            id: wire.id.symbol("id")?.into(),
            instruments: listed_instruments(&wire.instruments)?,
            listed_in: "instruments",
            headline: wire.headline.text("headline")?.into(),
            language: wire.language.optional_text("language")?.map(Cow::from),
            revision: wire.revision.number_or_zero("revision")?,
        };
        self.take(&item, instruments, batch)
    }

    /// Reads one message of a feed.
    pub(super) fn decode_feed(
        &mut self,
        message: NewsMessage<'_>,
        instruments: &mut Instruments,
        batch: &mut Batch,
        max_ahead_ns: i64,
    ) -> Result<Decoded, DecodeError> {
        match message {
            NewsMessage::Notice(notice) => Ok(Decoded::Notice(notice)),
            NewsMessage::Item(item) => {
                refuse_ahead(item.ts_event, None, batch, max_ahead_ns)?;
                self.take(&item, instruments, batch)
            }
        }
    }

    /// Routes an item, and appends an event for each instrument for which it is news.
    fn take(
        &mut self,
        item: &NewsItem<'_>,
        instruments: &mut Instruments,
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        let (id, ts_event) = (&*item.id, item.ts_event);
        let text = clean(&item.headline);
        if !text.chars().any(char::is_alphanumeric) {
            return Err(DecodeError::OutOfRange("headline"));
        }
        if !self.is_in_language(item.language.as_deref(), &text) {
            return Err(DecodeError::OtherLanguage);
        }
        let news = Arc::clone(&self.news);
        let symbols = match instruments_of(&news, item, &text) {
            // A revision about no instrument withdraws the item from those it was about.
            Err(DecodeError::NoInstrument) if self.seen.knows(id) => vec![],
            symbols => symbols?,
        };
        let seen = self.seen.revise(id, item.revision, &(&*text, &symbols));
        let seen = seen.ok_or(DecodeError::OldRevision)?;
        let partition = batch.origins.last().map_or(-1, |origin| origin.partition);
        self.seen.came_from(id, partition);
        let item = seen.number;
        let record = self.values(&text, item, seen.former.is_some(), batch);
        let words = words(&text);
        let mut reason = if symbols.is_empty() {
            DecodeError::NoInstrument
        } else {
            DecodeError::NearDuplicate
        };
        let mut of = vec![];
        for symbol in symbols {
            let instrument = match instruments.intern(symbol, "") {
                Ok(instrument) => instrument,
                Err(refused) => {
                    reason = refused.into();
                    continue;
                }
            };
            let ts = ts_event.0;
            if self.seen.is_new(news.rule, instrument, item, ts, &words) {
                batch.push(instrument, ts_event, Body::Record(record));
                of.push(instrument);
            }
        }
        let mut withdrawn = seen.former.unwrap_or_default();
        withdrawn.retain(|instrument| !of.contains(instrument));
        for &instrument in &withdrawn {
            batch.push(instrument, ts_event, Body::Withdrawn(item));
        }
        self.seen.assign(id, &of, &withdrawn);
        if of.is_empty() && withdrawn.is_empty() {
            return Err(reason);
        }
        Ok(Decoded::Events)
    }

    /// The word pieces of a headline, filled up with zeros.
    fn values(&mut self, text: &str, item: u64, revised: bool, batch: &mut Batch) -> Record {
        let most = self.news.max_tokens;
        self.pieces.clear();
        let encoded = self.news.pieces.encode(text, most, &mut self.pieces);
        let start = batch.values.len();
        batch
            .values
            .extend(self.pieces.iter().map(|&id| f64::from(id)));
        batch.values.resize(start + most, 0.0);
        Record {
            start: start as u32,
            count: most as u32,
            period: None,
            unknown: encoded.unknown as u32,
            item: Some(item),
            revised,
            degraded: encoded.cut || 2 * encoded.unknown > encoded.pieces,
        }
    }

    /// Whether a headline is in the pipeline's language: as the item says, or else by its script.
    fn is_in_language(&self, language: Option<&str>, text: &str) -> bool {
        if let Some(language) = language {
            let primary = language.split(['-', '_']).next().unwrap_or_default();
            return primary.eq_ignore_ascii_case(&self.news.language);
        }
        let letters = text.chars().filter(|c| c.is_alphabetic());
        let (mut latin, mut other) = (0_usize, 0_usize);
        for letter in letters {
            if is_latin(letter) {
                latin += 1;
            } else {
                other += 1;
            }
        }
        latin >= other
    }
}

/// Refuses a time that is wrong before the item changes what is remembered of others.
fn refuse_ahead(
    ts_event: Nanos,
    of_record: Option<Nanos>,
    batch: &Batch,
    max_ahead_ns: i64,
) -> Result<(), DecodeError> {
    let origin = batch.origins.last();
    let of_frame = origin.map_or(Nanos::UNDEFINED, |origin| origin.ts_recv);
    let received = [of_frame, of_record.unwrap_or(of_frame)];
    match is_ahead(ts_event, received, max_ahead_ns) {
        true => Err(DecodeError::TimeAhead("ts_event")),
        false => Ok(()),
    }
}

/// The instruments that an item lists.
fn listed_instruments(field: &Field<'_>) -> Result<Vec<String>, DecodeError> {
    let Some(value) = field.value() else {
        return Ok(vec![]);
    };
    let listed: Vec<String> =
        parse(value.as_raw_str().as_bytes()).map_err(|_| DecodeError::WrongType("instruments"))?;
    match listed.iter().any(|symbol| !is_name(symbol)) {
        true => Err(DecodeError::OutOfRange("instruments")),
        false => Ok(listed),
    }
}

/// The instruments that an item is about, each once: those that it lists, or else those that its headline
/// names.
fn instruments_of<'a>(
    news: &'a News,
    item: &'a NewsItem<'_>,
    text: &str,
) -> Result<Vec<&'a str>, DecodeError> {
    let mut symbols: Vec<&str> = vec![];
    for symbol in &item.instruments {
        if !symbols.contains(&&**symbol) {
            symbols.push(symbol);
        }
    }
    if symbols.is_empty() {
        news.router.find(text, &mut symbols);
    }
    if symbols.is_empty() {
        symbols.extend(news.unrouted.as_deref());
    }
    match symbols.len() {
        0 => Err(DecodeError::NoInstrument),
        1..=INSTRUMENTS_MAX => Ok(symbols),
        _ => Err(DecodeError::OutOfRange(item.listed_in)),
    }
}

/// Letters of the Latin script, as Western languages use it.
fn is_latin(letter: char) -> bool {
    matches!(
        letter,
        '\0'..='\u{24f}'
            | '\u{1e00}'..='\u{1eff}'
            | '\u{fb00}'..='\u{fb06}'
            | '\u{ff21}'..='\u{ff5a}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Decoder;
    use crate::frame::Origin;
    use crate::news::fold::CopyRule;
    use crate::news::route::Router;
    use crate::news::wordpiece::WordPiece;

    const VOCABULARY: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nup\ndown\n";
    const NAMES: &str = "symbol,cashtag,names\nA.X,AAA,Alpha\nB.X,BBB,Beta Corp\n";

    fn decoder(listed: &[&str]) -> Decoder {
        let news = News {
            pieces: WordPiece::parse(VOCABULARY).unwrap(),
            max_tokens: 6,
            router: Router::parse(NAMES).unwrap(),
            language: "en".into(),
            unrouted: None,
            rule: CopyRule {
                within: 86_400_000_000_000,
                similarity: 0.6,
            },
            half_life: 1_000_000_000,
        };
        let listed: Vec<String> = listed.iter().map(|&name| name.to_owned()).collect();
        Decoder::new(Instruments::new(&listed, 16), 1 << 20).for_news(Arc::new(news))
    }

    fn read(
        decoder: &mut Decoder,
        line: &str,
    ) -> Result<Vec<(String, Record, Vec<f64>)>, DecodeError> {
        let mut batch = Batch::default();
        let origin = Origin::of_test();
        decoder.decode(origin, line.as_bytes(), &mut batch)?;
        let events = batch.events.iter().map(|event| {
            let Body::Record(record) = event.body else {
                panic!("{event:?}")
            };
            let name = decoder.instruments().name(event.instrument).to_owned();
            (name, record, batch.values(&record).to_vec())
        });
        Ok(events.collect())
    }

    #[test]
    fn an_item_is_an_event_for_each_instrument() {
        let mut decoder = decoder(&[]);
        let line =
            r#"{"ts_event":1700000000000000009,"id":"1","headline":"<b>Alpha</b> up, $BBB down"}"#;
        let read = read(&mut decoder, line).unwrap();
        let names: Vec<&str> = read.iter().map(|(name, _, _)| &**name).collect();
        assert_eq!(names, ["A.X", "B.X"]);
        // [CLS] alpha up , $ [SEP]: cut at six.
        assert_eq!(read[0].2, [2.0, 1.0, 4.0, 1.0, 1.0, 3.0]);
        assert_eq!(read[0].2, read[1].2);
        assert!(read[0].1.degraded, "cut");
        assert_eq!(read[0].1.item, Some(crate::news::fold::number("1")));
    }

    #[test]
    fn items_that_are_not_used_are_dropped_by_reason() {
        let mut decoder = decoder(&["A.X", "B.X"]);
        let mut reason_of = |line: &str| read(&mut decoder, line).err().map(DecodeError::reason);
        for (line, reason) in [
            (
                r#"{"ts_event":1700000000000000009,"id":"1","headline":"$AAA up"}"#,
                None,
            ),
            (
                r#"{"ts_event":1700000000000000009,"id":"1","headline":"$AAA up"}"#,
                Some("old_revision"),
            ),
            (
                r#"{"ts_event":1700000000000000009,"id":"1","revision":1,"headline":"$AAA down"}"#,
                None,
            ),
            (
                r#"{"ts_event":1700000000000000009,"id":"2","headline":"$aaa: down!"}"#,
                Some("near_duplicate"),
            ),
            (
                r#"{"ts_event":1700000000000000009,"id":"3","headline":"$CCC up"}"#,
                Some("no_instrument"),
            ),
            (
                r#"{"ts_event":1700000000000000009,"id":"4","headline":"up","instruments":["C.X"]}"#,
                Some("instrument_not_listed"),
            ),
            (
                r#"{"ts_event":1700000000000000009,"id":"5","headline":"$AAA hoch","language":"de-AT"}"#,
                Some("other_language"),
            ),
            (
                r#"{"ts_event":1700000000000000009,"id":"6","headline":"Альфа растёт $AAA"}"#,
                Some("other_language"),
            ),
            (
                r#"{"ts_event":1700000000000000009,"id":"7","headline":" <br> ! "}"#,
                Some("out_of_range"),
            ),
            (
                r#"{"ts_event":1700000000000000009,"id":"","headline":"$AAA"}"#,
                Some("out_of_range"),
            ),
            (
                r#"{"ts_event":-9,"id":"8","headline":"$AAA"}"#,
                Some("implausible_time"),
            ),
            (
                r#"{"ts_event":1700000000,"id":"8","headline":"$AAA"}"#,
                Some("time_in_seconds"),
            ),
            // A day and 6 ns after it was received.
            (
                r#"{"ts_event":1700086400000000006,"ts_recv":1700000000000000000,"id":"8","headline":"$AAA"}"#,
                Some("time_ahead"),
            ),
            (
                r#"{"ts_event":1700000000000000009,"id":"8","headline":"up","instruments":["A.X"," "]}"#,
                Some("out_of_range"),
            ),
            (
                r#"{"ts_event":1700000000000000009,"id":"9"}"#,
                Some("missing_field"),
            ),
            (
                r#"{"ts_event":1700000000000000009,"id":"10","headline":"#,
                Some("truncated"),
            ),
        ] {
            assert_eq!(reason_of(line), reason, "{line}");
        }
        let many: Vec<String> = (0..33).map(|at| format!("\"{at}\"")).collect();
        let many = many.join(",");
        let line = format!(
            r#"{{"ts_event":1700000000000000009,"id":"11","headline":"up","instruments":[{many}]}}"#
        );
        assert_eq!(reason_of(&line), Some("out_of_range"));
        let line = r#"{"ts_event":1700000000000000009,"id":"11","headline":"up up","instruments":["B.X","B.X"]}"#;
        assert_eq!(read(&mut decoder, line).map(|read| read.len()), Ok(1));
        let line = r#"{"ts_event":1700000000000000009,"id":"12","headline":"$BBB down down","instruments":null,"revision":null}"#;
        assert_eq!(read(&mut decoder, line).map(|read| read.len()), Ok(1));
    }

    #[test]
    fn a_text_that_nests_too_deep_is_not_parsed() {
        let mut decoder = decoder(&[]);
        let line = |id, x: &str| {
            let pad = "-".repeat(2_000);
            format!(
                r#"{{"ts_event":1700000000000000009,"id":"{id}","headline":"$AAA {id}","pad":"{pad}","x":{x}}}"#
            )
        };
        for open in ["[", "{\"a\":"] {
            let refused = read(&mut decoder, &line(1, &open.repeat(100_000))).unwrap_err();
            assert_eq!(refused.reason(), "malformed");
        }
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        let quoted = format!(r#""\"{}""#, "[".repeat(5_000));
        assert!(read(&mut decoder, &line(2, &quoted)).is_ok());
        assert!(read(&mut decoder, &line(3, &nested(100))).is_ok());
        assert!(read(&mut decoder, &line(4, &nested(200))).is_err());
    }
}
