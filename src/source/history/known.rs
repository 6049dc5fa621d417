//! Forms of files that are known by their headers: which column is what.
//!
//! Sources: the READMEs of Binance's public data (binance/binance-public-data), Tardis' documentation of
//! downloadable CSV files, and LEAN's data folder (QuantConnect/Lean, `Data/*/readme.md`).

use super::mapping::{HistoryPreset, Role};
use crate::event::TradeIds;

/// A form of files.
#[derive(Debug)]
pub(super) struct KnownForm {
    pub(super) preset: HistoryPreset,
    /// Names of columns, in lower case without blanks, `_` and signs, one of which the header has.
    pub(super) columns: &'static [(Role, &'static [&'static str])],
    /// The same of columns that it need not have.
    pub(super) optional: &'static [(Role, &'static [&'static str])],
    /// Other columns that it must have.
    pub(super) others: &'static [&'static str],
    pub(super) naming: FormNaming,
    /// Whether the truth value under `side` says that the buyer was the maker.
    pub(super) buyer_is_maker: bool,
    pub(super) aggregate: bool,
    pub(super) ids: TradeIds,
    /// So many of its units are added to a time, and so many nanoseconds.
    pub(super) later: (i64, i64),
    /// Prices are whole numbers of 10^-places.
    pub(super) price_places: Option<i32>,
    /// What a price of zero says of the side of a quote.
    pub(super) zero_price: ZeroPrice,
}

/// What a price of zero says of the side of a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ZeroPrice {
    /// The side is quoted at zero, which the decoder refuses.
    Price,
    /// The side is empty.
    Empty,
    /// The side is as in the row before: a row tells of one side alone.
    Unchanged,
}

/// How the instrument of a form is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormNaming {
    /// By columns.
    Columns,
    /// By the file's name, up to its first `-`; of this venue.
    FileUpToHyphen(&'static str),
    /// By the file's name without its endings.
    WholeFile,
    /// By a name that the reader of the format has found.
    Told,
}

const PLAIN: KnownForm = KnownForm {
    preset: HistoryPreset::Binance,
    columns: &[],
    optional: &[],
    others: &[],
    naming: FormNaming::Columns,
    buyer_is_maker: false,
    aggregate: false,
    ids: TradeIds::Distinct,
    later: (0, 0),
    price_places: None,
    zero_price: ZeroPrice::Price,
};

const BINANCE: KnownForm = KnownForm {
    preset: HistoryPreset::Binance,
    naming: FormNaming::FileUpToHyphen("BINANCE"),
    buyer_is_maker: true,
    ids: TradeIds::Successive,
    ..PLAIN
};

const TARDIS: KnownForm = KnownForm {
    preset: HistoryPreset::Tardis,
    ..PLAIN
};

const LEAN: KnownForm = KnownForm {
    preset: HistoryPreset::Lean,
    naming: FormNaming::Told,
    price_places: Some(4),
    zero_price: ZeroPrice::Unchanged,
    ..PLAIN
};

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// Trades of Binance.
pub(super) const BINANCE_TRADES: KnownForm = KnownForm {
    columns: &[
        (Role::TradeId, &["id"]),
        (Role::Price, &["price"]),
        (Role::Size, &["qty"]),
        (Role::TsEvent, &["time"]),
        (Role::Side, &["isbuyermaker"]),
    ],
    ..BINANCE
};

/// Aggregated trades of Binance.
pub(super) const BINANCE_AGGREGATES: KnownForm = KnownForm {
    columns: &[
        (Role::TradeId, &["aggtradeid", "aggregatetradeid"]),
        (Role::Price, &["price"]),
        (Role::Size, &["quantity", "qty"]),
        (Role::TsEvent, &["transacttime", "timestamp", "time"]),
        (Role::Side, &["isbuyermaker"]),
    ],
    aggregate: true,
    ..BINANCE
};

/// Bars of Binance. `close_time` is the last unit of time within the bar.
pub(super) const BINANCE_BARS: KnownForm = KnownForm {
    columns: &[
        (Role::TsEvent, &["closetime"]),
        (Role::Open, &["open"]),
        (Role::High, &["high"]),
        (Role::Low, &["low"]),
        (Role::Close, &["close"]),
        (Role::Volume, &["volume"]),
    ],
    others: &["opentime"],
    later: (1, 0),
    ..BINANCE
};

