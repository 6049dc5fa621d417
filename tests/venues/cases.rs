//! The venues under test: one list, to which every battery is applied.

/// Whose form messages have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Spot,
    Usdm,
    Bybit,
    Okx,
    Coinbase,
    Kraken,
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
    /// Fields whose digits a fault may change so that the venue's proof shows it.
    pub(crate) proved: &'static [&'static str],
}

/// Every venue that has books.
pub(crate) const VENUES: [Case; 6] = [
    Case {
        form: Form::Spot,
        venue: "BINANCE",
        symbols: ["BTCUSDT", "ETHUSDT"],
        streams: ["trade", "depth@100ms"],
        notice: Some(
            r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770127200000}}"#,
        ),
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
        proved: &["\"pu\":", "\"u\":"],
    },
    Case {
        form: Form::Bybit,
        venue: "BYBIT",
        symbols: ["BTCUSDT", "ETHUSDT"],
        streams: ["publicTrade", "orderbook.50"],
        notice: None,
        proved: &["\"u\":"],
    },
    Case {
        form: Form::Okx,
        venue: "OKX",
        symbols: ["BTC-USDT", "ETH-USDT"],
        streams: ["trades", "books"],
        notice: Some(r#"{"event":"notice","code":"64008","msg":"closing","connId":"1"}"#),
        proved: &["\"seqId\":", "\"prevSeqId\":"],
    },
    Case {
        form: Form::Coinbase,
        venue: "COINBASE",
        symbols: ["BTC-USD", "ETH-USD"],
        streams: ["market_trades", "level2"],
        notice: None,
        proved: &["\"sequence_num\":"],
    },
    Case {
        form: Form::Kraken,
        venue: "KRAKEN",
        symbols: ["BTC/USD", "ETH/USD"],
        streams: ["trade", "book"],
        notice: None,
        proved: &["\"price\":", "\"qty\":", "\"checksum\":"],
    },
];
