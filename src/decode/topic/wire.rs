//! The fields of all kinds of topic record, as they come.

use serde::Deserialize;
use sonic_rs::LazyValue;

/// The decayed average in a signal of sentiment.
#[derive(Debug, Deserialize)]
pub(super) struct TopicAverage {
    pub(super) average: f64,
    pub(super) weight: f64,
    pub(super) half_life_ms: i64,
}

/// The fields of all kinds. Numbers stay text until they become fixed-point.
#[derive(Debug, Deserialize)]
pub(super) struct TopicRecord<'a> {
    pub(super) ts_event: i64,
    pub(super) ts_recv: Option<i64>,
    #[serde(alias = "instrument")]
    pub(super) symbol: Option<&'a str>,
    #[serde(borrow)]
    pub(super) price: Option<LazyValue<'a>>,
    #[serde(borrow)]
    pub(super) size: Option<LazyValue<'a>>,
    pub(super) side: Option<&'a str>,
    pub(super) trade_id: Option<u64>,
    #[serde(borrow)]
    pub(super) bid_px: Option<LazyValue<'a>>,
    #[serde(borrow)]
    pub(super) bid_sz: Option<LazyValue<'a>>,
    #[serde(borrow)]
    pub(super) ask_px: Option<LazyValue<'a>>,
    #[serde(borrow)]
    pub(super) ask_sz: Option<LazyValue<'a>>,
    pub(super) sequence: Option<u64>,
    pub(super) first_sequence: Option<u64>,
    pub(super) snapshot: Option<bool>,
    #[serde(borrow)]
    pub(super) bids: Option<LazyValue<'a>>,
    #[serde(borrow)]
    pub(super) asks: Option<LazyValue<'a>>,
    #[serde(borrow)]
    pub(super) open: Option<LazyValue<'a>>,
    #[serde(borrow)]
    pub(super) high: Option<LazyValue<'a>>,
    #[serde(borrow)]
    pub(super) low: Option<LazyValue<'a>>,
    #[serde(borrow)]
    pub(super) close: Option<LazyValue<'a>>,
    #[serde(borrow)]
    pub(super) volume: Option<LazyValue<'a>>,
    pub(super) figure: Option<&'a str>,
    pub(super) value: Option<f64>,
    pub(super) sentiment: Option<TopicAverage>,
}