/// Ticks of LEAN: trades.
pub(super) const LEAN_TRADES: KnownForm = KnownForm {
    columns: &[
        (Role::TsEvent, &["leanms"]),
        (Role::Price, &["price"]),
        (Role::Size, &["size"]),
    ],
    ..LEAN
};

/// Ticks of LEAN: quotes.
pub(super) const LEAN_QUOTES: KnownForm = KnownForm {
    columns: &[
        (Role::TsEvent, &["leanms"]),
        (Role::BidPx, &["bid"]),
        (Role::BidSz, &["bidsize"]),
        (Role::AskPx, &["ask"]),
        (Role::AskSz, &["asksize"]),
    ],
    ..LEAN
};

const LEAN_BARS: KnownForm = KnownForm {
    columns: &[
        (Role::TsEvent, &["leanms", "leantime"]),
        (Role::Open, &["open"]),
        (Role::High, &["high"]),
        (Role::Low, &["low"]),
        (Role::Close, &["close"]),
        (Role::Volume, &["volume"]),
    ],
    ..LEAN
};

/// Bars of LEAN, of so long.
pub(super) const LEAN_DAYS: KnownForm = KnownForm {
    later: (0, DAY_NS),
    ..LEAN_BARS
};
pub(super) const LEAN_HOURS: KnownForm = KnownForm {
    later: (0, DAY_NS / 24),
    ..LEAN_BARS
};
pub(super) const LEAN_MINUTES: KnownForm = KnownForm {
    later: (0, 60_000_000_000),
    ..LEAN_BARS
};
pub(super) const LEAN_SECONDS: KnownForm = KnownForm {
    later: (0, 1_000_000_000),
    ..LEAN_BARS
};

/// The forms that a header tells, in the order in which they are asked.
pub(super) static FORMS: [KnownForm; 6] = [
    BINANCE_BARS,
    BINANCE_AGGREGATES,
    BINANCE_TRADES,
    KnownForm {
        columns: &[
            (Role::Venue, &["exchange"]),
            (Role::Symbol, &["symbol"]),
            (Role::TsEvent, &["timestamp"]),
            (Role::TsRecv, &["localtimestamp"]),
            (Role::Side, &["side"]),
            (Role::Price, &["price"]),
            (Role::Size, &["amount"]),
            (Role::TradeId, &["id"]),
        ],
        ..TARDIS
    },
    KnownForm {
        columns: &[
            (Role::Venue, &["exchange"]),
            (Role::Symbol, &["symbol"]),
            (Role::TsEvent, &["timestamp"]),
            (Role::TsRecv, &["localtimestamp"]),
            (Role::AskSz, &["askamount"]),
            (Role::AskPx, &["askprice"]),
            (Role::BidPx, &["bidprice"]),
            (Role::BidSz, &["bidamount"]),
        ],
        zero_price: ZeroPrice::Empty,
        ..TARDIS
    },
    KnownForm {
        preset: HistoryPreset::Daily,
        columns: &[
            (Role::TsEvent, &["date"]),
            (Role::Open, &["open"]),
            (Role::High, &["high"]),
            (Role::Low, &["low"]),
            (Role::Close, &["close", "closelast"]),
        ],
        optional: &[
            (Role::Volume, &["volume"]),
            (Role::Symbol, &["symbol", "ticker", "name"]),
        ],
        naming: FormNaming::WholeFile,
        later: (0, DAY_NS),
        ..PLAIN
    },
];

impl KnownForm {
    /// The columns of a header that has all that this form must have; none where it lacks one.
    pub(super) fn find(&self, names: &[String]) -> Option<Vec<(Role, usize)>> {
        let plain: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let place = |known: &[&str]| {
            let is_known = |name: &String| known.contains(&name.as_str());
            plain.iter().position(is_known)
        };
        if !self.others.iter().all(|other| place(&[other]).is_some()) {
            return None;
        }
        let needed = self.columns.iter();
        let needed: Option<Vec<_>> = needed
            .map(|(role, known)| Some((*role, place(known)?)))
            .collect();
        let optional = self.optional.iter();
        let optional = optional.filter_map(|(role, known)| Some((*role, place(known)?)));
        Some(needed?.into_iter().chain(optional).collect())
    }
}

/// A name in lower case, without blanks and signs.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}
