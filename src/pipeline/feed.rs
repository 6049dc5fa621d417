//! The feed of a venue as a pipeline asks for it: address, streams, account; what can never work is refused.

use std::time::Duration;

use super::addresses;
use super::addresses::Address;
use super::credentials;
use super::hours;
use super::instruments;
use super::needs;
use super::streams;
use super::streams::{Asked, Purpose};
use crate::config::{ConfigFault, PipelineFile, SourceKind};
use crate::decode::venue::Venue;
use crate::decode::venues::{HostOwner, Venues};
use crate::source::websocket::WebsocketSettings;

/// The names of the streams that frames come from: the address of a websocket, or the topics.
///
/// # Errors
/// Where the feed of a websocket can never work, or the instruments of topics are not spelt as their venue
/// spells them.
pub(super) fn stream_names(
    file: &PipelineFile,
    venues: &Venues,
    purpose: Purpose,
) -> Result<Vec<String>, ConfigFault> {
    let source = &file.source;
    match source.kind {
        SourceKind::Websocket => Ok(vec![websocket(file, venues, purpose)?.url]),
        SourceKind::Kafka => {
            instruments::check_spelling(source, venues)?;
            Ok(source.topics.clone())
        }
    }
}

/// The settings of the venue's feed.
///
/// # Errors
/// The key that makes it one that can never work.
pub(super) fn websocket(
    file: &PipelineFile,
    venues: &Venues,
    purpose: Purpose,
) -> Result<WebsocketSettings, ConfigFault> {
    let (source, config) = (&file.source, &file.source.websocket);
    let described = config.json.as_ref().map(|feed| feed.venue.as_str());
    let (venue, symbols) = instruments::venue_and_symbols(&source.instruments, described, venues)?;
    let needs = needs::of(file);
    let asked = Asked {
        written: &config.streams,
        needs: &needs,
        purpose,
        is_described: described.is_some(),
    };
    let streams = streams::chosen(venue, &asked)?;
    check_addresses(file, venue, &streams, venues)?;
    let hours = config.hours.as_ref().map(hours::hours).transpose()?;
    let mut settings = WebsocketSettings {
        hours,
        symbols,
        streams,
        credentials: credentials::credentials(config)?,
        binary: config.binary,
        message_bytes_max: source.max_frame_bytes,
        idle: Duration::from_millis(config.idle_ms),
        silent: Some(Duration::from_millis(config.silent_ms)).filter(|max| !max.is_zero()),
        ..WebsocketSettings::new(venue)
    };
    if let Some(url) = &config.url {
        settings.url.clone_from(url);
    }
    if let Some((_, rest)) = source.written_rest() {
        settings.rest = Some(rest.to_owned()).filter(|rest| !rest.is_empty());
    }
    Ok(settings)
}

/// What is not refused, but hardly meant.
pub(super) fn warnings(file: &PipelineFile, settings: &WebsocketSettings) -> Vec<String> {
    let mut warnings = vec![];
    let addresses = [Some(&settings.url), settings.rest.as_ref()];
    for address in addresses.into_iter().flatten() {
        if Address::of(address).is_exposed() {
            warnings.push(format!(
                "`{address}` is not encrypted, and its host is no private one: others on the way can read and \
                 change the data; write `wss://` or `https://`"
            ));
        }
    }
    let config = &file.source.websocket;
    let heartbeats = settings.venue.keepalive().silent_max;
    if config.hours.is_some() && settings.silent.is_none() && heartbeats.is_none() {
        warnings.push(
            "`source.websocket.hours` only keeps `/readyz` quiet while the market is closed: no silence is counted; \
             set `silent_ms` too"
                .into(),
        );
    }
    let awaits = |stream: &&String| settings.venue.needs_snapshot(stream);
    if let (None, Some(stream)) = (&settings.rest, settings.streams.iter().find(awaits)) {
        warnings.push(format!(
            "`source.rest` is empty, so that no book of `{stream}` ever gets its snapshot"
        ));
    }
    warnings
}

