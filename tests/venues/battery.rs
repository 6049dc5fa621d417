//! The battery. A signal is held against the truth of the market at its own venue time, a book against the
//! book of the venue, level by level, after each message.
//!
//! Between a loss and the first later message that can prove it, nothing can be known. That message is, by
//! proof: of numbers of a symbol, a chain or a checksum, the next message of the symbol's book that
//! arrives; of numbers of the connection, the next message of the connection. A loss that the venue repairs
//! itself by a whole book in the stream is over with that. A number of the connection that is wrong hides the
//! two messages behind it: the third in a row shows that they are no copies. Signals in between are counted
//! and not compared.
//!
//! A message that is copied or held back and arrives behind later ones changes nothing where messages have
//! numbers. Where a checksum is all, it is applied, and the next change of the book proves it.

use foretick::decode::venue::BookProof;
use foretick::engine::book::Applied;
use foretick::signal::quality::Quality;

use crate::cases::{Case, VENUES};
use crate::client::{Client, Taken, is_equal, signal_of};
use crate::numerals::START;
use crate::proxy::{Delivered, FAULTS, Fault, Proxy};
use crate::wire::{About, Message, Server};

/// A run of a venue through the proxy.
struct Battery {
    server: Server,
    proxy: Proxy,
    client: Client,
    proof: BookProof,
    /// What each symbol's book has lost, or may have wrong, that nothing can have proved yet.
    doubts: [Vec<Doubt>; 2],
    /// The newest truth that each symbol's book has been told.
    told: [usize; 2],
    /// The newest message of each symbol's book that arrived.
    newest: [u64; 2],
    /// The newest message that arrived.
    last: u64,
    /// Steps until a whole book is sent, by symbol.
    asked: [Option<u32>; 2],
    /// Whether a whole book is to be fetched with the first change.
    awaits_change: [bool; 2],
    /// Requests since the book was whole.
    requests: [u32; 2],
    late_ms: i64,
    ticked: i64,
    counts: Counts,
    what: String,
}

/// A message that a book lacks or has wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Doubt {
    order: u64,
    /// Whether the message was lost as a whole: the proof then must show it.
    is_loss: bool,
}

/// What happened in a run.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    faults: u64,
    /// Signals that were `ok` and true.
    ok: u64,
    /// Signals between a loss and its proof.
    unproved: u64,
    /// Signals that were not `ok`.
    marked: u64,
    /// Losses that were proved.
    proved: u64,
    gaps: u64,
    unread: u64,
}

impl Battery {
    fn new(case: Case, seed: u64, rate: f64, faults: &[Fault]) -> Self {
        let client = Client::new(case);
        Self {
            server: Server::new(case, seed),
            proxy: Proxy::new(seed, rate, faults, case.proved),
            proof: client.venue.proof().book,
            client,
            doubts: Default::default(),
            told: [0; 2],
            newest: [0; 2],
            last: 0,
            asked: [None; 2],
            awaits_change: [true; 2],
            requests: [0; 2],
            late_ms: 0,
            ticked: 0,
            counts: Counts::default(),
            what: format!("{} seed {seed} rate {rate} {faults:?}", case.venue),
        }
    }

    /// Lets `steps` messages through with faults, and then as many without as the books need.
    fn run(mut self, steps: usize) -> Counts {
        self.connect();
        for _ in 0..steps {
            self.step();
        }
        self.counts.faults = self.proxy.done;
        self.proxy.rate = 0.0;
        let mut more = 0;
        // A book that is true without a doubt for a while is repaired.
        let mut sound = 0;
        while sound < 40 {
            self.step();
            more += 1;
            let is_whole = |symbol: usize| {
                self.client.books[symbol].is_live() && self.doubts[symbol].is_empty()
            };
            sound = if is_whole(0) && is_whole(1) {
                sound + 1
            } else {
                0
            };
            assert!(more < 10_000, "a book is never repaired: {}", self.what);
        }
        let ok = self.counts.ok;
        for _ in 0..40 {
            self.step();
        }
        assert!(self.counts.ok > ok, "no signal is ok again: {}", self.what);
        self.counts.gaps = self.client.gaps;
        self.counts.unread = self.client.unread;
        self.counts
    }

    fn connect(&mut self) {
        for message in self.server.connect() {
            self.send(message, None);
        }
        self.awaits_change = [self.server.fetches(); 2];
    }

    fn step(&mut self) {
        let fault = self.proxy.fault();
        match fault {
            Some(Fault::Delay) => self.late_ms += 300,
            Some(Fault::Silence) => {
                for _ in 0..5 {
                    self.server.wait(1_000);
                    self.tick();
                }
            }
            Some(Fault::Restart) => {
                for message in self.server.restart() {
                    self.send(message, None);
                }
            }
            Some(Fault::Reconnect) => self.reconnect(),
            _ => {}
        }
        let message = self.server.step();
        self.send(message, fault);
        if self.server.ms() - self.ticked >= 1_000 {
            self.tick();
        }
        for symbol in 0..2 {
            self.answer(symbol);
        }
    }

