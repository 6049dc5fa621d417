//! Feeds that a pipeline describes itself: the forms of real venues, and one whose messages are made of the
//! tags of FIX.

use std::fmt::Write;

use foretick::decode::venue::{
    BookProof, Keepalive, Proof, Reaction, SnapshotRequest, Venue, Wanted,
};
use foretick::decode::{DecodeError, Decoded, Decoder, Notice};
use foretick::engine::book::{Applied, Book};
use foretick::event::{Batch, Body, Depth, Event, Level, Link, Quote, Splice, Trade, TradeIds};
use foretick::frame::Origin;
use foretick::pipeline::Pipeline;
use foretick::time::LikelyUnit;
use foretick::units::{Nanos, Price, Side, Size};

use crate::given::Folder;
use crate::needs;

/// Lists of pairs, the symbol in the message, changes that chain, a plain text as pong.
const CHAINED: &str = r#"
subscribe = ['{"op":"subscribe","args":[{"channel":"books","instId":"{symbol}"}]}']
resubscribe = ['{"op":"unsubscribe","id":"{symbol}"}', '{"op":"subscribe","id":"{symbol}"}']
events = "/data"
keepalive = "ping"
keepalive_ms = 20_000
silent_max_ms = 30_000
ignore = [{ "^" = "pong" }, { "/event" = "*subscribe" }]
reconnect = [{ "/event" = "notice", "/code" = "64008" }]
rejected = [{ "/event" = "error", "/code" = "60018" }]
fatal = [{ "/event" = "error" }]
reason = "/msg"
[source.websocket.json.trade]
when = { "^/arg/channel" = "trades" }
symbol = "/instId"
price = "/px"
size = "/sz"
side = "/side"
id = "/tradeId"
ids = "successive"
time = "/ts"
[source.websocket.json.book]
when = { "^/arg/channel" = "books*" }
symbol = "^/arg/instId"
bids = "/bids"
asks = "/asks"
snapshot = { "^/action" = "snapshot" }
previous = "/prevSeqId"
last = "/seqId"
time = "/ts"
"#;

/// Lists of objects with bare numbers, a book that is cut off, times as text.
const NAMED: &str = r#"
subscribe = ['{"method":"subscribe","params":{"channel":"book","symbol":[{symbols}]}}']
events = "/data"
ignore = [{ "/channel" = "heartbeat" }, { "/channel" = "status" }, { "/method" = "*" }]
[[source.websocket.json.answer]]
when = { "/channel" = "ping" }
send = '{"method":"pong"}'
[source.websocket.json.trade]
when = { "^/channel" = "trade" }
symbol = "/symbol"
price = "/price"
size = "/qty"
side = "/side"
id = "/trade_id"
ids = "rising"
time = "/timestamp"
time_unit = "rfc3339"
[source.websocket.json.quote]
when = { "^/channel" = "ticker" }
symbol = "/symbol"
bid_price = "/bid"
bid_size = "/bid_qty"
ask_price = "/ask"
ask_size = "/ask_qty"
[source.websocket.json.book]
when = { "^/channel" = "book" }
symbol = "/symbol"
bids = "/bids"
asks = "/asks"
level_price = "/price"
level_size = "/qty"
snapshot = { "^/type" = "snapshot" }
keep_levels = 10
time = "/timestamp"
time_unit = "rfc3339"
"#;

/// Tags as names, one list of the levels of both sides, a list of messages, seconds.
const TAGGED: &str = r#"
path = "/md?symbols={symbols}"
resubscribe = ['{"35":"V","55":"{symbol}"}']
events = ""
newest_first = true
[source.websocket.json.trade]
when = { "/35" = "AE" }
symbol = "/55"
price = "/31"
size = "/32"
side = "/54"
buy = "1"
sell = "2"
id = "/1003"
time = "/60"
time_unit = "s"
[source.websocket.json.book]
when = { "/35" = "*", "/268" = "*" }
symbol = "/55"
levels = "/268"
level_side = "/269"
bid = "0"
ask = "1"
level_price = "/270"
level_size = "/271"
level_gone = { "/279" = "2" }
snapshot = { "/35" = "W" }
first = "/5001"
last = "/5002"
"#;

