//! The market as each venue would send it: messages in the venue's documented form, with its numbers, its
//! chain or its checksums. Written from the documentation, by none of our code.

use crate::market::{Market, Rests, Step, Truth};

/// A message of a venue, and what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) text: String,
    /// Its place among all messages of the venue.
    pub(crate) order: u64,
    pub(crate) symbol: usize,
    pub(crate) about: About,
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum About {
    /// A change of the book, after which it is the truth of this index.
    Change(usize),
    /// A whole book, which comes in the stream.
    Whole(usize),
    /// A whole book, which was fetched beside the stream.
    Fetched(usize),
    Trade,
    Other,
}

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
    /// Fields whose digits a fault may change so that the venue's proof shows it.
    pub(crate) proved: &'static [&'static str],
}

/// Every venue that has books.
pub(crate) const VENUES: [Case; 6] = [
    Case {
        form: Form::Spot,
        venue: "BINANCE",
        symbols: ["BTCUSDT", "ETHUSDT"],
        proved: &["\"U\":", "\"u\":"],
    },
    Case {
        form: Form::Usdm,
        venue: "BINANCE_USDM",
        symbols: ["BTCUSDT", "ETHUSDT"],
        proved: &["\"pu\":", "\"u\":"],
    },
    Case {
        form: Form::Bybit,
        venue: "BYBIT",
        symbols: ["BTCUSDT", "ETHUSDT"],
        proved: &["\"u\":"],
    },
    Case {
        form: Form::Okx,
        venue: "OKX",
        symbols: ["BTC-USDT", "ETH-USDT"],
        proved: &["\"seqId\":", "\"prevSeqId\":"],
    },
    Case {
        form: Form::Coinbase,
        venue: "COINBASE",
        symbols: ["BTC-USD", "ETH-USD"],
        proved: &["\"sequence_num\":"],
    },
    Case {
        form: Form::Kraken,
        venue: "KRAKEN",
        symbols: ["BTC/USD", "ETH/USD"],
        proved: &["\"price\":", "\"qty\":", "\"checksum\":"],
    },
];

/// A venue: its market, and its numbers.
pub(crate) struct Server {
    pub(crate) case: Case,
    market: Market,
    /// What the book of each symbol was after each change of it.
    pub(crate) truths: [Vec<Truth>; 2],
    updates: [u64; 2],
    trades: [u64; 2],
    /// Number of the next message of the connection.
    connection: u64,
    order: u64,
}

impl Server {
    pub(crate) fn new(case: Case, seed: u64) -> Self {
        let market = Market::new(seed);
        let truths = [0, 1].map(|symbol| vec![cut(case.form, market.truth(symbol))]);
        Self {
            case,
            market,
            truths,
            updates: [80_000, 90_000],
            trades: [500, 700],
            connection: 0,
            order: 0,
        }
    }

    /// Milliseconds since the start.
    pub(crate) fn ms(&self) -> i64 {
        self.market.ms
    }

    /// Lets so many milliseconds pass in which nothing happens.
    pub(crate) fn wait(&mut self, ms: i64) {
        self.market.ms += ms;
    }

    /// What a new connection brings before anything else.
    pub(crate) fn connect(&mut self) -> Vec<Message> {
        self.connection = 0;
        let mut all = vec![];
        if !self.fetches() {
            all.extend((0..2).flat_map(|symbol| self.whole(symbol)));
        }
        all
    }

    /// Whether whole books are fetched beside the stream.
    pub(crate) fn fetches(&self) -> bool {
        matches!(self.case.form, Form::Spot | Form::Usdm)
    }

    /// The venue begins its numbers anew.
    pub(crate) fn restart(&mut self) -> Vec<Message> {
        match self.case.form {
            Form::Kraken => {}
            Form::Coinbase => self.connection = 0,
            _ => self.updates = self.updates.map(|number| 10_000 + number % 1_000),
        }
        match self.case.form {
            // `u` = 1 begins a book.
            Form::Bybit => {
                self.updates = [0, 0];
                (0..2).flat_map(|symbol| self.whole(symbol)).collect()
            }
            _ => vec![],
        }
    }

