//! The market as each venue would send it: messages in the venue's documented form, with its numbers, its
//! chain or its checksums. Written from the documentation, by none of our code.

use std::collections::VecDeque;

use crate::cases::{Case, Form};
use crate::market::{Market, Rests, Step, Truth};
use crate::numerals::{START, rfc3339, tenths, thousandths};
use crate::quote_wire;
use crate::trade_wire::{self, Traded};

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
    /// The best levels of the truth of this index.
    Quote(usize),
    Other,
}

/// A venue: its market, and its numbers.
pub(crate) struct Server {
    pub(crate) case: Case,
    market: Market,
    /// What the book of each symbol was after each change of it.
    pub(crate) truths: [Vec<Truth>; 2],
    updates: [u64; 2],
    /// The newest trades of each symbol.
    pub(crate) trades: [VecDeque<Traded>; 2],
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
            updates: [800_000_000_000_000_000, 900_000_000_000_000_000],
            trades: [vec![].into(), vec![].into()],
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
            _ => self.updates = self.updates.map(lower),
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
                if !self.case.has_books() {
                    let name = self.case.symbols[symbol];
                    let text = quote_wire::text_of(form, name, &self.truths[symbol][at]);
                    return self.message(symbol, About::Quote(at), text);
                }
                let text = self.book(symbol, &change, false);
                self.message(symbol, About::Change(at), text)
            }
            Step::Trade { price, size, ms } => {
                let trades = &mut self.trades[symbol];
                let id = trades.back().map_or(FIRST_IDS[symbol], |last| last.id) + 1;
                let traded = Traded {
                    id,
                    price,
                    size,
                    ms,
                };
                trades.push_back(traded);
                if trades.len() > RECENT {
                    trades.pop_front();
                }
                let text = self.trade(symbol, &[traded], false);
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
            (Form::Described, _) => format!(
                r#"{{"kind":"book","market":"{name}","whole":{is_whole},"bids":{bids},"asks":{asks},"no":{last},"at":{ms}}}"#
            ),
            (Form::Alpaca | Form::Plain, _) => unreachable!("it has no books"),
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

    /// The newest trades, where the venue sends them to who subscribes.
    pub(crate) fn recent(&mut self, symbol: usize) -> Option<Message> {
        let trades: Vec<Traded> = self.trades[symbol].iter().copied().collect();
        if trades.is_empty() || !trade_wire::has_recent(self.case.form) {
            return None;
        }
        let text = self.trade(symbol, &trades, true);
        Some(self.message(symbol, About::Trade, text))
    }

    fn trade(&self, symbol: usize, trades: &[Traded], is_recent: bool) -> String {
        let Case { form, symbols, .. } = self.case;
        trade_wire::text_of(form, symbols[symbol], trades, self.connection, is_recent)
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
            Form::Described | Form::Plain => r#"{"kind":"beat"}"#.into(),
            Form::Alpaca => r#"[{"T":"success","msg":"authenticated"}]"#.into(),
        }
    }
}

/// Where numbers begin anew: below all that came before, as long as there is room.
fn lower(number: u64) -> u64 {
    match number / 3 {
        0..1_000_000 => 10_000 + number % 1_000,
        third => third,
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

/// The trades that a venue sends to who subscribes, at most.
const RECENT: usize = 50;
/// Numbers of the trades before the first.
const FIRST_IDS: [u64; 2] = [500, 700];