/// Refuses addresses that can never work, and an account's secret on its way in the clear.
fn check_addresses(
    file: &PipelineFile,
    venue: &'static dyn Venue,
    streams: &[String],
    venues: &Venues,
) -> Result<(), ConfigFault> {
    let config = &file.source.websocket;
    let is_described = config.json.is_some();
    let usual = venue.addresses();
    let url_key = "source.websocket.url";
    // An empty REST address requests no snapshots.
    let rest = file.source.written_rest();
    let (rest_key, rest) = rest.filter(|rest| !rest.1.is_empty()).unzip();
    let written = [
        (
            url_key,
            config.url.as_deref(),
            ["wss", "ws"],
            usual.websocket,
        ),
        (
            rest_key.unwrap_or_default(),
            rest,
            ["https", "http"],
            usual.rest,
        ),
    ];
    for (name, address, schemes, example) in written {
        let Some(text) = address else {
            continue;
        };
        let refused = |what: String| Err(ConfigFault::at(name, what));
        if let Some(what) = addresses::fault(text, schemes) {
            return refused(format!("the address `{text}` {what}"));
        }
        let address = Address::of(text);
        if example.is_empty() && !is_described {
            let what = "snapshots of this venue come by the websocket; take `rest` out";
            return refused(what.into());
        }
        // What a known owner has that no venue here reads may be described.
        if is_described {
            continue;
        }
        if let Some(what) = address.foreign(venue, venues) {
            return refused(format!("the address `{text}`: {what} (as `{example}`)"));
        }
        let is_own = matches!(venues.owner_of(address.host), HostOwner::Feed(_));
        if !is_own || address.path.is_empty() {
            continue;
        }
        let wrong = match name {
            _ if name == url_key => venue.path_fault(address.path, streams),
            _ => Some("paths are added; leave the path out".to_owned()),
        };
        if let Some(what) = wrong {
            return refused(format!("the path `{}` cannot work: {what}", address.path));
        }
    }
    let url = Address::of(config.url.as_deref().unwrap_or(usual.websocket));
    let is_own = matches!(venues.owner_of(url.host), HostOwner::Feed(_));
    if is_own && config.key.is_none() && venue.needs_account() && !is_described {
        let what = format!(
            "{} sends nothing without an account; write `key` and `secret`, as `env:NAME` or `file:PATH`",
            venue.name()
        );
        return Err(ConfigFault::at("source.websocket.key", what));
    }
    if url.is_exposed() && config.key.is_some() {
        let what = "key and secret would be sent unencrypted to a host that is no private one; write `wss://`";
        return Err(ConfigFault::at(url_key, what));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings of a pipeline with these lines, with rows of this kind and a feature.
    fn feed(source: &str, row: &str, feature: &str) -> Result<WebsocketSettings, ConfigFault> {
        let text = format!(
            "name = \"x\"\n[source]\nkind = \"websocket\"\n{source}\n[row]\non = \"{row}\"\n[[feature]]\nname = \
             \"f\"\n{feature}\n[model]\nkind = \"sum\"\n"
        );
        let file = toml::from_str(&text).expect("it is sound TOML");
        websocket(&file, &Venues::default(), Purpose::Signals)
    }

    /// A feed of trades of a symbol with these lines of `[source.websocket]`.
    fn trades(instrument: &str, lines: &str) -> Result<WebsocketSettings, ConfigFault> {
        let source = format!("instruments = [\"{instrument}\"]\n[source.websocket]\n{lines}");
        feed(&source, "trade", "kind = \"price\"")
    }

    /// The address that is opened.
    fn opened(settings: &WebsocketSettings) -> String {
        let subscription = settings.subscription().expect("it is sound");
        subscription
            .address
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned()
    }

    #[test]
    fn streams_that_no_connection_can_have_together_are_refused() {
        for (instrument, streams, said) in [
            (
                "BTCUSDT.BINANCE_USDM",
                r#"["aggTrade", "bookTicker"]"#,
                "by different connections",
            ),
            (
                "BTC-USDT.OKX",
                r#"["trades-all", "books"]"#,
                "by another address",
            ),
            (
                "BTC-USDT.OKX",
                r#"["trades", "books-l2-tbt"]"#,
                "needs a log-in",
            ),
            (
                "BTC/USD.KRAKEN",
                r#"["trade", "book", "book:25"]"#,
                "one depth of the book",
            ),
        ] {
            let fault = trades(instrument, &format!("streams = {streams}")).unwrap_err();
            assert_eq!(fault.key, "source.websocket.streams");
            assert!(fault.what.contains(said), "{}", fault.what);
        }
        assert!(trades("BTCUSDT.BINANCE_USDM", r#"streams = ["aggTrade"]"#).is_ok());
    }

    #[test]
    fn a_stream_that_the_venue_lacks_is_refused_with_those_that_it_has() {
        for (instrument, stream, has) in [
            (
                "BTC-USD.COINBASE",
                "trades",
                "market_trades, ticker, level2",
            ),
            (
                "BTC/USD.KRAKEN",
                "depth@100ms",
                "trade, ticker, book, book:10, book:25",
            ),
            (
                "BTCUSDT.BYBIT",
                "orderbook.77",
                "orderbook.50, orderbook.200",
            ),
            (
                "BTC-USDT.OKX",
                "nonsense",
                "trades, trades-all, bbo-tbt, books5, books",
            ),
            ("BTCUSDT.BINANCE", "book", "depth@100ms"),
        ] {
            let fault = trades(instrument, &format!("streams = [\"{stream}\"]")).unwrap_err();
            assert_eq!(fault.key, "source.websocket.streams[0]");
            assert!(fault.what.contains(has), "{}", fault.what);
        }
    }

    #[test]
    fn usual_streams_bring_what_rows_and_features_need() {
        let streams = |instrument: &str, row: &str, feature: &str| {
            let account = "[source.websocket]\nkey = \"env:PATH\"\nsecret = \"env:PATH\"";
            let source = format!("instruments = [\"{instrument}\"]\n{account}");
            feed(&source, row, feature).map(|settings| settings.streams.join(" "))
        };
        let imbalance = |levels| format!("kind = \"queue_imbalance\"\nlevels = {levels}");
        for (instrument, levels, found) in [
            ("BTC/USD.KRAKEN", 10, "trade ticker book"),
            ("BTC/USD.KRAKEN", 20, "trade ticker book:25"),
            ("BTCUSDT.BYBIT", 50, "publicTrade orderbook.1 orderbook.50"),
            ("BTCUSDT.BINANCE", 50, "trade bookTicker depth@100ms"),
            ("BTC-USD.COINBASE", 50, "market_trades ticker level2"),
        ] {
            let chosen = streams(instrument, "book", &imbalance(levels));
            assert_eq!(chosen.as_deref(), Ok(found), "{levels}");
        }
        let bars = streams("AAPL.ALPACA", "bar", "kind = \"close\"");
        assert_eq!(bars.as_deref(), Ok("trades quotes statuses bars"));
        let tokens = "kind = \"tokens\"\nmax_tokens = 8";
        assert_eq!(
            streams("AAPL.ALPACA", "news", tokens).as_deref(),
            Ok("news")
        );
        for (instrument, row, feature, key) in [
            ("AAPL.ALPACA", "book", "kind = \"mid\"".to_owned(), "row.on"),
            ("AAPL.ALPACA", "trade", imbalance(10), "feature[0]"),
            (
                "BTC/USD.KRAKEN",
                "bar",
                "kind = \"close\"".to_owned(),
                "row.on",
            ),
            ("BTC/USD.KRAKEN", "news", tokens.to_owned(), "row.on"),
            (
                "BTC/USD.KRAKEN",
                "application",
                "kind = \"field\"".to_owned(),
                "row.on",
            ),
        ] {
            let fault = streams(instrument, row, &feature).unwrap_err();
            assert_eq!(fault.key, key, "{instrument}: {}", fault.what);
        }
    }

    #[test]
    fn named_streams_that_bring_too_little_are_refused_with_those_that_would_do() {
        let kraken = |streams: &str, row: &str, feature: &str| {
            let source = format!(
                "instruments = [\"BTC/USD.KRAKEN\"]\n[source.websocket]\nstreams = {streams}"
            );
            feed(&source, row, feature).map(|settings| settings.streams.len())
        };
        let deep = "kind = \"order_flow_imbalance\"\nlevels = 11";
        assert_eq!(kraken(r#"["book:25"]"#, "book", deep), Ok(1));
        let fault = kraken(r#"["book"]"#, "book", deep).unwrap_err();
        assert_eq!(fault.key, "feature[0]");
        assert!(
            fault.what.contains("a book of 11 levels a side")
                && fault.what.contains("book:25, book:100"),
            "{}",
            fault.what
        );
        let mean = "kind = \"mean\"\nof = \"mid\"\nwindow = 3";
        assert_eq!(kraken(r#"["trade", "ticker"]"#, "trade", mean), Ok(2));
        assert_eq!(
            kraken(r#"["trade"]"#, "trade", mean).unwrap_err().key,
            "feature[0]"
        );
        let fault = kraken(r#"["ticker"]"#, "trade", "kind = \"mid\"").unwrap_err();
        assert_eq!(fault.key, "row.on");
    }

    #[test]
    fn the_usual_streams_of_each_venue_are_streams_that_it_has() {
        for venue in Venues::default().all() {
            for usual in venue.usual_streams() {
                let has = venue.streams().iter().any(|stream| stream.name == *usual);
                assert!(has, "{} {usual}", venue.name());
            }
            let host = Address::of(venue.addresses().websocket).host;
            let owner = Venues::default().owner_of(host);
            assert!(
                matches!(owner, HostOwner::Feed(owner) if owner.name() == venue.name()),
                "{host}"
            );
            let path = Address::of(venue.addresses().websocket).path;
            assert_eq!(path, "", "{}", venue.name());
            let example = venue.symbol_examples().split(", ");
            for symbol in example {
                assert_eq!(venue.spelling(symbol), symbol);
            }
        }
    }

    #[test]
    fn an_address_without_a_path_gets_that_of_its_streams() {
        let account = "key = \"env:PATH\"\nsecret = \"env:PATH\"\n";
        for (instrument, lines, found) in [
            ("BTC/USD.KRAKEN", "", "wss://ws.kraken.com/v2"),
            (
                "BTC/USD.KRAKEN",
                r#"url = "wss://ws.kraken.com/""#,
                "wss://ws.kraken.com/v2",
            ),
            (
                "BTC/USD.KRAKEN",
                r#"url = "wss://ws.kraken.com/v2""#,
                "wss://ws.kraken.com/v2",
            ),
            ("BTCUSDT.BYBIT", "", "wss://stream.bybit.com/v5/public/spot"),
            (
                "BTCUSDT.BYBIT",
                r#"url = "wss://stream.bybit.com/v5/public/linear""#,
                "wss://stream.bybit.com/v5/public/linear",
            ),
            ("BTC-USDT.OKX", "", "wss://ws.okx.com:8443/ws/v5/public"),
            (
                "BTC-USDT.OKX",
                r#"streams = ["trades-all"]"#,
                "wss://ws.okx.com:8443/ws/v5/business",
            ),
            (
                "BTCUSDT.BINANCE",
                "",
                "wss://data-stream.binance.vision/stream",
            ),
            (
                "BTCUSDT.BINANCE",
                r#"url = "wss://stream.binance.com:9443/stream""#,
                "wss://stream.binance.com:9443/stream",
            ),
            (
                "BTCUSDT.BINANCE_USDM",
                r#"streams = ["aggTrade"]"#,
                "wss://fstream.binance.com/market/stream",
            ),
            (
                "BTC-USD.COINBASE",
                "",
                "wss://advanced-trade-ws.coinbase.com",
            ),
            (
                "AAPL.ALPACA",
                account,
                "wss://stream.data.alpaca.markets/v2/iex",
            ),
        ] {
            let settings = trades(instrument, lines).expect(lines);
            assert_eq!(opened(&settings), found);
        }
    }

    #[test]
    fn addresses_that_cannot_be_the_venues_are_refused() {
        let account = "key = \"env:PATH\"\nsecret = \"env:PATH\"\n";
        for (instrument, lines, said) in [
            (
                "BTC-USD.COINBASE",
                r#"url = "wss://ws.kraken.com/v2""#,
                "a host of KRAKEN",
            ),
            (
                "BTC-USD.COINBASE",
                r#"url = "wss://ws-feed.exchange.coinbase.com""#,
                "Coinbase Exchange",
            ),
            (
                "BTC/USD.KRAKEN",
                r#"url = "wss://futures.kraken.com/ws/v1""#,
                "Kraken's futures",
            ),
            (
                "BTC/USD.KRAKEN",
                r#"url = "wss://ws.kraken.com/v1""#,
                "is at `/v2`",
            ),
            (
                "BTC-USDT.OKX",
                r#"url = "wss://ws.okx.com:8443/v5/public/spot""#,
                "`/ws/v5/public`",
            ),
            (
                "BTCUSDT.BYBIT",
                r#"url = "wss://stream.bybit.com/v5/private""#,
                "`/v5/public/linear`",
            ),
            (
                "BTCUSDT.BINANCE",
                r#"url = "wss://stream.binance.com:9443/ws""#,
                "leave the path out",
            ),
            (
                "BTCUSDT.BINANCE",
                r#"url = "wss://fstream.binance.com""#,
                "a host of BINANCE_USDM",
            ),
            (
                "BTCUSDT.BINANCE_USDM",
                r#"url = "wss://stream.binance.com""#,
                "a host of BINANCE,",
            ),
            (
                "BTCUSDT.BINANCE",
                r#"rest = "https://fapi.binance.com""#,
                "a host of BINANCE_USDM",
            ),
            (
                "BTCUSDT.BINANCE",
                r#"rest = "https://api.binance.com/api/v3""#,
                "leave the path out",
            ),
            (
                "BTCUSDT.BINANCE",
                r#"url = "ws://data-stream.binance.vision""#,
                "is not encrypted",
            ),
            ("AAPL.ALPACA", "", "sends nothing without an account"),
        ] {
            let fault = trades(instrument, lines).expect_err(lines);
            assert!(fault.what.contains(said), "{lines}: {}", fault.what);
            let line = lines.split(' ').next().filter(|key| !key.is_empty());
            assert_eq!(
                fault.key,
                format!("source.websocket.{}", line.unwrap_or("key"))
            );
        }
        let news = format!(
            "instruments = [\"AAPL.ALPACA\"]\n[source.websocket]\n{account}url = \
             \"wss://stream.data.alpaca.markets/v2/iex\""
        );
        let fault = feed(&news, "news", "kind = \"tokens\"\nmax_tokens = 8").unwrap_err();
        assert!(
            fault.what.contains("headlines are at `/v1beta1/news`"),
            "{}",
            fault.what
        );
        let exposed = format!("{account}url = \"ws://feed.example.com\"");
        let fault = trades("AAPL.ALPACA", &exposed).unwrap_err();
        assert!(fault.what.contains("sent unencrypted"), "{}", fault.what);
    }

    #[test]
    fn hosts_that_nobody_knows_may_be_anything() {
        for (instrument, url) in [
            ("BTC-USD.COINBASE", "ws://127.0.0.1:9001/kraken/v2"),
            ("BTC/USD.KRAKEN", "wss://relay.example.com/anything"),
            ("AAPL.ALPACA", "ws://[::1]:80/v2/test"),
        ] {
            let settings = trades(instrument, &format!("url = \"{url}\"")).expect(url);
            assert_eq!(opened(&settings), url);
        }
    }

    #[test]
    fn what_is_hardly_meant_is_warned_of() {
        let warned = |lines: &str| {
            let source =
                format!("instruments = [\"BTCUSDT.BINANCE\"]\n[source.websocket]\n{lines}");
            let text = format!(
                "name = \"x\"\n[source]\nkind = \"websocket\"\n{source}\n[row]\non = \"trade\"\n[[feature]]\nname = \
                 \"f\"\nkind = \"price\"\n[model]\nkind = \"sum\"\n"
            );
            let file = toml::from_str(&text).expect("it is sound TOML");
            let settings = websocket(&file, &Venues::default(), Purpose::Signals).expect(lines);
            warnings(&file, &settings).join(" ")
        };
        assert_eq!(warned(""), "");
        assert!(warned("url = \"ws://relay.example.com\"").contains("is not encrypted"));
        assert_eq!(warned("url = \"ws://10.0.0.1\""), "");
        let hours = "hours = { zone = \"UTC\", open = \"09:00\", close = \"17:00\" }";
        assert!(
            warned(hours).contains("set `silent_ms`"),
            "{}",
            warned(hours)
        );
        assert_eq!(warned(&format!("silent_ms = 5_000\n{hours}")), "");
        let no_rest = warned("rest = \"\"\nstreams = [\"trade\", \"depth@100ms\"]");
        assert!(no_rest.contains("no book of `depth@100ms`"), "{no_rest}");
    }
}