    /// Sends the whole book that was asked for, when its time has come.
    fn answer(&mut self, symbol: usize) {
        match &mut self.asked[symbol] {
            Some(0) => {
                self.asked[symbol] = None;
                for message in self.server.whole(symbol) {
                    match message.about {
                        About::Fetched(_) => self.fetched(&message),
                        _ => {
                            let fault = self.proxy.fault().filter(|fault| *fault < Fault::Delay);
                            self.send(message, fault);
                        }
                    }
                }
            }
            Some(steps) => *steps -= 1,
            None => {}
        }
    }

    fn reconnect(&mut self) {
        self.proxy.forget();
        let ms = self.received();
        self.client.reconnect(ms);
        self.doubts = Default::default();
        self.asked = [None; 2];
        self.requests = [0; 2];
        self.connect();
    }

    fn received(&self) -> i64 {
        self.server.ms() + self.late_ms
    }

    fn tick(&mut self) {
        self.ticked = self.server.ms();
        let taken = self.client.tick(self.received());
        self.check_signals(&taken);
        self.ask();
    }

    /// Hands a message to the proxy, and what comes of it to the client.
    fn send(&mut self, message: Message, fault: Option<Fault>) {
        let doubt = Doubt {
            order: message.order,
            is_loss: true,
        };
        let (symbol, about) = (message.symbol, message.about);
        // A wrong number right behind a loss may hide it from any proof.
        let is_doubtful = self.doubts.iter().any(|doubts| !doubts.is_empty());
        let fault = fault.filter(|fault| *fault != Fault::Digit || !is_doubtful);
        let mut out = vec![];
        if self.proxy.pass(message, fault, &mut out) {
            // It is not there when later ones are.
            match about {
                About::Change(_) | About::Whole(_) => self.doubts[symbol].push(doubt),
                _ if self.proof == BookProof::ConnectionNumbers => {
                    self.doubts.iter_mut().for_each(|doubts| doubts.push(doubt));
                }
                _ => {}
            }
        }
        for delivered in out {
            self.deliver(delivered);
        }
    }

    fn deliver(&mut self, Delivered { message, spoilt }: Delivered) {
        let Message {
            order,
            symbol,
            about,
            ..
        } = message;
        let taken = self.client.take(self.received(), &message.text);
        if spoilt == Some(Fault::Break) {
            assert!(taken.error.is_some() || taken.is_behind, "{}", message.text);
            self.ask();
            return;
        }
        let by_connection = self.proof == BookProof::ConnectionNumbers;
        for other in 0..2 {
            let is_book = symbol == other && matches!(about, About::Change(_) | About::Whole(_));
            if (is_book || by_connection) && !taken.is_behind {
                self.prove(other, &message, &taken, spoilt);
            }
        }
        if let About::Change(at) | About::Whole(at) = about {
            let is_late = order < self.newest[symbol];
            let replaces = matches!(about, About::Whole(_)) || self.proof == BookProof::Checksum;
            if is_late && replaces && !taken.is_behind {
                let order = self.newest[symbol];
                self.doubts[symbol].push(Doubt {
                    order,
                    is_loss: false,
                });
            }
            if !taken.is_behind {
                self.newest[symbol] = self.newest[symbol].max(order);
                self.told[symbol] = self.told[symbol].max(at);
            }
        }
        if taken.is_behind && order > self.last {
            // It is behind a wrong number, and dropped until there are too many such.
            let doubt = Doubt {
                order,
                is_loss: false,
            };
            self.doubts.iter_mut().for_each(|doubts| doubts.push(doubt));
        }
        self.last = self.last.max(order);
        if spoilt == Some(Fault::Digit) {
            let doubt = Doubt {
                order,
                is_loss: false,
            };
            match by_connection {
                true => self.doubts.iter_mut().for_each(|doubts| doubts.push(doubt)),
                false => self.doubts[symbol].push(doubt),
            }
        }
        self.check_signals(&taken);
        self.check_books(&message);
        self.fetch_with_the_first_change(&message);
        self.ask();
    }

    /// A message has arrived that can prove what was lost before it.
    fn prove(&mut self, symbol: usize, message: &Message, taken: &Taken, spoilt: Option<Fault>) {
        let order = message.order;
        let is_proof = |doubt: &&Doubt| doubt.is_loss && doubt.order < order;
        let lost = self.doubts[symbol].iter().filter(is_proof).count();
        let book = &self.client.books[symbol];
        let is_whole = symbol == message.symbol && matches!(message.about, About::Whole(_));
        if lost > 0 && self.proof != BookProof::Checksum && !is_whole && spoilt.is_none() {
            let (what, text) = (&self.what, &message.text);
            assert!(
                !book.is_live(),
                "a loss is not found: {what} {taken:?} {text}"
            );
            self.counts.proved += lost as u64;
        }
        self.doubts[symbol].retain(|doubt| doubt.order > order);
    }

