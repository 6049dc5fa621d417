//! A feed that can never work is refused by `check`, at its line, with what to write; one that can is shown.

use crate::given::{self, Folder};

/// Runs `foretick check` on a pipeline with this source, row and feature.
fn check(name: &str, source: &str, row: &str, feature: &str) -> given::Run {
    let folder = Folder::new(&format!("feed-{name}"));
    let text = format!(
        "name = \"feed\"\n[source]\nkind = \"websocket\"\n{source}\n[row]\non = \"{row}\"\n[[feature]]\nname = \
         \"one\"\n{feature}\n[model]\nkind = \"sum\"\n"
    );
    let path = folder.write("pipeline.toml", text);
    given::foretick(&["check".into(), "--offline".into(), path])
}

#[test]
fn a_symbol_in_another_spelling_is_refused_with_the_right_one() {
    for (at, (wrong, right)) in [
        ("BTCUSDT.COINBASE", "BTC-USDT.COINBASE"),
        ("BTCUSDT.OKX", "BTC-USDT.OKX"),
        ("BTC_USDT.OKX", "BTC-USDT.OKX"),
        ("XXBTZUSD.KRAKEN", "BTC/USD.KRAKEN"),
        ("BTC/USD.ALPACA", "BTCUSD.ALPACA"),
        ("BRK-B.ALPACA", "BRK.B.ALPACA"),
        ("BTC_USDT.BINANCE", "BTCUSDT.BINANCE"),
        ("BTC-USDT.BYBIT", "BTCUSDT.BYBIT"),
    ]
    .into_iter()
    .enumerate()
    {
        let source = format!("instruments = [\"{wrong}\"]");
        let run = check(
            &format!("symbol-{at}"),
            &source,
            "trade",
            "kind = \"price\"",
        );
        assert_eq!(run.code, Some(2), "{wrong}: {}{}", run.stdout, run.stderr);
        let said = run.stderr;
        assert!(said.contains("pipeline.toml:4:"), "{said}");
        assert!(said.contains(&format!("did you mean {right}?")), "{said}");
    }
}

#[test]
fn a_feed_that_cannot_work_is_refused_at_its_line() {
    let coinbase = "instruments = [\"BTC-USD.COINBASE\"]\n[source.websocket]\n";
    for (name, source, feature, line, said) in [
        (
            "host",
            format!("{coinbase}url = \"wss://ws.kraken.com/v2\""),
            "kind = \"price\"",
            6,
            "is a host of KRAKEN",
        ),
        (
            "twice",
            "instruments = [\"BTC-USD.COINBASE\", \"BTC-USD.COINBASE\"]".into(),
            "kind = \"price\"",
            4,
            "`BTC-USD.COINBASE` is listed twice",
        ),
        (
            "rest",
            format!("{coinbase}rest = \"https://api.coinbase.com\""),
            "kind = \"price\"",
            6,
            "snapshots of this venue come by the websocket; take `rest` out",
        ),
        (
            "stream",
            format!("{coinbase}streams = [\"market_trades\", \"trades\"]"),
            "kind = \"price\"",
            6,
            "has no stream `trades` that is read; it has market_trades",
        ),
        (
            "need",
            format!("{coinbase}streams = [\"market_trades\"]"),
            "kind = \"queue_imbalance\"\nlevels = 5",
            9,
            "name one of these in `source.websocket.streams`: level2",
        ),
        (
            "days",
            format!(
                "{coinbase}[source.websocket.hours]\nzone = \"UTC\"\nopen = \"09:00\"\nclose = \"17:00\"\ndays = []"
            ),
            "kind = \"price\"",
            10,
            "would never open",
        ),
        (
            "account",
            "instruments = [\"AAPL.ALPACA\"]\n[source.websocket]".into(),
            "kind = \"price\"",
            5,
            "sends nothing without an account",
        ),
    ] {
        let run = check(name, &source, "trade", feature);
        assert_eq!(run.code, Some(2), "{name}: {}{}", run.stdout, run.stderr);
        let at = format!("pipeline.toml:{line}:");
        assert!(run.stderr.contains(said), "{name}: {}", run.stderr);
        assert!(run.stderr.contains(&at), "{name}: {}", run.stderr);
    }
}

