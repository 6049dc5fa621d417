//! The venues under test: one list, to which every battery is applied.

use foretick::pipeline::Pipeline;

use crate::given::Folder;

/// Whose form messages have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Spot,
    Usdm,
    Bybit,
    Okx,
    Coinbase,
    Kraken,
    /// Described in a pipeline, with numbers.
    Described,
    Alpaca,
    /// Described in a pipeline, without numbers.
    Plain,
}

/// A venue under test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) form: Form,
    pub(crate) venue: &'static str,
    pub(crate) symbols: [&'static str; 2],
    /// Trades and books, in the venue's words.
    pub(crate) streams: [&'static str; 2],
    /// How the venue says that it will close the connection, if it does.
    pub(crate) notice: Option<&'static str>,
    /// What a pipeline says besides, of a venue that is described there.
    pub(crate) description: &'static str,
    /// Fields whose digits a fault may change so that the venue's proof shows it.
    pub(crate) proved: &'static [&'static str],
}

/// Every venue that has books.
pub(crate) const VENUES: [Case; 7] = [
    Case {
        form: Form::Spot,
        venue: "BINANCE",
        symbols: ["BTCUSDT", "ETHUSDT"],
        streams: ["trade", "depth@100ms"],
        notice: Some(
            r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770127200000}}"#,
        ),
        description: "",
        proved: &["\"U\":", "\"u\":"],
    },
    Case {
        form: Form::Usdm,
        venue: "BINANCE_USDM",
        symbols: ["BTCUSDT", "ETHUSDT"],
        streams: ["trade", "depth@0ms"],
        notice: Some(
            r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770127200000}}"#,
        ),
        description: "",
        proved: &["\"pu\":", "\"u\":"],
    },
    Case {
        form: Form::Bybit,
        venue: "BYBIT",
        symbols: ["BTCUSDT", "ETHUSDT"],
        streams: ["publicTrade", "orderbook.50"],
        notice: None,
        description: "",
        proved: &["\"u\":"],
    },
    Case {
        form: Form::Okx,
        venue: "OKX",
        symbols: ["BTC-USDT", "ETH-USDT"],
        streams: ["trades", "books"],
        notice: Some(r#"{"event":"notice","code":"64008","msg":"closing","connId":"1"}"#),
        description: "",
        proved: &["\"seqId\":", "\"prevSeqId\":"],
    },
    Case {
        form: Form::Coinbase,
        venue: "COINBASE",
        symbols: ["BTC-USD", "ETH-USD"],
        streams: ["market_trades", "level2"],
        notice: None,
        description: "",
        proved: &["\"sequence_num\":"],
    },
    Case {
        form: Form::Kraken,
        venue: "KRAKEN",
        symbols: ["BTC/USD", "ETH/USD"],
        streams: ["trade", "book"],
        notice: None,
        description: "",
        proved: &["\"price\":", "\"qty\":", "\"checksum\":"],
    },
    Case {
        form: Form::Described,
        venue: "HILL",
        symbols: ["OAK", "ELM"],
        streams: ["fill", "book"],
        notice: Some(r#"{"kind":"closing"}"#),
        description: include_str!("described.toml"),
        proved: &["\"no\":"],
    },
];

/// Venues that have quotes instead of books, and prove nothing of them.
pub(crate) const QUOTES: [Case; 2] = [
    Case {
        form: Form::Alpaca,
        venue: "ALPACA",
        symbols: ["OAK", "ELM"],
        streams: ["trades", "quotes"],
        notice: None,
        description: "",
        proved: &[],
    },
    Case {
        form: Form::Plain,
        venue: "DALE",
        symbols: ["OAK", "ELM"],
        streams: ["fill", "quote"],
        notice: None,
        description: include_str!("described_plain.toml"),
        proved: &[],
    },
];

impl Case {
    /// Whether the venue has books.
    pub(crate) fn has_books(&self) -> bool {
        !matches!(self.form, Form::Alpaca | Form::Plain)
    }

    /// A pipeline that reads both symbols, with these tables besides.
    pub(crate) fn pipeline(&self, folder: &Folder, rows: &str) -> Pipeline {
        let [one, other] = self
            .symbols
            .map(|symbol| format!("{symbol}.{}", self.venue));
        let source = format!("kind = \"websocket\"\ninstruments = [\"{one}\", \"{other}\"]");
        let more = self.description;
        let text = format!("name = \"battery\"\n[source]\n{source}\n{more}{rows}");
        folder.pipeline(&text, &[])
    }
}