    /// The next message.
    pub(crate) fn step(&mut self) -> Message {
        let (symbol, step) = self.market.step();
        match step {
            Step::Book { before, truth } => {
                let form = self.case.form;
                let (before, truth) = (cut(form, before), cut(form, truth));
                let change = Change {
                    bids: changed(&before.bids, &truth.bids, form),
                    asks: changed(&before.asks, &truth.asks, form),
                };
                if change.bids.is_empty() && change.asks.is_empty() {
                    let text = self.beat(truth.ms);
                    return self.message(symbol, About::Other, text);
                }
                self.truths[symbol].push(truth);
                let at = self.truths[symbol].len() - 1;
                let text = self.book(symbol, &change, false);
                self.message(symbol, About::Change(at), text)
            }
            Step::Trade { price, size, ms } => {
                self.trades[symbol] += 1;
                let text = self.trade(symbol, price, size, ms);
                self.message(symbol, About::Trade, text)
            }
            Step::Beat { ms } => {
                let text = self.beat(ms);
                self.message(symbol, About::Other, text)
            }
        }
    }

    /// The whole book of a symbol, as the venue sends it where it is asked.
    pub(crate) fn whole(&mut self, symbol: usize) -> Vec<Message> {
        let at = self.truths[symbol].len() - 1;
        let Truth { bids, asks, .. } = self.truths[symbol][at].clone();
        let text = self.book(symbol, &Change { bids, asks }, true);
        let about = match self.fetches() {
            true => About::Fetched(at),
            false => About::Whole(at),
        };
        vec![self.message(symbol, about, text)]
    }

    fn message(&mut self, symbol: usize, about: About, text: String) -> Message {
        self.order += 1;
        if self.case.form == Form::Coinbase {
            self.connection += 1;
        }
        Message {
            text,
            order: self.order,
            symbol,
            about,
        }
    }

