//! A venue on real sockets: the made-up market goes on by itself, a websocket brings it to whoever
//! subscribes, and a REST interface gives whole books. It keeps what is true, and what each of its messages
//! is.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use foretick::decode::venue::Venue;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_tungstenite::tungstenite::Message as Packet;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use crate::cases::{Case, Form};
use crate::market::Dice;
use crate::trade_wire::Traded;
use crate::wire::{About, Message, Server};

/// The venue, shared by its connections.
pub(crate) type Shared = Arc<Mutex<World>>;

/// The venue.
pub(crate) struct World {
    pub(crate) server: Server,
    venue: &'static dyn Venue,
    /// What was sent, by its text.
    known: HashMap<String, Message>,
    /// The places of all changes of a symbol's book among the venue's messages.
    pub(crate) changes: [Vec<u64>; 2],
    /// All trades by their numbers.
    pub(crate) trades: [BTreeMap<u64, Traded>; 2],
    subscribers: Vec<Subscriber>,
    dice: Dice,
    /// How often an answer of the REST interface is none.
    pub(crate) refuses: f64,
    is_over: bool,
}

/// What a connection has subscribed to, by symbol.
struct Subscriber {
    sender: Sender<Message>,
    trades: [bool; 2],
    books: [bool; 2],
}

pub(crate) fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().expect("no holder panics")
}

impl World {
    pub(crate) fn new(case: Case, seed: u64, venue: &'static dyn Venue) -> Shared {
        Arc::new(Mutex::new(Self {
            server: Server::new(case, seed),
            venue,
            known: HashMap::new(),
            changes: Default::default(),
            trades: Default::default(),
            subscribers: vec![],
            dice: Dice::new(seed ^ 0x4e57),
            refuses: 0.0,
            is_over: false,
        }))
    }

    /// The message of this text, where the venue has sent it.
    pub(crate) fn message(&self, text: &str) -> Option<&Message> {
        self.known.get(text)
    }

    /// No more of the market.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
    }

    /// The venue begins its numbers anew.
    pub(crate) fn restart(&mut self) {
        for message in self.server.restart() {
            self.send(&message);
        }
    }

    /// A message to all that have subscribed: that the connections will be closed.
    pub(crate) fn announce(&mut self, text: &str) {
        let message = Message {
            text: text.into(),
            order: 0,
            symbol: 0,
            about: About::Other,
        };
        self.send(&message);
    }

    fn step(&mut self) {
        let message = self.server.step();
        match message.about {
            About::Change(_) => self.changes[message.symbol].push(message.order),
            About::Trade => {
                let trades = &self.server.trades[message.symbol];
                let last = trades.back().expect("it has just been made");
                self.trades[message.symbol].insert(last.id, *last);
            }
            _ => {}
        }
        self.send(&message);
    }

    fn send(&mut self, message: &Message) {
        self.subscribers.retain(|subscriber| {
            let has_asked = match message.about {
                About::Change(_) | About::Whole(_) | About::Quote(_) => {
                    subscriber.books[message.symbol]
                }
                About::Trade => subscriber.trades[message.symbol],
                About::Fetched(_) => false,
                About::Other => true,
            };
            match has_asked {
                true => subscriber.sender.try_send(message.clone()).is_ok(),
                false => !subscriber.sender.is_closed(),
            }
        });
    }

    fn connect(&mut self) -> (usize, Receiver<Message>, Sender<Message>) {
        let (sender, receiver) = channel(WAITING_MAX);
        self.subscribers.push(Subscriber {
            sender: sender.clone(),
            trades: [false; 2],
            books: [false; 2],
        });
        (self.subscribers.len() - 1, receiver, sender)
    }

    /// Takes what a client says, or the address to which it connects.
    fn take(&mut self, sender: &Sender<Message>, text: &str) {
        let case = self.server.case;
        let names = |word: &str| {
            text.to_ascii_lowercase()
                .contains(&word.to_ascii_lowercase())
        };
        if text == "ping" || text.contains(r#""op":"ping""#) {
            return self.answer(sender, pong(case.form));
        }
        let leaves = names("unsubscribe");
        for symbol in 0..2 {
            if !names(case.symbols[symbol]) {
                continue;
            }
            let [trades, books] = case.streams.map(|stream| names(&quoted(case.form, stream)));
            let mut first = vec![];
            if trades && !leaves {
                first.extend(self.server.recent(symbol));
            }
            if books && !leaves && case.has_books() && !self.server.fetches() {
                first.extend(self.server.whole(symbol));
            }
            let own = self.subscribers.iter_mut();
            let mut own = own.filter(|own| own.sender.same_channel(sender));
            let Some(own) = own.next() else { return };
            own.trades[symbol] = (own.trades[symbol] || trades) && !(trades && leaves);
            own.books[symbol] = (own.books[symbol] || books) && !(books && leaves);
            for message in first {
                drop(sender.try_send(message));
            }
        }
        self.answer(sender, ack(case.form));
    }

    fn answer(&mut self, sender: &Sender<Message>, text: &str) {
        let message = Message {
            text: text.into(),
            order: 0,
            symbol: 0,
            about: About::Other,
        };
        drop(sender.try_send(message));
    }

    /// The text that a connection sends, which has a number of its own where the venue counts messages.
    fn text_for(&mut self, mut message: Message, number: u64) -> String {
        if let Some(at) = message.text.find(NUMBER) {
            let from = at + NUMBER.len();
            let digits = message.text[from..].bytes();
            let until = from + digits.take_while(u8::is_ascii_digit).count();
            message.text.replace_range(from..until, &number.to_string());
        }
        let text = message.text.clone();
        for part in self.venue.split(text.as_bytes()) {
            let part = String::from_utf8(part).expect("it is text");
            self.known.insert(part, message.clone());
        }
        self.known.entry(text.clone()).or_insert(message);
        text
    }

    /// An answer of the REST interface.
    fn fetched(&mut self, request: &str) -> Option<String> {
        if self.dice.happens(self.refuses) {
            return None;
        }
        let names = |name: &&str| request.contains(&format!("symbol={name}&"));
        let symbol = self.server.case.symbols.iter().position(names)?;
        let name = self.server.case.symbols[symbol];
        let message = self.server.whole(symbol).pop()?;
        let as_read = self.venue.snapshot_message(name, message.text.as_bytes());
        let as_read = String::from_utf8(as_read).expect("it is text");
        let text = message.text.clone();
        self.known.insert(as_read, message);
        Some(text)
    }
}

