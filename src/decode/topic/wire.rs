//! The fields of all kinds of topic record, as they come.

use serde::Deserialize;

use crate::decode::field::Field;

/// The fields of all kinds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TopicRecord<'a> {
    #[serde(borrow)]
    pub(super) ts_event: Field<'a>,
    #[serde(borrow)]
    pub(super) ts_recv: Field<'a>,
    #[serde(borrow, alias = "instrument")]
    pub(super) symbol: Field<'a>,
    #[serde(borrow)]
    pub(super) price: Field<'a>,
    #[serde(borrow)]
    pub(super) size: Field<'a>,
    #[serde(borrow)]
    pub(super) side: Field<'a>,
    #[serde(borrow)]
    pub(super) trade_id: Field<'a>,
    #[serde(borrow)]
    pub(super) bid_px: Field<'a>,
    #[serde(borrow)]
    pub(super) bid_sz: Field<'a>,
    #[serde(borrow)]
    pub(super) ask_px: Field<'a>,
    #[serde(borrow)]
    pub(super) ask_sz: Field<'a>,
    #[serde(borrow)]
    pub(super) sequence: Field<'a>,
    #[serde(borrow)]
    pub(super) first_sequence: Field<'a>,
    #[serde(borrow)]
    pub(super) snapshot: Field<'a>,
    #[serde(borrow)]
    pub(super) bids: Field<'a>,
    #[serde(borrow)]
    pub(super) asks: Field<'a>,
    #[serde(borrow)]
    pub(super) open: Field<'a>,
    #[serde(borrow)]
    pub(super) high: Field<'a>,
    #[serde(borrow)]
    pub(super) low: Field<'a>,
    #[serde(borrow)]
    pub(super) close: Field<'a>,
    #[serde(borrow)]
    pub(super) volume: Field<'a>,
    #[serde(borrow)]
    pub(super) figure: Field<'a>,
    #[serde(borrow)]
    pub(super) value: Field<'a>,
    #[serde(borrow)]
    pub(super) sentiment: Field<'a>,
}

/// The names of these fields, those that tell the kind first.
pub(super) const NAMES: [&str; 25] = [
    "price",
    "size",
    "side",
    "bid_px",
    "bid_sz",
    "ask_px",
    "ask_sz",
    "bids",
    "asks",
    "open",
    "high",
    "low",
    "close",
    "figure",
    "sentiment",
    "ts_event",
    "symbol",
    "instrument",
    "ts_recv",
    "trade_id",
    "sequence",
    "first_sequence",
    "snapshot",
    "volume",
    "value",
];

/// The decayed average in a signal of sentiment.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TopicAverage<'a> {
    #[serde(borrow)]
    pub(super) average: Field<'a>,
    #[serde(borrow)]
    pub(super) weight: Field<'a>,
    #[serde(borrow)]
    pub(super) half_life_ms: Field<'a>,
}

/// The names of its fields.
pub(super) const AVERAGE_NAMES: [&str; 3] = ["average", "weight", "half_life_ms"];

/// The kinds of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Figure,
    Sentiment,
    Bar,
    Trade,
    Book,
    Quote,
}

impl TopicRecord<'_> {
    /// The kind that its fields show: the one whose fields have the most values, then the one of which most
    /// fields are there. None where the record has no field of any kind.
    pub(super) fn kind(&self) -> Option<Kind> {
        // Sound records are told by a look at a few fields.
        if self.price.has_value() && self.size.has_value() && self.side.has_value() {
            return Some(Kind::Trade);
        }
        let kinds: [(Kind, &[&Field<'_>]); 6] = [
            (
                Kind::Quote,
                &[&self.bid_px, &self.bid_sz, &self.ask_px, &self.ask_sz],
            ),
            (Kind::Book, &[&self.bids, &self.asks]),
            (Kind::Trade, &[&self.price, &self.size, &self.side]),
            (Kind::Bar, &[&self.close, &self.open, &self.high, &self.low]),
            (Kind::Sentiment, &[&self.sentiment]),
            (Kind::Figure, &[&self.figure]),
        ];
        let whole = |fields: &[&Field<'_>]| fields.iter().all(|field| field.has_value());
        let values =
            |fields: &[&Field<'_>]| fields.iter().filter(|field| field.has_value()).count();
        let present =
            |fields: &[&Field<'_>]| fields.iter().filter(|field| field.is_present()).count();
        let of = kinds.iter().filter(|(_, fields)| present(fields) > 0);
        let likely = of.max_by_key(|(_, fields)| (whole(fields), values(fields), present(fields)));
        likely.map(|(kind, _)| *kind)
    }
}