#[test]
fn the_feed_that_would_be_opened_is_shown_without_credentials() {
    let source = "instruments = [\"BTC/USD.KRAKEN\"]";
    let deep = "kind = \"queue_imbalance\"\nlevels = 20";
    let run = check("shown", source, "book", deep);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for line in [
        "feed      KRAKEN at wss://ws.kraken.com/v2\n",
        "          streams trade ticker book:25\n",
    ] {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
    let source = "instruments = [\"AAPL.ALPACA\"]\n[source.websocket]\nkey = \"env:PATH\"\nsecret = \"env:PATH\"";
    let run = check("account-shown", source, "trade", "kind = \"price\"");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let path = std::env::var("PATH").expect("there is a path");
    assert!(
        run.stdout
            .contains("ALPACA at wss://stream.data.alpaca.markets/v2/iex")
    );
    assert!(!run.stdout.contains(&path), "{}", run.stdout);
}

#[test]
fn a_warning_is_shown_and_the_pipeline_would_run() {
    let source =
        "instruments = [\"BTCUSDT.BINANCE\"]\n[source.websocket]\nurl = \"ws://relay.example.com\"";
    let run = check("clear", source, "trade", "kind = \"price\"");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(
        run.stdout
            .contains("warning   `ws://relay.example.com` is not encrypted")
    );
}

/// The instruments of a described feed are of its venue, and its features need its tables.
#[test]
fn a_described_feed_is_told_what_it_lacks() {
    let feed = "[source.websocket]\nurl = \"wss://feed.orchard.example\"\n[source.websocket.json]\nvenue = \
                \"ORCHARD\"\n[source.websocket.json.trade]\nwhen = { \"/type\" = \"trade\" }\nsymbol = \"/s\"\n\
                price = \"/p\"\nsize = \"/q\"\nside = \"/d\"\n";
    let price = "kind = \"price\"";
    let run = check(
        "described",
        &format!("instruments = [\"PLUM:EUR.ORCHARD\"]\n{feed}"),
        "trade",
        price,
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(
        run.stdout
            .contains("feed      ORCHARD at wss://feed.orchard.example\n")
    );
    let run = check(
        "other-venue",
        &format!("instruments = [\"PLUM:EUR.VEG\"]\n{feed}"),
        "trade",
        price,
    );
    assert_eq!(run.code, Some(2));
    let said = "did you mean PLUM:EUR.ORCHARD? Or change `venue`";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    let source = format!("instruments = [\"PLUM:EUR.ORCHARD\"]\n{feed}");
    let run = check("no-quotes", &source, "trade", "kind = \"mid\"");
    assert_eq!(run.code, Some(2));
    let said = "add the table [source.websocket.json.quote] or [source.websocket.json.book]";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

/// The described feed of the tests below, with its time and its condition.
fn orchard(when: &str, time_unit: &str) -> String {
    format!(
        "name = \"orchard\"\n[source]\nkind = \"websocket\"\ninstruments = [\"PEAR.ORCHARD\"]\n[source.websocket]\n\
         url = \"ws://127.0.0.1:9\"\n[source.websocket.json]\nvenue = \"ORCHARD\"\nevents = \"/list\"\n\
         [source.websocket.json.trade]\nwhen = {{ \"{when}\" = \"trades\" }}\nsymbol = \"/s\"\nprice = \"/p\"\n\
         size = \"/q\"\nside = \"/d\"\ntime = \"/t\"\ntime_unit = \"{time_unit}\"\n[row]\non = \"trade\"\n[[feature]]\n\
         name = \"one\"\nkind = \"price\"\n[model]\nkind = \"sum\"\n"
    )
}

/// A trade of the feed, in microseconds.
const TRADES: &str = "{\"kind\":\"trades\",\"list\":[{\"s\":\"PEAR\",\"p\":2,\"q\":1,\"d\":\"buy\",\"t\":1795771800123456}]}\n";

fn replay(name: &str, when: &str, time_unit: &str) -> given::Run {
    let folder = Folder::new(&format!("orchard-{name}"));
    let pipeline = folder.write("pipeline.toml", orchard(when, time_unit));
    let input = folder.write("orchard.jsonl", TRADES);
    given::foretick(&["replay".into(), pipeline, "--input".into(), input])
}

#[test]
fn a_message_that_no_table_of_a_described_feed_takes_is_shown_with_the_reason() {
    let run = replay("when", "/kind", "us");
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    for said in [
        "unknown_type",
        "{\"kind\":\"trades\",\"list\":[",
        "it is no trade: at `/kind` there is nothing, not `trades`; `^/kind` has it: write that",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    assert_eq!(replay("sound", "^/kind", "us").code, Some(0));
}

/// Quotes are read and trades are not: no signal comes of it, and the end of the replay says why.
#[test]
fn a_replay_without_signals_shows_the_first_message_that_no_table_takes() {
    let folder = Folder::new("orchard-quotes");
    let quote = "[source.websocket.json.quote]\nwhen = { \"^/kind\" = \"quotes\" }\nsymbol = \"/s\"\nbid_price = \
                 \"/b\"\nbid_size = \"/q\"\nask_price = \"/a\"\nask_size = \"/q\"\ntime = \"/t\"\ntime_unit = \"us\"\n[row]";
    let text = orchard("/kind", "us").replace("[row]", quote);
    let pipeline = folder.write("pipeline.toml", text);
    let quotes = "{\"kind\":\"quotes\",\"list\":[{\"s\":\"PEAR\",\"b\":2,\"a\":3,\"q\":1,\"t\":1795771800000000}]}\n";
    let input = folder.write("orchard.jsonl", format!("{quotes}{TRADES}"));
    let run = given::foretick(&["replay".into(), pipeline, "--input".into(), input]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for said in [
        "no signal was made; the first frame that was not read is 1 (from 0; unknown_type)",
        "`^/kind` has it: write that",
        "it is no quote: at `^/kind` there is `trades`, not `quotes`",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn a_time_in_another_unit_than_told_is_refused_with_its_unit() {
    for unit in ["ms", "ns", "s", "rfc3339"] {
        let run = replay(unit, "^/kind", unit);
        assert_eq!(run.code, Some(1), "{unit}: {}", run.stdout);
        let said = "time_in_microseconds `/t`";
        assert!(run.stderr.contains(said), "{unit}: {}", run.stderr);
    }
}

/// What comes can be recorded before anything is known of it; signals cannot be made of it.
#[test]
fn a_feed_without_tables_can_be_recorded_and_inspected() {
    let folder = Folder::new("orchard-record");
    let text = orchard("^/kind", "us");
    let (head, rest) = text
        .split_once("[source.websocket.json.trade]")
        .expect("a table");
    let (_, tail) = rest.split_once("[row]").expect("a table");
    let bare = folder.write("pipeline.toml", format!("{head}[row]{tail}"));
    let run = given::foretick(&["check".into(), "--offline".into(), bare.clone()]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr
            .contains("add the table [source.websocket.json.trade]")
    );
    let capture = folder.path("capture.jsonl");
    let run = given::foretick(&[
        "record".into(),
        bare,
        "--output".into(),
        capture,
        "--seconds".into(),
        "1".into(),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let described = folder.write("described.toml", text);
    let trades = folder.write("trades.jsonl", TRADES);
    let run = given::foretick(&[
        "inspect".into(),
        "--pipeline".into(),
        described,
        "--json".into(),
        trades.clone(),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("PEAR.ORCHARD"), "{}", run.stdout);
    let run = given::foretick(&["inspect".into(), trades]);
    assert_eq!(run.code, Some(1), "it is no venue's: {}", run.stdout);
}
