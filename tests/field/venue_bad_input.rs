//! K: messages of each registered venue with a wrong type, a field twice, text that is no number, or a number
//! that cannot be: each is refused with the field at fault, is kept as a dead letter, and leaves nothing
//! behind. One table of good messages for each venue; the faults are the same for all.

use foretick::decode::{DecodeError, Decoded, Decoder, Venues};
use foretick::event::{Batch, Body, Event};
use foretick::frame::Origin;
use foretick::instrument::Instruments;
use foretick::run::replay::{ReplayOptions, replay};
use foretick::units::Nanos;
use serde_json::Value;

use crate::given::{Folder, repository};

/// What a venue sends.
struct VenueMessages {
    venue: &'static str,
    /// A market with an event of each kind, in order.
    good: &'static [&'static str],
    /// Numbers in these messages: which message, what stands before the number, the number as written, and
    /// the name under which it is refused.
    numbers: &'static [(usize, &'static str, &'static str, &'static str)],
    /// A part of some messages without which a copy of one is no copy.
    number_of_message: &'static str,
}

const TABLE: [VenueMessages; 7] = [
    VenueMessages {
        venue: "BINANCE",
        good: &[
            r#"{"stream":"abcusdt@depth_snapshot","data":{"lastUpdateId":9,"bids":[["20.40","1"]],"asks":[["20.60","2"]]}}"#,
            r#"{"stream":"abcusdt@bookTicker","data":{"u":10,"s":"ABCUSDT","b":"20.40","B":"1.5","a":"20.60","A":"2.5"}}"#,
            r#"{"stream":"abcusdt@trade","data":{"e":"trade","E":1767323045000,"s":"ABCUSDT","t":41,"p":"20.50","q":"3.25","T":1767323045000,"m":true,"M":true}}"#,
            r#"{"stream":"abcusdt@depth@100ms","data":{"e":"depthUpdate","E":1767323045100,"s":"ABCUSDT","U":10,"u":12,"b":[["20.41","4"]],"a":[["20.61","5"]]}}"#,
            r#"{"stream":"abcusdt@trade","data":{"e":"trade","E":1767323045200,"s":"ABCUSDT","t":42,"p":"20.51","q":"3.5","T":1767323045200,"m":false,"M":true}}"#,
        ],
        numbers: &[
            (0, r#""bids":[["#, r#""20.40""#, "price"),
            (0, r#""20.60","#, r#""2""#, "size"),
            (1, r#""b":"#, r#""20.40""#, "b"),
            (1, r#""A":"#, r#""2.5""#, "A"),
            (2, r#""p":"#, r#""20.50""#, "p"),
            (2, r#""q":"#, r#""3.25""#, "q"),
            (3, r#""b":[["#, r#""20.41""#, "price"),
            (3, r#""20.61","#, r#""5""#, "size"),
            (4, r#""p":"#, r#""20.51""#, "p"),
        ],
        number_of_message: "",
    },
    VenueMessages {
        venue: "BINANCE_USDM",
        good: &[
            r#"{"stream":"abcusdt@depth_snapshot","data":{"lastUpdateId":70,"E":1767323044990,"T":1767323044980,"bids":[["20.30","1"]],"asks":[["20.60","2"]]}}"#,
            r#"{"stream":"abcusdt@bookTicker","data":{"e":"bookTicker","u":90,"s":"ABCUSDT","b":"20.40","B":"1.5","a":"20.60","A":"2.5","T":1767323045000,"E":1767323045001}}"#,
            r#"{"stream":"abcusdt@trade","data":{"e":"trade","E":1767323045001,"T":1767323045000,"s":"ABCUSDT","t":41,"p":"20.50","q":"3.25","X":"MARKET","m":true}}"#,
            r#"{"stream":"abcusdt@depth@100ms","data":{"e":"depthUpdate","E":1767323045101,"T":1767323045100,"s":"ABCUSDT","U":60,"u":90,"pu":50,"b":[["20.41","4"]],"a":[["20.61","5"]]}}"#,
            r#"{"stream":"abcusdt@trade","data":{"e":"trade","E":1767323045201,"T":1767323045200,"s":"ABCUSDT","t":42,"p":"20.51","q":"3.5","X":"MARKET","m":false}}"#,
        ],
        numbers: &[
            (0, r#""bids":[["#, r#""20.30""#, "price"),
            (1, r#""b":"#, r#""20.40""#, "b"),
            (1, r#""A":"#, r#""2.5""#, "A"),
            (2, r#""p":"#, r#""20.50""#, "p"),
            (2, r#""q":"#, r#""3.25""#, "q"),
            (3, r#""b":[["#, r#""20.41""#, "price"),
            (3, r#""20.61","#, r#""5""#, "size"),
            (4, r#""q":"#, r#""3.5""#, "q"),
        ],
        number_of_message: "",
    },
    VenueMessages {
        venue: "BYBIT",
        good: &[
            r#"{"topic":"orderbook.50.ABCUSDT","ts":1767323045003,"type":"snapshot","data":{"s":"ABCUSDT","b":[["20.4","1.5"]],"a":[["20.6","2"]],"u":50,"seq":900},"cts":1767323045000}"#,
            r#"{"topic":"orderbook.1.ABCUSDT","ts":1767323045013,"type":"snapshot","data":{"s":"ABCUSDT","b":[["20.4","1.25"]],"a":[["20.6","2.25"]],"u":41,"seq":901},"cts":1767323045010}"#,
            r#"{"topic":"publicTrade.ABCUSDT","ts":1767323045103,"type":"snapshot","data":[{"i":"2290000000000000041","T":1767323045100,"p":"20.5","v":"3.25","S":"Sell","seq":7,"s":"ABCUSDT","BT":false,"RPI":false}]}"#,
            r#"{"topic":"orderbook.50.ABCUSDT","type":"delta","ts":1767323045203,"data":{"s":"ABCUSDT","b":[["20.41","4"]],"a":[["20.61","5"]],"u":51,"seq":905},"cts":1767323045200}"#,
            r#"{"topic":"orderbook.1.ABCUSDT","type":"delta","ts":1767323045213,"data":{"s":"ABCUSDT","b":[["20.4","0"],["20.41","4"]],"a":[],"u":42,"seq":906},"cts":1767323045210}"#,
            r#"{"topic":"publicTrade.ABCUSDT","ts":1767323045303,"type":"snapshot","data":[{"i":"2290000000000000042","T":1767323045300,"p":"20.6","v":"1","S":"Buy","seq":8,"s":"ABCUSDT","BT":false,"RPI":false}]}"#,
        ],
        numbers: &[
            (0, r#""b":[["#, r#""20.4""#, "price"),
            (1, r#""20.6","#, r#""2.25""#, "size"),
            (2, r#""p":"#, r#""20.5""#, "p"),
            (2, r#""v":"#, r#""3.25""#, "v"),
            (3, r#""b":[["#, r#""20.41""#, "price"),
            (3, r#""20.61","#, r#""5""#, "size"),
        ],
        number_of_message: "",
    },
    VenueMessages {
        venue: "COINBASE",
        good: &[
            r#"{"channel":"l2_data","timestamp":"2026-01-02T03:04:05Z","sequence_num":0,"events":[{"type":"snapshot","product_id":"ABC-USD","updates":[{"side":"bid","event_time":"2026-01-02T03:04:05Z","price_level":"20.40","new_quantity":"3.001"},{"side":"offer","event_time":"2026-01-02T03:04:05Z","price_level":"20.60","new_quantity":"7"}]}]}"#,
            r#"{"channel":"ticker","client_id":"","timestamp":"2026-01-02T03:04:05.1Z","sequence_num":1,"events":[{"type":"update","tickers":[{"type":"ticker","product_id":"ABC-USD","price":"20.60","best_bid":"20.40","best_bid_quantity":"3.5","best_ask":"20.60","best_ask_quantity":"7"}]}]}"#,
            r#"{"channel":"market_trades","client_id":"","timestamp":"2026-01-02T03:04:05.2Z","sequence_num":2,"events":[{"type":"update","trades":[{"trade_id":"42","product_id":"ABC-USD","price":"20.50","size":"2.25","side":"BUY","time":"2026-01-02T03:04:05.2Z"}]}]}"#,
            r#"{"channel":"l2_data","timestamp":"2026-01-02T03:04:05.3Z","sequence_num":3,"events":[{"type":"update","product_id":"ABC-USD","updates":[{"side":"bid","event_time":"2026-01-02T03:04:05.3Z","price_level":"20.41","new_quantity":"4"},{"side":"offer","event_time":"2026-01-02T03:04:05.3Z","price_level":"20.61","new_quantity":"5.5"}]}]}"#,
            r#"{"channel":"market_trades","client_id":"","timestamp":"2026-01-02T03:04:05.4Z","sequence_num":4,"events":[{"type":"update","trades":[{"trade_id":"43","product_id":"ABC-USD","price":"20.60","size":"1","side":"SELL","time":"2026-01-02T03:04:05.4Z"}]}]}"#,
        ],
        numbers: &[
            (0, r#""price_level":"#, r#""20.40""#, "price_level"),
            (1, r#""best_bid":"#, r#""20.40""#, "best_bid"),
            (1, r#""best_ask_quantity":"#, r#""7""#, "best_ask_quantity"),
            (2, r#""price":"#, r#""20.50""#, "price"),
            (2, r#""size":"#, r#""2.25""#, "size"),
            (3, r#""price_level":"#, r#""20.61""#, "price_level"),
            (3, r#""new_quantity":"#, r#""5.5""#, "new_quantity"),
        ],
        number_of_message: r#""sequence_num":"#,
    },
    VenueMessages {
        venue: "KRAKEN",
        good: &[
            r#"{"channel":"book","type":"snapshot","data":[{"symbol":"ABC/USD","bids":[{"price":20.40,"qty":3.00}],"asks":[{"price":20.60,"qty":7.00}],"checksum":SUM0,"timestamp":"2026-01-02T03:04:05Z"}]}"#,
            r#"{"channel":"ticker","type":"update","data":[{"symbol":"ABC/USD","bid":20.40,"bid_qty":3.50,"ask":20.60,"ask_qty":7.50,"last":20.60,"volume":12.5,"timestamp":"2026-01-02T03:04:05.1Z"}]}"#,
            r#"{"channel":"trade","type":"update","data":[{"symbol":"ABC/USD","side":"buy","price":20.50,"qty":2.25,"ord_type":"market","trade_id":41,"timestamp":"2026-01-02T03:04:05.2Z"}]}"#,
            r#"{"channel":"book","type":"update","data":[{"symbol":"ABC/USD","bids":[{"price":20.41,"qty":4.00}],"asks":[{"price":20.61,"qty":5.00}],"checksum":SUM1,"timestamp":"2026-01-02T03:04:05.3Z"}]}"#,
            r#"{"channel":"trade","type":"update","data":[{"symbol":"ABC/USD","side":"sell","price":20.60,"qty":1.00,"ord_type":"limit","trade_id":42,"timestamp":"2026-01-02T03:04:05.4Z"}]}"#,
        ],
        numbers: &[
            (0, r#""bids":[{"price":"#, "20.40", "price"),
            (1, r#""bid":"#, "20.40", "bid"),
            (1, r#""ask_qty":"#, "7.50", "ask_qty"),
            (2, r#""price":"#, "20.50", "price"),
            (2, r#""qty":"#, "2.25", "qty"),
            (3, r#""price":"#, "20.61", "price"),
            (3, r#""qty":"#, "5.00", "qty"),
        ],
        number_of_message: "",
    },
    VenueMessages {
        venue: "OKX",
        good: &[
            r#"{"arg":{"channel":"books","instId":"ABC-USDT"},"action":"snapshot","data":[{"asks":[["20.6","2","0","1"]],"bids":[["20.4","1.5","0","4"]],"ts":"1767323045000","seqId":50,"prevSeqId":-1}]}"#,
            r#"{"arg":{"channel":"bbo-tbt","instId":"ABC-USDT"},"data":[{"asks":[["20.6","2.25","0","1"]],"bids":[["20.4","1.5","0","4"]],"ts":"1767323045100","seqId":51}]}"#,
            r#"{"arg":{"channel":"trades","instId":"ABC-USDT"},"data":[{"instId":"ABC-USDT","tradeId":"41","px":"20.5","sz":"3.25","side":"sell","ts":"1767323045200","count":"2","source":"0","seqId":8}]}"#,
            r#"{"arg":{"channel":"books","instId":"ABC-USDT"},"action":"update","data":[{"asks":[["20.61","5","0","1"]],"bids":[["20.41","4","0","1"]],"ts":"1767323045300","seqId":64,"prevSeqId":50}]}"#,
            r#"{"arg":{"channel":"trades","instId":"ABC-USDT"},"data":[{"instId":"ABC-USDT","tradeId":"42","px":"20.6","sz":"1","side":"buy","ts":"1767323045400","count":"1","source":"0","seqId":9}]}"#,
        ],
        numbers: &[
            (0, r#""bids":[["#, r#""20.4""#, "price"),
            (1, r#""20.6","#, r#""2.25""#, "size"),
            (2, r#""px":"#, r#""20.5""#, "px"),
            (2, r#""sz":"#, r#""3.25""#, "sz"),
            (3, r#""asks":[["#, r#""20.61""#, "price"),
            (3, r#""20.41","#, r#""4""#, "size"),
        ],
        number_of_message: "",
    },
    VenueMessages {
        venue: "ALPACA",
        good: &[
            r#"[{"T":"q","S":"OAK","bx":"U","bp":126.54,"bs":2.5,"ax":"Q","ap":126.56,"as":11,"t":"2026-02-19T14:30:00Z","c":["R"],"z":"C"}]"#,
            r#"[{"T":"t","i":52983525029461,"S":"OAK","x":"V","p":126.55,"s":100.5,"t":"2026-02-19T14:30:00.1Z","c":["@"],"z":"C"}]"#,
            r#"[{"T":"b","S":"OAK","o":126.5,"h":127,"l":126.25,"c":126.75,"v":12000,"t":"2026-02-19T14:30:00Z","n":87,"vw":126.61}]"#,
            r#"[{"T":"t","i":52983525029462,"S":"OAK","x":"V","p":126.57,"s":1,"t":"2026-02-19T14:30:00.2Z","c":["@"],"z":"C"}]"#,
        ],
        numbers: &[
            (0, r#""bp":"#, "126.54", "bp"),
            (0, r#""as":"#, "11", "as"),
            (1, r#""p":"#, "126.55", "p"),
            (1, r#""s":"#, "100.5", "s"),
            (2, r#""h":"#, "127", "h"),
            (2, r#""v":"#, "12000", "v"),
        ],
        number_of_message: "",
    },
];

/// A message that is at fault, and how it is refused.
struct Broken {
    message: String,
    reason: &'static str,
    field: &'static str,
}

impl VenueMessages {
    /// The good messages, with the checksums that their books have.
    fn good(&self) -> Vec<String> {
        let sums = [
            ("SUM0", "20607002040300"),
            ("SUM1", "2060700206150020414002040300"),
        ];
        let whole = |message: &&str| {
            sums.iter()
                .fold((*message).to_owned(), |text, (mark, digits)| {
                    text.replace(mark, &crc32fast::hash(digits.as_bytes()).to_string())
                })
        };
        self.good.iter().map(whole).collect()
    }

    fn broken(&self) -> Vec<Broken> {
        let good = self.good();
        let mut all = vec![];
        for &(at, before, number, field) in self.numbers {
            let whole = format!("{before}{number}");
            let message = &good[at];
            assert!(message.contains(&whole), "{whole} in {message}");
            let mut add = |reason, text: String| {
                let message = message.replacen(&whole, &text, 1);
                let message = self.without_number(&message);
                all.push(Broken {
                    message,
                    reason,
                    field,
                });
            };
            for value in ["[20.5]", r#"{"a":1}"#, "true"] {
                add("wrong_type", format!("{before}{value}"));
            }
            for value in [
                r#""NaN""#,
                r#""inf""#,
                r#""-Infinity""#,
                r#""""#,
                r#""1e""#,
                r#""0x1""#,
            ] {
                add("bad_number", format!("{before}{value}"));
            }
            for value in [r#""-1""#, "-1", r#""99999999999999999999999""#, "1e300"] {
                add("out_of_range", format!("{before}{value}"));
            }
            add("missing_field", format!("{before}null"));
            // The name of a number that is in no list.
            if let Some(name) = before.strip_suffix("\":") {
                let name = &name[name.rfind('"').expect("it begins so") + 1..];
                let twice = format!("{before}{number},\"{name}\":{number}");
                add("repeated_field", twice);
            }
        }
        all
    }

    /// A broken message without its number among all of the connection: else one of the two would be missing.
    fn without_number(&self, message: &str) -> String {
        let Some(begin) = message.find(self.number_of_message).filter(|&at| at > 0) else {
            return message.to_owned();
        };
        let end = begin + message[begin..].find(',').expect("more follows") + 1;
        format!("{}{}", &message[..begin], &message[end..])
    }
}

fn origin(number: i64) -> Origin {
    Origin {
        ts_recv: Nanos::UNDEFINED,
        offset: number,
        partition: 0,
        stream: 0,
        late: false,
        reprocessed: false,
    }
}

fn decoder(venue: &str) -> Decoder {
    let venues = Venues::default().preferring(std::iter::once(venue));
    Decoder::new(Instruments::new(&[], 64), 1 << 20).with_venues(venues)
}

#[test]
fn every_registered_venue_is_in_the_table() {
    let mut names: Vec<&str> = Venues::default().names().collect();
    let mut listed: Vec<&str> = TABLE.iter().map(|messages| messages.venue).collect();
    names.sort_unstable();
    listed.sort_unstable();
    assert_eq!(names, listed);
}

#[test]
fn a_fault_is_refused_with_its_field_and_leaves_nothing_behind() {
    let mut wrong = vec![];
    for messages in &TABLE {
        let venue = messages.venue;
        let mut reader = decoder(venue);
        for good in messages.good() {
            let mut batch = Batch::default();
            let decoded = reader.decode(origin(0), good.as_bytes(), &mut batch);
            assert_eq!(decoded, Ok(Decoded::Events), "{venue}: {good}");
        }
        for broken in messages.broken() {
            let mut decoder = decoder(venue);
            let mut batch = Batch::default();
            let refused = decoder.decode(origin(0), broken.message.as_bytes(), &mut batch);
            let answer = refused.map_err(|error| (error.reason(), error.field()));
            if answer != Err((broken.reason, Some(broken.field))) {
                wrong.push(format!(
                    "{venue}: {answer:?}, not {} {}: {}",
                    broken.reason, broken.field, broken.message
                ));
            }
            let left = (
                batch.events.len(),
                batch.levels.len(),
                decoder.instruments().len(),
            );
            if left != (0, 0, 0) {
                wrong.push(format!("{venue}: {left:?} is left of {}", broken.message));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A row at each trade, of quotes and the book.
const PIPELINE: &str = r#"
name = "faults"
[row]
on = "trade"
[[feature]]
name = "price"
kind = "price"
[[feature]]
name = "imbalance"
kind = "queue_imbalance"
levels = 1
[model]
kind = "sum"
"#;

#[test]
fn faults_between_good_messages_are_dead_letters_and_change_no_signal() {
    for messages in &TABLE {
        let venue = messages.venue;
        let folder = Folder::new(&format!("faults-{venue}"));
        let (good, broken) = (messages.good(), messages.broken());
        // All faults before the first good message, and between any two.
        let mut spoilt = vec![];
        for good in &good {
            spoilt.extend(broken.iter().map(|broken| broken.message.clone()));
            spoilt.push(good.clone());
        }
        let run = |lines: &[String]| {
            let input = folder.write("capture", lines.join("\n"));
            let options = ReplayOptions {
                inputs: vec![input],
                output: Some(folder.path("signals.jsonl")),
                dead_letters: Some(folder.path("letters.jsonl")),
                ..ReplayOptions::default()
            };
            replay(&folder.pipeline(PIPELINE, &[]), &options).expect("faults end no replay")
        };
        let clean = run(&good);
        assert!(clean.signals > 0, "{venue}");
        assert!(
            folder.read("signals.jsonl").contains(r#""quality":"ok""#),
            "{venue}"
        );
        assert_eq!(clean.frames.dead_lettered, 0, "{venue}: {:?}", clean.frames);
        let summary = run(&spoilt);
        assert_eq!(summary.digest, clean.digest, "{venue}");
        assert_eq!(summary.signals, clean.signals, "{venue}");
        assert!(summary.frames.balances(), "{venue}: {:?}", summary.frames);
        let faults = (good.len() * broken.len()) as u64;
        assert_eq!(summary.frames.dead_lettered, faults, "{venue}");
        let letters = folder.read("letters.jsonl");
        let mut letters = letters
            .lines()
            .map(|line| -> Value { serde_json::from_str(line).expect("a letter is JSON") });
        for _ in &good {
            for broken in &broken {
                let letter = letters.next().expect("a letter for each");
                assert_eq!(letter["error"], broken.reason, "{letter}");
                assert_eq!(letter["field"], broken.field, "{letter}");
            }
        }
    }
}

/// Symbols that nobody asked for, by the thousand: no more state than the pipeline allows, and each counted.
#[test]
fn unknown_symbols_by_the_thousand_take_bounded_memory() {
    const SYMBOLS: usize = 20_000;
    for messages in &TABLE {
        let venue = messages.venue;
        let first = messages.good();
        let symbol = ["ABC", "OAK"]
            .into_iter()
            .find(|name| first[1].contains(name));
        let symbol = symbol.expect("a message names its symbol");
        let lower = symbol.to_lowercase();
        let listed = [format!("{symbol}.{venue}")];
        for (listed, most, reason) in [
            (&[][..], 8, DecodeError::TooManyInstruments),
            (&listed[..], 8, DecodeError::NotListed),
        ] {
            let venues = Venues::default().preferring(std::iter::once(venue));
            let instruments = Instruments::new(listed, most);
            let mut decoder = Decoder::new(instruments, 1 << 20).with_venues(venues);
            let (mut refused, mut others) = (0, 0);
            for number in 0..SYMBOLS {
                let good = &first[number % first.len()];
                let other = format!("X{number}Y");
                let message = good.replace(symbol, &other);
                let message = message.replace(&lower, &other.to_lowercase());
                let mut batch = Batch::default();
                match decoder.decode(origin(number as i64), message.as_bytes(), &mut batch) {
                    Ok(Decoded::Events) => {}
                    Err(error) if error == reason => refused += 1,
                    // The change of a quote that was never whole.
                    Err(DecodeError::UnknownType) => others += 1,
                    other => panic!("{venue}: {other:?}: {message}"),
                }
            }
            let used = if listed.is_empty() { most } else { 0 };
            assert_eq!(refused + others, SYMBOLS - used, "{venue}");
            assert!(others < SYMBOLS / 4, "{venue}");
            assert_eq!(decoder.instruments().len(), used, "{venue}");
        }
    }
}

/// Every good message with each of its bytes replaced, added to or cut off: nothing panics, and what is
/// refused leaves no event.
#[test]
fn messages_with_a_wrong_byte_anywhere_are_read_or_refused() {
    for messages in &TABLE {
        let registered = Venues::default();
        let venue = registered.named(messages.venue).expect("it is registered");
        let mut decoder = decoder(messages.venue);
        let mut batch = Batch::default();
        let mut take = |message: &[u8]| {
            batch.clear();
            let read = decoder.decode(origin(0), message, &mut batch);
            // Where the venue counts its messages, one that cannot be read is missing.
            let is_gap = |event: &Event| matches!(event.body, Body::Gap(_));
            let is_clean = batch.events.iter().all(is_gap) && batch.levels.is_empty();
            assert!(read.is_ok() || is_clean);
            let _ = (venue.recognises(message), venue.symbol_of(message));
            let _ = (venue.is_quote(message), venue.reaction(message));
            let _ = (venue.connection_number(message), venue.split(message));
            let _ = (venue.book_change_of(message), venue.updates_of(message));
            let _ = venue.unnamed_snapshot(message);
        };
        for good in messages.good() {
            for at in 0..good.len() {
                take(&good.as_bytes()[..at]);
                for byte in *b"\"\\{}[],:0-e \0\xff" {
                    let mut other = good.as_bytes().to_vec();
                    other[at] = byte;
                    take(&other);
                    other.insert(at, byte);
                    take(&other);
                }
            }
        }
    }
}

/// The fuzzer begins with messages of each venue.
#[test]
fn every_registered_venue_has_a_seed_for_the_fuzzer() {
    let script = std::fs::read_to_string(repository("tests/fuzz.sh")).expect("it is there");
    for (at, name) in Venues::default().names().enumerate() {
        let line = format!(r#"each '\x{at:02x}' "$root"/tests/fuzz/seeds/venues/{name}"#);
        assert!(script.lines().any(|one| one.trim() == line), "{line}");
        let seed = repository("tests/fuzz/seeds/venues").join(name);
        assert!(seed.is_file(), "{}", seed.display());
    }
}