fn text_of(feed: &str, on: &str) -> String {
    format!(
        "name = \"described\"\n[source]\nkind = \"websocket\"\ninstruments = []\n\
         [source.websocket]\nurl = \"wss://feed.example\"\n\
         [source.websocket.json]\nvenue = \"MINE\"\n{feed}\n\
         [row]\non = \"{on}\"\n[[feature]]\nname = \"f\"\nkind = \"mid\"\n\
         [model]\nkind = \"sum\"\nnormalise = \"none\"\n"
    )
}

/// When the messages are received.
const RECEIVED: Nanos = Nanos(1_790_000_000_250_000_000);

/// A decoder of a described feed, and the feed.
struct Feed {
    venue: &'static dyn Venue,
    decoder: Decoder,
    batch: Batch,
}

impl Feed {
    fn new(name: &str, feed: &str) -> Self {
        let folder = Folder::new(&format!("described-{name}"));
        let pipeline = folder.pipeline(&text_of(feed, "book"), &[]);
        Self {
            venue: pipeline.venues().named("MINE").expect("it is described"),
            decoder: pipeline.decoder(),
            batch: Batch::default(),
        }
    }

    fn read(&mut self, message: &str) -> Result<Decoded, DecodeError> {
        let origin = Origin {
            ts_recv: RECEIVED,
            offset: 0,
            partition: 0,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        self.decoder
            .decode(origin, message.as_bytes(), &mut self.batch)
    }

    /// The events of a message, with the names of their instruments.
    fn events(&mut self, message: &str) -> Vec<(String, Event)> {
        self.batch.clear();
        let read = self.read(message);
        assert_eq!(read, Ok(Decoded::Events), "{message}");
        assert!(self.venue.recognises(message.as_bytes()), "{message}");
        let names = self.decoder.instruments();
        let named = |event: &Event| (names.name(event.instrument).to_owned(), *event);
        self.batch.events.iter().map(named).collect()
    }

    fn only(&mut self, message: &str) -> (String, Event) {
        let mut events = self.events(message);
        assert_eq!(events.len(), 1, "{message}");
        events.remove(0)
    }

    fn depth(&mut self, message: &str) -> (Depth, Vec<Level>, Vec<Level>) {
        let (_, event) = self.only(message);
        let Body::Depth(depth) = event.body else {
            panic!("{event:?}")
        };
        let (bids, asks) = self.batch.levels(&depth);
        (depth, bids.to_vec(), asks.to_vec())
    }
}

fn price(text: &str) -> Price {
    Price::parse(text.as_bytes()).expect("a price")
}

fn size(text: &str) -> Size {
    Size::parse(text.as_bytes()).expect("a size")
}

fn level(price_text: &str, size_text: &str) -> Level {
    Level {
        price: price(price_text),
        size: size(size_text),
    }
}

#[test]
fn a_feed_of_pairs_that_chains() {
    let mut feed = Feed::new("chained", CHAINED);
    let (name, event) = feed.only(
        r#"{"arg":{"channel":"trades","instId":"OAK-ELM"},"data":[{"instId":"OAK-ELM","tradeId":"77","px":"20.5","sz":"0.12060306","side":"sell","ts":"1790000000123"}]}"#,
    );
    assert_eq!(name, "OAK-ELM.MINE");
    assert_eq!(event.ts_event, Nanos(1_790_000_000_123_000_000));
    let trade = Trade {
        price: price("20.5"),
        size: size("0.12060306"),
        trade_id: 77,
        ids: TradeIds::Successive,
        side: Some(Side::Sell),
        aggregate: false,
    };
    assert_eq!(event.body, Body::Trade(trade));
    let whole = r#"{"arg":{"channel":"books","instId":"OAK-ELM"},"action":"snapshot","data":[{"asks":[["21","2","0","1"]],"bids":[["20","1","0","1"],["19",3]],"ts":"1790000000200","checksum":0,"seqId":50,"prevSeqId":-1}]}"#;
    let (depth, bids, asks) = feed.depth(whole);
    assert_eq!(depth.snapshot, Some(Splice::InOrder));
    assert_eq!((depth.first, depth.last), (50, 50));
    assert_eq!(bids, [level("20", "1"), level("19", "3")]);
    assert_eq!(asks, [level("21", "2")]);
    let change = whole
        .replace("snapshot", "update")
        .replace(":50", ":64")
        .replace(":-1", ":50");
    let (depth, ..) = feed.depth(&change);
    assert_eq!((depth.first, depth.last, depth.link), (51, 64, Link::Chain));
    assert_eq!(depth.snapshot, None);
    let book = BookProof::Chain;
    let trades = Some(TradeIds::Successive);
    assert_eq!(feed.venue.proof(), Proof { book, trades });
    let symbols = ["OAK-ELM".to_owned(), "ASH-\"FIR".to_owned()];
    let subscription = feed.venue.subscription(&Wanted {
        url: "wss://feed.example",
        symbols: &symbols,
        streams: &[],
        credentials: None,
    });
    assert_eq!(subscription.address, "wss://feed.example");
    assert_eq!(
        subscription.messages,
        [
            r#"{"op":"subscribe","args":[{"channel":"books","instId":"OAK-ELM"}]}"#,
            r#"{"op":"subscribe","args":[{"channel":"books","instId":"ASH-\"FIR"}]}"#
        ]
    );
    let SnapshotRequest::Send(messages) = feed.venue.snapshot_request("OAK-ELM", &[]) else {
        panic!("it is sent")
    };
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1], r#"{"op":"subscribe","id":"OAK-ELM"}"#);
    let symbol = |message: &str| feed.venue.symbol_of(message.as_bytes()).map(String::from);
    assert_eq!(symbol(whole).as_deref(), Some("OAK-ELM"));
    assert_eq!(symbol("pong"), None);
    let changed = |message: &str| feed.venue.book_change_of(message.as_bytes()).is_some();
    assert!(changed(&change) && !changed(whole));
}