    /// A change of a book, or all of it.
    fn book(&mut self, symbol: usize, change: &Change, is_whole: bool) -> String {
        let name = self.case.symbols[symbol];
        let ms = START + self.market.ms;
        let before = self.updates[symbol];
        if !is_whole {
            // Ids jump where the venue says that they do.
            self.updates[symbol] += match self.case.form {
                Form::Spot => 1 + before % 3,
                Form::Usdm | Form::Okx => 3 + before % 40,
                _ => 1,
            };
        } else if self.case.form == Form::Bybit && before == 0 {
            self.updates[symbol] = 1;
        }
        let last = self.updates[symbol];
        let first = match self.case.form {
            Form::Usdm => before + 2,
            _ => before + 1,
        };
        let (bids, asks) = (texts(&change.bids, ""), texts(&change.asks, ""));
        let low = name.to_ascii_lowercase();
        match (self.case.form, is_whole) {
            (Form::Spot, false) => format!(
                r#"{{"stream":"{low}@depth@100ms","data":{{"e":"depthUpdate","E":{ms},"s":"{name}","U":{first},"u":{last},"b":{bids},"a":{asks}}}}}"#
            ),
            (Form::Usdm, false) => format!(
                r#"{{"stream":"{low}@depth@0ms","data":{{"e":"depthUpdate","E":{ms},"T":{ms},"s":"{name}","U":{first},"u":{last},"pu":{before},"b":{bids},"a":{asks}}}}}"#
            ),
            (Form::Spot, true) => {
                format!(r#"{{"lastUpdateId":{last},"bids":{bids},"asks":{asks}}}"#)
            }
            (Form::Usdm, true) => format!(
                r#"{{"lastUpdateId":{last},"E":{ms},"T":{ms},"bids":{bids},"asks":{asks}}}"#
            ),
            (Form::Bybit, _) => {
                let kind = if is_whole { "snapshot" } else { "delta" };
                let seq = 1_000_000 + self.order;
                format!(
                    r#"{{"topic":"orderbook.50.{name}","ts":{ms},"type":"{kind}","data":{{"s":"{name}","b":{bids},"a":{asks},"u":{last},"seq":{seq}}},"cts":{ms}}}"#
                )
            }
            (Form::Okx, _) => {
                let (kind, before) = match is_whole {
                    true => ("snapshot", -1),
                    false => ("update", before as i64),
                };
                let (bids, asks) = (
                    texts(&change.bids, r#","0","1""#),
                    texts(&change.asks, r#","0","1""#),
                );
                format!(
                    r#"{{"arg":{{"channel":"books","instId":"{name}"}},"action":"{kind}","data":[{{"asks":{asks},"bids":{bids},"ts":"{ms}","checksum":0,"seqId":{last},"prevSeqId":{before}}}]}}"#
                )
            }
            (Form::Coinbase, _) => {
                let (time, number) = (rfc3339(self.market.ms), self.connection);
                let kind = if is_whole { "snapshot" } else { "update" };
                let level = |side: &str, &(price, size): &Rests| {
                    format!(
                        r#"{{"side":"{side}","event_time":"{time}","price_level":"{}","new_quantity":"{}"}}"#,
                        tenths(price),
                        thousandths(size)
                    )
                };
                let bids = change.bids.iter().map(|one| level("bid", one));
                let asks = change.asks.iter().map(|one| level("offer", one));
                let updates: Vec<String> = bids.chain(asks).collect();
                let updates = updates.join(",");
                format!(
                    r#"{{"channel":"l2_data","client_id":"","timestamp":"{time}","sequence_num":{number},"events":[{{"type":"{kind}","product_id":"{name}","updates":[{updates}]}}]}}"#
                )
            }
            (Form::Kraken, _) => {
                let kind = if is_whole { "snapshot" } else { "update" };
                let level = |&(price, size): &Rests| {
                    let (price, size) = (tenths(price), thousandths(size));
                    format!(r#"{{"price":{price},"qty":{size}}}"#)
                };
                let list = |rests: &[Rests]| rests.iter().map(level).collect::<Vec<_>>().join(",");
                let (bids, asks) = (list(&change.bids), list(&change.asks));
                let truth = &self.truths[symbol][self.truths[symbol].len() - 1];
                let (sum, time) = (kraken_checksum(truth), rfc3339(self.market.ms));
                format!(
                    r#"{{"channel":"book","type":"{kind}","data":[{{"symbol":"{name}","bids":[{bids}],"asks":[{asks}],"checksum":{sum},"timestamp":"{time}"}}]}}"#
                )
            }
        }
    }

    fn trade(&self, symbol: usize, price: i64, size: i64, ms: i64) -> String {
        let (name, id) = (self.case.symbols[symbol], self.trades[symbol]);
        let (price, size, at) = (tenths(price), thousandths(size), START + ms);
        let (low, time) = (name.to_ascii_lowercase(), rfc3339(ms));
        match self.case.form {
            Form::Spot => format!(
                r#"{{"stream":"{low}@trade","data":{{"e":"trade","E":{at},"s":"{name}","t":{id},"p":"{price}","q":"{size}","T":{at},"m":true,"M":true}}}}"#
            ),
            Form::Usdm => format!(
                r#"{{"stream":"{low}@trade","data":{{"e":"trade","E":{at},"T":{at},"s":"{name}","t":{id},"p":"{price}","q":"{size}","X":"MARKET","m":true}}}}"#
            ),
            Form::Bybit => format!(
                r#"{{"topic":"publicTrade.{name}","ts":{at},"type":"snapshot","data":[{{"i":"{id}","T":{at},"p":"{price}","v":"{size}","S":"Sell","seq":{id},"s":"{name}","BT":false}}]}}"#
            ),
            Form::Okx => format!(
                r#"{{"arg":{{"channel":"trades","instId":"{name}"}},"data":[{{"instId":"{name}","tradeId":"{id}","px":"{price}","sz":"{size}","side":"sell","ts":"{at}","count":"1"}}]}}"#
            ),
            Form::Coinbase => format!(
                r#"{{"channel":"market_trades","client_id":"","timestamp":"{time}","sequence_num":{},"events":[{{"type":"update","trades":[{{"trade_id":"{id}","product_id":"{name}","price":"{price}","size":"{size}","side":"BUY","time":"{time}"}}]}}]}}"#,
                self.connection
            ),
            Form::Kraken => format!(
                r#"{{"channel":"trade","type":"update","data":[{{"symbol":"{name}","side":"buy","price":{price},"qty":{size},"ord_type":"limit","trade_id":{id},"timestamp":"{time}"}}]}}"#
            ),
        }
    }

    /// A message about the connection.
    fn beat(&self, ms: i64) -> String {
        match self.case.form {
            Form::Spot | Form::Usdm => r#"{"result":null,"id":1}"#.into(),
            Form::Bybit => r#"{"success":true,"ret_msg":"pong","conn_id":"1","op":"ping"}"#.into(),
            Form::Okx => "pong".into(),
            Form::Coinbase => {
                let (time, number) = (rfc3339(ms), self.connection);
                format!(
                    r#"{{"channel":"heartbeats","client_id":"","timestamp":"{time}","sequence_num":{number},"events":[{{"current_time":"{time}","heartbeat_counter":{ms}}}]}}"#
                )
            }
            Form::Kraken => r#"{"channel":"heartbeat"}"#.into(),
        }
    }
}

/// Levels of both sides.
struct Change {
    bids: Vec<Rests>,
    asks: Vec<Rests>,
}

/// The part of a book that the venue keeps up to date: Kraken's ten best levels a side.
fn cut(form: Form, mut truth: Truth) -> Truth {
    if form == Form::Kraken {
        truth.bids.truncate(10);
        truth.asks.truncate(10);
    }
    truth
}

/// The levels that lead from one side to another. Kraken names no level that is pushed out by better ones.
fn changed(before: &[Rests], after: &[Rests], form: Form) -> Vec<Rests> {
    let is_known = |one: &&Rests| !before.contains(one);
    let mut all: Vec<Rests> = after.iter().filter(is_known).copied().collect();
    let added = all.len();
    let worst = after.last().map_or(0, |last| last.0);
    let is_rising = after.first().is_some_and(|first| first.0 < worst);
    for &(price, _) in before {
        let stays = after.iter().any(|one| one.0 == price);
        let is_beyond = match is_rising {
            true => price > worst,
            false => price < worst,
        };
        let is_pushed_out = form == Form::Kraken && is_beyond && after.len() == 10;
        if !stays && !is_pushed_out {
            all.push((price, 0));
        }
    }
    all.rotate_left(added);
    all
}

/// `book-checksum-v2`: ten asks from the best up, ten bids from the best down, without points and leading
/// zeros.
fn kraken_checksum(truth: &Truth) -> u32 {
    let levels = truth.asks.iter().take(10).chain(truth.bids.iter().take(10));
    let text: String = levels
        .map(|(price, size)| format!("{price}{size}"))
        .collect();
    !text.bytes().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

fn texts(rests: &[Rests], more: &str) -> String {
    let level =
        |&(price, size): &Rests| format!(r#"["{}","{}"{more}]"#, tenths(price), thousandths(size));
    let all: Vec<String> = rests.iter().map(level).collect();
    format!("[{}]", all.join(","))
}

fn tenths(price: i64) -> String {
    format!("{}.{}", price / 10, price % 10)
}

fn thousandths(size: i64) -> String {
    format!("{}.{:03}", size / 1_000, size % 1_000)
}

/// The time so many milliseconds after the start.
fn rfc3339(ms: i64) -> String {
    let (seconds, millis) = (ms / 1_000, ms % 1_000);
    let (hours, minutes) = (14 + seconds / 3_600, seconds / 60 % 60);
    format!(
        "2026-02-03T{hours:02}:{minutes:02}:{:02}.{millis:03}Z",
        seconds % 60
    )
}

/// 2026-02-03 14:00 UTC, in milliseconds.
pub(crate) const START: i64 = 1_770_127_200_000;