/// A stream as subscriptions write it, so that no other word is taken for it.
fn quoted(form: Form, stream: &str) -> String {
    match form {
        Form::Spot | Form::Usdm => format!("@{stream}"),
        Form::Bybit => format!("\"{stream}."),
        _ => format!("\"{stream}\""),
    }
}

fn pong(form: Form) -> &'static str {
    match form {
        Form::Okx => "pong",
        _ => r#"{"success":true,"ret_msg":"pong","conn_id":"1","op":"ping"}"#,
    }
}

fn ack(form: Form) -> &'static str {
    match form {
        Form::Spot | Form::Usdm => r#"{"result":null,"id":1}"#,
        Form::Bybit => r#"{"success":true,"ret_msg":"subscribe","conn_id":"1","op":"subscribe"}"#,
        Form::Okx => r#"{"event":"subscribe","arg":{"channel":"books"},"connId":"1"}"#,
        Form::Coinbase => {
            r#"{"channel":"subscriptions","timestamp":"2026-02-03T14:00:00Z","sequence_num":0,"events":[]}"#
        }
        Form::Described | Form::Plain => r#"{"kind":"beat"}"#,
        Form::Alpaca => r#"[{"T":"subscription","trades":[],"quotes":[]}]"#,
        Form::Kraken => r#"{"method":"subscribe","result":{"channel":"book"},"success":true}"#,
    }
}

/// Lets the market go on: so many steps a turn, a turn every five milliseconds.
pub(crate) async fn go_on(world: Shared, steps: u32) {
    let mut turn = tokio::time::interval(Duration::from_millis(5));
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turn.tick().await;
        let mut world = lock(&world);
        if world.is_over {
            return;
        }
        (0..steps).for_each(|_| world.step());
    }
}

/// Takes clients of the websocket.
pub(crate) async fn serve(world: Shared, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(Arc::clone(&world), stream));
    }
}

#[expect(
    clippy::result_large_err,
    reason = "the type of the library's callback"
)]
async fn converse(world: Shared, stream: TcpStream) {
    let mut address = String::new();
    let look = |request: &Request, response: Response| {
        address = request.uri().to_string();
        Ok(response)
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, look).await else {
        return;
    };
    let (_, mut receiver, sender) = lock(&world).connect();
    if lock(&world).server.fetches() {
        lock(&world).take(&sender, &address);
    }
    let mut number = 0;
    loop {
        tokio::select! {
            Some(message) = receiver.recv() => {
                let text = lock(&world).text_for(message, number);
                number += 1;
                if socket.send(Packet::text(text)).await.is_err() {
                    return;
                }
            }
            packet = socket.next() => match packet {
                Some(Ok(Packet::Text(text))) => lock(&world).take(&sender, &text),
                Some(Ok(Packet::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            }
        }
    }
}

/// Answers requests of whole books.
pub(crate) async fn serve_rest(world: Shared, listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut request = vec![];
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => request.push(byte),
                Err(_) => break,
            }
        }
        let body = lock(&world).fetched(&String::from_utf8_lossy(&request));
        let (status, body) = match body {
            Some(body) => ("200 OK", body),
            None => ("503 Service Unavailable", r#"{"code":-1}"#.into()),
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        drop(stream.write_all(answer.as_bytes()).await);
        drop(stream.shutdown().await);
    }
}

const NUMBER: &str = "\"sequence_num\":";
/// Messages that may wait for a connection: those of some minutes.
const WAITING_MAX: usize = 1 << 17;