#[test]
fn notices_of_a_described_feed() {
    let mut feed = Feed::new("notices", CHAINED);
    let of = |words: &str| words.to_owned();
    for (message, notice, reaction) in [
        ("pong", Notice::Ack, Reaction::None),
        (
            r#"{"event":"unsubscribe","arg":{}}"#,
            Notice::Ack,
            Reaction::None,
        ),
        (
            r#"{"event":"notice","code":64008,"msg":"soon"}"#,
            Notice::Shutdown,
            Reaction::Reconnect,
        ),
        (
            r#"{"event":"error","code":"60009","msg":"a wrong \u006bey"}"#,
            Notice::VenueError,
            Reaction::Fatal(of("a wrong key")),
        ),
        (
            r#" {"event":"error","code":"60009"} "#,
            Notice::VenueError,
            Reaction::Fatal(of(r#"{"event":"error","code":"60009"}"#)),
        ),
    ] {
        assert_eq!(feed.read(message), Ok(Decoded::Notice(notice)), "{message}");
        assert_eq!(
            feed.venue.reaction(message.as_bytes()),
            reaction,
            "{message}"
        );
        assert!(feed.venue.recognises(message.as_bytes()), "{message}");
    }
    for (message, error) in [
        (r#"{"event":"#, DecodeError::Truncated),
        (r#"{"event":"pong",}"#, DecodeError::Malformed),
        ("ping", DecodeError::Malformed),
        (r#"{"event":"other"}"#, DecodeError::UnknownType),
        (
            r#"{"channels":"trades","rows":[]}"#,
            DecodeError::UnknownType,
        ),
    ] {
        assert_eq!(feed.read(message), Err(error), "{message}");
    }
    assert!(feed.batch.events.is_empty() && feed.batch.origins.is_empty());
    let keepalive = feed.venue.keepalive();
    let millis = std::time::Duration::from_millis;
    let expected = Keepalive {
        send: Some(("ping", millis(20_000))),
        silent_max: Some(millis(30_000)),
    };
    assert_eq!(keepalive, expected);
    // A refusal of one symbol is tried before that of the connection, where both conditions hold.
    let refused = r#"{"event":"error","code":"60018","msg":"no such symbol"}"#;
    let reaction = feed.venue.reaction(refused.as_bytes());
    assert_eq!(reaction, Reaction::Rejected(of("no such symbol")));
}

#[test]
fn a_feed_of_named_fields_and_bare_numbers() {
    let mut feed = Feed::new("named", NAMED);
    let trades = r#"{"channel":"trade","type":"update","data":[{"symbol":"OAK/ELM","side":"buy","price":20.50,"qty":1.00,"trade_id":7,"timestamp":"2026-09-21T13:33:20.5Z"},{"symbol":"OAK/ELM","side":"sell","price":20.6,"qty":2e0,"trade_id":9,"timestamp":"2026-09-21T13:33:21Z"}]}"#;
    let events = feed.events(trades);
    let times: Vec<Nanos> = events.iter().map(|(_, event)| event.ts_event).collect();
    let start = 1_789_997_600_000_000_000;
    assert_eq!(
        times,
        [Nanos(start + 500_000_000), Nanos(start + 1_000_000_000)]
    );
    assert!(
        matches!(events[1].1.body, Body::Trade(trade) if trade.size == size("2")
        && trade.trade_id == 9 && trade.ids == TradeIds::Rising)
    );
    let ticker = r#"{"channel":"ticker","data":[{"symbol":"OAK/ELM","bid":20.4,"bid_qty":1,"ask":null,"ask_qty":0}]}"#;
    let (_, event) = feed.only(ticker);
    let quote = Quote {
        bid_px: price("20.4"),
        bid_sz: size("1"),
        ask_px: Price::UNDEFINED,
        ask_sz: Size::ZERO,
        sequence: 0,
    };
    assert_eq!(event.body, Body::Quote(quote));
    assert_eq!(event.ts_event, Nanos::UNDEFINED);
    assert!(feed.venue.is_quote(ticker.as_bytes()) && !feed.venue.is_quote(trades.as_bytes()));
    let whole = r#"{"channel":"book","type":"snapshot","data":[{"symbol":"OAK/ELM","bids":[{"price":20.3,"qty":1.0}],"timestamp":"2026-09-21T13:33:20Z"}]}"#;
    let (depth, bids, asks) = feed.depth(whole);
    assert_eq!((depth.keep, depth.first, depth.last), (10, 0, 0));
    assert_eq!((bids.len(), asks.len()), (1, 0));
    assert_eq!(feed.venue.proof().book, BookProof::Nothing);
    let ping = br#"{"channel":"ping"}"#;
    let answer = Reaction::Answer(r#"{"method":"pong"}"#.into());
    assert_eq!(feed.venue.reaction(ping), answer);
    let symbols = ["OAK/ELM".to_owned(), "ASH/FIR".to_owned()];
    let subscription = feed.venue.subscription(&Wanted {
        url: "wss://feed.example",
        symbols: &symbols,
        streams: &[],
        credentials: None,
    });
    let expected =
        r#"{"method":"subscribe","params":{"channel":"book","symbol":["OAK/ELM","ASH/FIR"]}}"#;
    assert_eq!(subscription.messages, [expected]);
    let two = trades.replacen("OAK/ELM", "ASH/FIR", 1);
    assert_eq!(
        feed.venue.symbol_of(trades.as_bytes()).as_deref(),
        Some("OAK/ELM")
    );
    assert_eq!(feed.venue.symbol_of(two.as_bytes()), None, "of two symbols");
    assert_eq!(feed.events(&two)[0].0, "ASH/FIR.MINE");
}

#[test]
fn events_of_a_feed_without_times_have_the_time_at_which_they_came() {
    let untimed: String = NAMED
        .lines()
        .filter(|line| !line.starts_with("time"))
        .map(|line| format!("{line}\n"))
        .collect();
    let trades = r#"{"channel":"trade","data":[{"symbol":"OAK/ELM","side":"buy","price":20.50,"qty":1.00,"trade_id":7}]}"#;
    let (_, event) = Feed::new("untimed", &untimed).only(trades);
    assert_eq!(event.ts_event, RECEIVED);
    // Where others have times, its own clock and the venue's are not mixed.
    let ticker = r#"{"channel":"ticker","data":[{"symbol":"OAK/ELM","bid":20.4,"bid_qty":1,"ask":21,"ask_qty":1}]}"#;
    let (_, event) = Feed::new("timed", NAMED).only(ticker);
    assert_eq!(event.ts_event, Nanos::UNDEFINED);
}

#[test]
fn a_feed_of_tags_in_lists() {
    let mut feed = Feed::new("tagged", TAGGED);
    let later = r#"{"35":"AE","55":"EUR/USD","31":"1.0502","32":"5","54":2,"1003":"b-17","60":1790000000.25}"#;
    let sooner = later.replace(".25", ".125").replace("b-17", "b-16");
    let events = feed.events(&format!("[{later},{sooner}]"));
    let times: Vec<i64> = events.iter().map(|(_, event)| event.ts_event.0).collect();
    let start = 1_790_000_000_000_000_000;
    assert_eq!(
        times,
        [start + 125_000_000, start + 250_000_000],
        "oldest first"
    );
    let ids: Vec<u64> = events
        .iter()
        .map(|(_, event)| match event.body {
            Body::Trade(trade) if trade.ids == TradeIds::Distinct => trade.trade_id,
            _ => 0,
        })
        .collect();
    assert!(ids[0] != ids[1] && !ids.contains(&0), "{ids:?}");
    let whole = r#"[{"35":"W","55":"EUR/USD","268":[{"269":"0","270":"1.05","271":"100"},{"269":1,"270":"1.06","271":"200"},{"269":"0","270":"1.04","271":"300"}],"5001":10,"5002":10}]"#;
    let (depth, bids, asks) = feed.depth(whole);
    assert_eq!((depth.first, depth.last), (10, 10));
    assert_eq!(bids, [level("1.05", "100"), level("1.04", "300")]);
    assert_eq!(asks, [level("1.06", "200")]);
    let change = r#"{"35":"X","55":"EUR/USD","268":[{"279":"2","269":"0","270":"1.05","271":"100"}],"5001":"11","5002":"13"}"#;
    let (depth, bids, _) = feed.depth(change);
    assert_eq!((depth.first, depth.last, depth.link), (11, 13, Link::Range));
    assert_eq!(bids, [level("1.05", "0")]);
    assert_eq!(feed.venue.proof().book, BookProof::SymbolNumbers);
    let symbols = ["EUR/USD".to_owned(), "测".to_owned()];
    let subscription = feed.venue.subscription(&Wanted {
        url: "wss://feed.example",
        symbols: &symbols,
        streams: &[],
        credentials: None,
    });
    let address = "wss://feed.example/md?symbols=EUR%2FUSD,%E6%B5%8B";
    assert_eq!(subscription.address, address);
}

#[test]
fn a_value_that_cannot_be_read_is_named_by_its_pointer() {
    let mut feed = Feed::new("values", CHAINED);
    let trade = r#"{"arg":{"channel":"trades"},"data":[{"instId":"A","tradeId":"7","px":"2","sz":"1","side":"buy","ts":"1790000000123"}]}"#;
    let book = r#"{"arg":{"channel":"books","instId":"A"},"action":"update","data":[{"asks":[["21","2"]],"bids":[],"ts":"1790000000200","seqId":50,"prevSeqId":40}]}"#;
    for (message, from, to, error) in [
        (trade, r#""px":"2","#, "", DecodeError::MissingField("/px")),
        (
            trade,
            r#""px":"2""#,
            r#""px":null"#,
            DecodeError::MissingField("/px"),
        ),
        (
            trade,
            r#""px":"2""#,
            r#""px":[2]"#,
            DecodeError::WrongType("/px"),
        ),
        (
            trade,
            r#""px":"2""#,
            r#""px":true"#,
            DecodeError::WrongType("/px"),
        ),
        (
            trade,
            r#""px":"2""#,
            r#""px":"x""#,
            DecodeError::BadNumber("/px"),
        ),
        (
            trade,
            r#""px":"2""#,
            r#""px":"-2""#,
            DecodeError::OutOfRange("/px"),
        ),
        (
            trade,
            r#""sz":"1""#,
            r#""sz":"0""#,
            DecodeError::OutOfRange("/sz"),
        ),
        (
            trade,
            r#""sz":"1""#,
            r#""sz":"1.0000000000000000000001""#,
            DecodeError::TooPrecise("/sz"),
        ),
        (
            trade,
            r#""buy""#,
            r#""Buy""#,
            DecodeError::OutOfRange("/side"),
        ),
        (
            trade,
            r#""7""#,
            r#""7.5""#,
            DecodeError::BadNumber("/tradeId"),
        ),
        (
            trade,
            r#""7""#,
            r#""-7""#,
            DecodeError::OutOfRange("/tradeId"),
        ),
        (
            trade,
            "1790000000123",
            "1790000000",
            DecodeError::ImplausibleTime("/ts", Some(LikelyUnit::Seconds)),
        ),
        (
            trade,
            "1790000000123",
            "1790000000123000",
            DecodeError::ImplausibleTime("/ts", Some(LikelyUnit::Microseconds)),
        ),
        (
            trade,
            "1790000000123",
            "1790000000123000000",
            DecodeError::ImplausibleTime("/ts", Some(LikelyUnit::Nanoseconds)),
        ),
        (
            trade,
            "1790000000123",
            "20260921",
            DecodeError::ImplausibleTime("/ts", None),
        ),
        (trade, "1790000000123", "now", DecodeError::BadNumber("/ts")),
        (
            trade,
            r#""A""#,
            r#"" ""#,
            DecodeError::OutOfRange("/instId"),
        ),
        (trade, r#""A""#, r#"{}"#, DecodeError::WrongType("/instId")),
        (
            book,
            r#"[["21","2"]]"#,
            r#"{"21":2}"#,
            DecodeError::WrongType("/asks"),
        ),
        (
            book,
            r#"["21","2"]"#,
            r#"["21"]"#,
            DecodeError::MissingField("/1"),
        ),
        (
            book,
            r#"["21","2"]"#,
            r#"7"#,
            DecodeError::MissingField("/0"),
        ),
        (book, ":40", ":-1", DecodeError::OutOfRange("/prevSeqId")),
        (book, ":50", ":null", DecodeError::MissingField("/seqId")),
    ] {
        let broken = message.replace(from, to);
        assert_eq!(feed.read(&broken), Err(error), "{broken}");
        let batch = &feed.batch;
        assert!(batch.events.is_empty() && batch.levels.is_empty() && batch.origins.is_empty());
    }
    let mut bytes = trade.to_owned().into_bytes();
    bytes[20] = 0xff;
    for cut in 0..bytes.len() {
        let origin = Origin {
            ts_recv: Nanos::UNDEFINED,
            offset: 0,
            partition: 0,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        let result = feed.decoder.decode(origin, &bytes[..cut], &mut feed.batch);
        assert!(result.is_err(), "{cut}");
    }
}

#[test]
fn a_mistake_in_a_description_is_named() {
    let folder = Folder::new("described-mistakes");
    let text = text_of(CHAINED, "book");
    let (pair, word) = (r#"bids = "/bids""#, "{symbol}");
    for (from, to, line, said) in [
        (
            "venue = \"MINE\"",
            "venue = \"MY.FEED\"",
            "venue",
            "write a word",
        ),
        (
            "venue = \"MINE\"",
            "venue = \"binance\"",
            "venue",
            "a venue that Foretick knows",
        ),
        (
            "url = ",
            "idle_ms = 900 # ",
            "[source.websocket]",
            "add `url`",
        ),
        (
            "on = \"book\"",
            "on = \"quote\"",
            "on = ",
            "[source.websocket.json.quote]",
        ),
        (
            "on = \"book\"",
            "on = \"bar\"",
            "on = ",
            "trades, quotes and books",
        ),
        ("\"/px\"", "\"px\"", "price = ", "write `/px` for a field"),
        (
            "\"/px\"",
            "\"/*/px\"",
            "price = ",
            "`*` is for `events` alone",
        ),
        (
            "events = \"/data\"",
            "events = \"^/data\"",
            "events = ",
            "write `/data`",
        ),
        (
            "\"^/arg/channel\" = \"trades\"",
            "",
            "when = ",
            "names a pointer and its text",
        ),
        (
            "\"^/arg/channel\" = \"trades\"",
            "\"arg\" = \"x\"",
            "when = ",
            "no JSON pointer",
        ),
        (word, "{symbool}", "subscribe = ", "`{symbool}`"),
        (
            "keepalive_ms = 20_000",
            "",
            "[source.websocket.json]",
            "how often",
        ),
        (
            "keepalive = \"ping\"",
            "",
            "[source.websocket.json]",
            "what is sent",
        ),
        (
            "id = \"/tradeId\"",
            "",
            "[source.websocket.json.trade]",
            "`ids` says something",
        ),
        (
            "side = \"/side\"",
            "side = \"/side\"\nbuy = \"sell\"",
            "[source.websocket.json.trade]",
            "different words",
        ),
        (
            pair,
            "",
            "[source.websocket.json.book]",
            "by `bids` and `asks`, or by `levels`",
        ),
        (
            "snapshot = {",
            "level_gone = {",
            "[source.websocket.json.book]",
            "or that all do by `whole`",
        ),
        (
            "last = ",
            "first = ",
            "[source.websocket.json.book]",
            "change's own number",
        ),
        (
            "last = ",
            "first = \"/f\"\nlast = ",
            "first = ",
            "take `first` out",
        ),
        (
            "resubscribe = ",
            "# ",
            "[source.websocket.json]",
            "needs to begin anew",
        ),
        (
            "ids = \"successive\"",
            "ids = \"some\"",
            "ids = ",
            "unknown variant `some`",
        ),
        ("price = ", "prise = ", "prise", "unknown field `prise`"),
    ] {
        let wrong = text.replacen(from, to, 1);
        assert_ne!(wrong, text, "{from}");
        let path = folder.write("pipeline.toml", &wrong);
        let error = Pipeline::load(&path, &[]).expect_err("it is wrong");
        assert!(error.what.contains(said), "{to}: {error}");
        let at = error.line.expect("a line");
        let shown = wrong.lines().nth(at - 1).expect("a line of the file");
        assert!(shown.contains(line), "{to}: {error}\n{shown}");
    }
    let other = text.replace("instruments = []", "instruments = [\"BTCUSDT.BINANCE\"]");
    let path = folder.write("pipeline.toml", other);
    let pipeline = Pipeline::load(&path, &[]).expect("of files it may be");
    let error = pipeline.websocket_settings().expect_err("another venue");
    assert!(error.what.contains("`MINE`"), "{error}");
}

/// The real messages of venues, read by a description instead of code.
#[test]
fn descriptions_read_real_messages() {
    let Some(data) = needs::data("descriptions_read_real_messages") else {
        return;
    };
    let delta = r#"
events = "/data"
ignore = [{ "/op" = "subscribe" }]
resubscribe = ['{"op":"subscribe","args":["orderbook.50.{symbol}"]}']
[source.websocket.json.book]
when = { "^/topic" = "orderbook.*" }
symbol = "/s"
bids = "/b"
asks = "/a"
snapshot = { "^/type" = "snapshot" }
last = "/u"
time = "^/ts"
"#;
    let mixed = r#"
events = "/events"
ignore = [{ "/channel" = "subscriptions" }]
[source.websocket.json.book]
when = { "^/channel" = "l2_data" }
symbol = "/product_id"
levels = "/updates"
level_side = "/side"
ask = "offer"
level_price = "/price_level"
level_size = "/new_quantity"
snapshot = { "/type" = "snapshot" }
time = "^/timestamp"
time_unit = "rfc3339"
"#;
    for (name, feed, symbol, notices, changes) in [
        ("okx_books", CHAINED, "BTC-USDT", 1, 7),
        ("kraken_book", NAMED, "BTC/USD", 4, 4),
        ("bybit_orderbook", delta, "BTCUSDT", 1, 9),
        ("coinbase_l2", mixed, "BTC-USD", 1, 11),
    ] {
        let mut feed = Feed::new(name, feed);
        let file = data.join(format!("captures/frames/{name}.jsonl"));
        let frames = std::fs::read_to_string(file).expect("a capture is text");
        let (mut book, mut seen, mut names) = (Book::default(), (0, 0), String::new());
        for frame in frames.lines() {
            feed.batch.clear();
            match feed.read(frame) {
                Ok(Decoded::Notice(_)) => seen.0 += 1,
                Ok(Decoded::Events) => seen.1 += 1,
                Err(error) => panic!("{name}: {error:?} of {frame}"),
            }
            for event in &feed.batch.events {
                let Body::Depth(depth) = event.body else {
                    panic!("{event:?}")
                };
                let (bids, asks) = feed.batch.levels(&depth);
                let applied = book.apply(&depth, bids, asks, event.ts_event);
                let is_sound = matches!(applied, Applied::Changed | Applied::Spliced { .. });
                assert!(is_sound, "{name}: {applied:?}");
                assert!(!book.is_crossed(), "{name}");
                names.clear();
                let instruments = feed.decoder.instruments();
                write!(names, "{}", instruments.name(event.instrument)).expect("text");
            }
        }
        assert_eq!(seen, (notices, changes), "{name}");
        assert_eq!(names, format!("{symbol}.MINE"));
    }
}