    /// A whole book beside the stream.
    fn fetched(&mut self, message: &Message) {
        let Message {
            order,
            symbol,
            about: About::Fetched(at),
            ..
        } = *message
        else {
            unreachable!("it is fetched");
        };
        let name = self.server.case.symbols[symbol];
        let taken = self
            .client
            .take_fetched(self.received(), name, &message.text);
        assert_eq!(taken.error, None, "{}", message.text);
        if let Some(Applied::Spliced { .. } | Applied::Renumbered) = taken.applied {
            self.told[symbol] = self.told[symbol].max(at);
            self.doubts[symbol].retain(|doubt| doubt.order > order || !doubt.is_loss);
        }
        self.check_signals(&taken);
        self.check_books(message);
        self.ask();
    }

    /// A feed fetches the whole book once changes of it have begun.
    fn fetch_with_the_first_change(&mut self, message: &Message) {
        let is_change = matches!(message.about, About::Change(_));
        if is_change && std::mem::take(&mut self.awaits_change[message.symbol]) {
            self.asked[message.symbol] = Some(2);
        }
    }

    fn ask(&mut self) {
        for symbol in 0..2 {
            if self.client.books[symbol].is_live() {
                self.requests[symbol] = 0;
            }
        }
        for symbol in self.client.wanted() {
            self.requests[symbol] += 1;
            if self.asked[symbol].is_none() {
                self.asked[symbol] = Some(1 + (self.requests[symbol] % 3));
            }
        }
    }

    fn check_signals(&mut self, taken: &Taken) {
        for (symbol, signal) in &taken.signals {
            if signal.quality != Quality::Ok {
                self.counts.marked += 1;
                continue;
            }
            let symbol = *symbol;
            assert!(self.client.books[symbol].is_live(), "{}", self.what);
            if !self.doubts[symbol].is_empty() {
                self.counts.unproved += 1;
                continue;
            }
            let ms = signal.ts_event.0 / 1_000_000 - START;
            let truths = &self.server.truths[symbol];
            let then = truths
                .partition_point(|truth| truth.ms <= ms)
                .saturating_sub(1);
            // A book that was fetched may be ahead of the stream.
            let truth = &truths[then.max(self.told[symbol])];
            let (is, should) = (signal.outputs[0], signal_of(truth));
            assert!(
                (is - should).abs() < 1e-6,
                "{is} is not {should}: {}",
                self.what
            );
            self.counts.ok += 1;
        }
    }

    fn check_books(&self, message: &Message) {
        for symbol in 0..2 {
            let book = &self.client.books[symbol];
            if book.is_live() && self.doubts[symbol].is_empty() {
                let truth = &self.server.truths[symbol][self.told[symbol]];
                let (what, order) = (&self.what, message.order);
                assert!(
                    is_equal(book, truth),
                    "after {order}, {symbol}: {what} {message:?}"
                );
            }
        }
    }
}

const SEEDS: u64 = 3;

#[test]
fn a_clean_stream_has_no_gap_and_every_signal_is_true() {
    for case in VENUES {
        for seed in 1..=SEEDS {
            let counts = Battery::new(case, seed, 0.0, &[]).run(2_000);
            assert_eq!((counts.gaps, counts.faults), (0, 0), "{case:?} {counts:?}");
            assert_eq!(
                (counts.unread, counts.unproved),
                (0, 0),
                "{case:?} {counts:?}"
            );
            assert!(counts.ok > 400, "{case:?} {counts:?}");
        }
    }
}

#[test]
fn each_fault_alone_is_found_and_repaired() {
    for case in VENUES {
        for fault in FAULTS {
            let mut sum = Counts::default();
            for (rate, seed) in [(1e-2, 1), (1e-2, 2), (1e-1, 3)] {
                let counts = Battery::new(case, seed, rate, &[fault]).run(1_500);
                assert!(counts.faults > 0, "{case:?} {fault:?}");
                sum.proved += counts.proved;
                sum.gaps += counts.gaps;
            }
            let (what, is_false) = (format!("{case:?} {fault:?} {sum:?}"), sum.gaps == 0);
            match fault {
                // Copies of what is numbered, and what is late as a whole, change nothing.
                Fault::Delay => assert!(is_false, "{what}"),
                Fault::Duplicate if case.venue != "KRAKEN" => assert!(is_false, "{what}"),
                Fault::Drop | Fault::Break | Fault::Reorder => assert!(sum.gaps > 0, "{what}"),
                _ => {}
            }
        }
    }
}

#[test]
fn all_faults_together_leave_no_signal_ok_that_is_not_true() {
    for case in VENUES {
        let mut sum = Counts::default();
        for rate in [1e-4, 1e-3, 1e-2, 1e-1] {
            for seed in 1..=SEEDS {
                let counts = Battery::new(case, seed, rate, &FAULTS).run(3_000);
                sum.ok += counts.ok;
                sum.unproved += counts.unproved;
                sum.marked += counts.marked;
                sum.proved += counts.proved;
                sum.faults += counts.faults;
            }
        }
        let what = format!("{}: {sum:?}", case.venue);
        assert!(
            sum.faults > 500 && sum.ok > 5_000 && sum.marked > 0,
            "{what}"
        );
        let is_provable_alone = case.venue != "KRAKEN";
        assert_eq!(sum.proved > 0, is_provable_alone, "{what}");
        println!("{what}");
    }
}
