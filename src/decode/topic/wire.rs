//! The fields of all kinds of topic record, as they come.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::decode::error::DecodeError;
use crate::decode::field::Field;

/// Declares the fields of all kinds: a struct with one [`Field`] each, which also notes the names that
/// are spelt in another case. The derived reader would pass over those.
macro_rules! topic_record {
    ($($name:ident),* $(,)?) => {
        /// The fields of all kinds.
        #[derive(Debug, Default)]
        pub(super) struct TopicRecord<'a> {
            $(pub(super) $name: Field<'a>,)*
            /// The fields that stand in another case, by their place in [`NAMES`].
            misspelt: u32,
        }

        /// The names of these fields, those that tell the kind first.
        pub(super) const NAMES: [&str; [$(stringify!($name)),*].len()] = [$(stringify!($name)),*];

        /// The key of a member.
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy)]
        enum Key {
            $($name,)*
            Unknown,
            /// The field at this place of [`NAMES`], in another case.
            Misspelt(u32),
        }

        impl Key {
            fn of(name: &str) -> Self {
                match name {
                    $(stringify!($name) => Self::$name,)*
                    _ => Self::of_unknown(name),
                }
            }
        }

        impl<'de: 'a, 'a> Deserialize<'de> for TopicRecord<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct RecordVisitor<'a>(PhantomData<&'a ()>);
                impl<'de: 'a, 'a> Visitor<'de> for RecordVisitor<'a> {
                    type Value = TopicRecord<'a>;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a record of a topic")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut record = TopicRecord::default();
                        while let Some(key) = map.next_key::<Key>()? {
                            match key {
                                $(Key::$name if record.$name.is_present() => {
                                    return Err(de::Error::duplicate_field(stringify!($name)));
                                }
                                Key::$name => record.$name = map.next_value()?,)*
                                Key::Unknown => {
                                    map.next_value::<IgnoredAny>()?;
                                }
                                Key::Misspelt(at) => {
                                    record.misspelt |= 1 << at;
                                    map.next_value::<IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(record)
                    }
                }
                deserializer.deserialize_map(RecordVisitor(PhantomData))
            }
        }
    };
}

topic_record!(
    price,
    size,
    side,
    bid_px,
    bid_sz,
    ask_px,
    ask_sz,
    bids,
    asks,
    open,
    high,
    low,
    close,
    figure,
    sentiment,
    ts_event,
    symbol,
    instrument,
    ts_recv,
    trade_id,
    trade_ids,
    sequence,
    first_sequence,
    snapshot,
    volume,
    value,
);

impl Key {
    /// A name that is none of ours: spelt in another case, or unknown.
    fn of_unknown(name: &str) -> Self {
        let at = NAMES
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name));
        at.map_or(Self::Unknown, |at| Self::Misspelt(at as u32))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
                Ok(Key::of(name))
            }
        }
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

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
    /// The name of its instrument, under either name.
    pub(super) fn instrument(&self) -> Result<&str, DecodeError> {
        match (self.symbol.has_value(), self.instrument.has_value()) {
            (false, true) => self.instrument.symbol("instrument"),
            (true, true)
                if self.symbol.text("symbol")? != self.instrument.text("instrument")? =>
            {
                Err(DecodeError::RepeatedField("instrument"))
            }
            _ => self.symbol.symbol("symbol"),
        }
    }

    /// The field that has this name.
    pub(super) fn instrument_field(&self) -> &'static str {
        match self.symbol.has_value() {
            true => "symbol",
            false => "instrument",
        }
    }

    /// An optional field of a record of this kind that stands in another case alone. Those that the kind
    /// needs are missed where they are read.
    pub(super) fn misspelt_of(&self, kind: Kind) -> Option<&'static str> {
        if self.misspelt == 0 {
            return None;
        }
        let is_misspelt = |name: &str| {
            let at = NAMES.iter().position(|known| *known == name);
            at.is_some_and(|at| self.misspelt & (1 << at) != 0)
        };
        let optional: &[(&'static str, &Field<'_>)] = match kind {
            Kind::Trade => &[("trade_id", &self.trade_id), ("trade_ids", &self.trade_ids)],
            Kind::Quote => &[("sequence", &self.sequence)],
            Kind::Bar => &[("volume", &self.volume)],
            Kind::Book | Kind::Figure | Kind::Sentiment => &[],
        };
        let of_all = [("ts_recv", &self.ts_recv)];
        let mut fields = optional.iter().chain(&of_all);
        fields.find_map(|(name, field)| (!field.is_present() && is_misspelt(name)).then_some(*name))
    }

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
