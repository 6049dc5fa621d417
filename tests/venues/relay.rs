//! A proxy between a venue's websocket and its client: it spoils messages as [`Proxy`] does, cuts them anew
//! into frames and segments, and ends connections.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use foretick::clock;
use foretick::decode::venue::BookProof;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncWriteExt, Sink, sink};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Packet;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::cases::Case;
use crate::market::Dice;
use crate::proxy::{Delivered, Fault, Proxy};
use crate::wire::{About, Message};
use crate::world::{self, Shared};

/// What may befall the bytes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// A message in several websocket frames.
    Fragments,
    /// A websocket frame in several TCP segments.
    Segments,
    /// Two messages in one segment.
    Join,
    /// The venue says goodbye.
    Close,
    /// The connection is reset.
    Reset,
    /// The peer is there no more, and nobody says so.
    HalfOpen,
}

/// Cuts that change nothing of what is said.
pub(crate) const HARMLESS: [Cut; 3] = [Cut::Fragments, Cut::Segments, Cut::Join];
/// Cuts that end the connection.
pub(crate) const ENDS: [Cut; 3] = [Cut::Close, Cut::Reset, Cut::HalfOpen];

/// What the proxy is to do, and what it has done, over all connections.
pub(crate) struct Faults {
    pub(crate) seed: u64,
    pub(crate) rate: f64,
    pub(crate) faults: Vec<Fault>,
    /// How often the bytes are cut, and how.
    pub(crate) cut_rate: f64,
    pub(crate) cuts: Vec<Cut>,
    /// Connections so far.
    pub(crate) connections: u64,
    pub(crate) done: u64,
    /// Messages of the venue so far.
    pub(crate) passed: u64,
    /// The last connection that the venue closes.
    pub(crate) closes: u64,
    /// Places of messages that have got another digit.
    pub(crate) digits: BTreeSet<u64>,
    pub(crate) proof: BookProof,
}

pub(crate) type SharedFaults = Arc<Mutex<Faults>>;

pub(crate) fn lock(faults: &SharedFaults) -> MutexGuard<'_, Faults> {
    faults.lock().expect("no holder panics")
}

/// One connection through the proxy.
struct Relay {
    world: Shared,
    faults: SharedFaults,
    proxy: Proxy,
    dice: Dice,
    /// Whether the last message of each symbol's book was not passed on as it was: another one with a wrong
    /// number right behind it may hide from any proof.
    is_doubtful: [bool; 2],
    client: OwnedWriteHalf,
    /// From 1.
    number: u64,
    /// When it was late last.
    paused: Instant,
    /// A message that waits for the next one, to share its segment.
    joined: Vec<u8>,
}

/// The client's half of a websocket whose answers are written elsewhere.
type Heard = WebSocketStream<tokio::io::Join<OwnedReadHalf, Sink>>;

/// What is left to do after a message.
enum Then {
    GoOn,
    End(Cut),
}

/// Takes clients, and connects each to the venue.
pub(crate) async fn relay(
    world: Shared,
    faults: SharedFaults,
    listener: TcpListener,
    venue: SocketAddr,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (world, faults) = (Arc::clone(&world), Arc::clone(&faults));
        tokio::spawn(async move {
            // The client may leave at any time.
            pass_on(world, faults, stream, venue).await.unwrap_or(());
        });
    }
}

#[expect(
    clippy::result_large_err,
    reason = "the type of the library's callback"
)]
async fn pass_on(
    world: Shared,
    faults: SharedFaults,
    stream: TcpStream,
    venue: SocketAddr,
) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut path = String::new();
    let look = |request: &Request, response: Response| {
        path = request.uri().to_string();
        Ok(response)
    };
    let client = tokio_tungstenite::accept_hdr_async(stream, look).await;
    let (reader, writer) = client.ok()?.into_inner().into_split();
    let reader = tokio::io::join(reader, sink());
    let mut heard: Heard = WebSocketStream::from_raw_socket(reader, Role::Server, None).await;
    let upstream = tokio_tungstenite::connect_async(format!("ws://{venue}{path}")).await;
    let (mut upstream, _) = upstream.ok()?;
    let mut relay = Relay::new(world, faults, writer);
    loop {
        let then = tokio::select! {
            packet = upstream.next() => match packet {
                Some(Ok(Packet::Text(text))) => relay.message(&text).await?,
                Some(Ok(_)) => Then::GoOn,
                Some(Err(_)) | None => return None,
            },
            packet = heard.next() => match packet {
                Some(Ok(Packet::Text(text))) => {
                    upstream.send(Packet::Text(text)).await.ok()?;
                    Then::GoOn
                }
                Some(Ok(Packet::Ping(bytes))) => {
                    relay.write(&frame(0x8a, &bytes)).await?;
                    Then::GoOn
                }
                Some(Ok(Packet::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => Then::GoOn,
            },
        };
        if let Then::End(cut) = then {
            return relay.end(cut, heard).await;
        }
    }
}

impl Relay {
    fn new(world: Shared, faults: SharedFaults, client: OwnedWriteHalf) -> Self {
        let mut shared = lock(&faults);
        shared.connections += 1;
        let seed = shared
            .seed
            .wrapping_mul(1_000)
            .wrapping_add(shared.connections);
        let case: Case = world::lock(&world).server.case;
        let number = shared.connections;
        let proxy = Proxy::new(seed, 0.0, &shared.faults, case.proved);
        drop(shared);
        Self {
            world,
            faults,
            proxy,
            dice: Dice::new(seed ^ 0xc07),
            is_doubtful: [false; 2],
            client,
            number,
            paused: clock::instant(),
            joined: vec![],
        }
    }

    /// Passes a message on, or does not.
    async fn message(&mut self, text: &str) -> Option<Then> {
        let message = world::lock(&self.world).message(text).cloned();
        let message = message.expect("the venue knows what it has sent");
        let (cut, mut fault) = {
            let mut shared = lock(&self.faults);
            shared.passed += 1;
            if self.number <= shared.closes {
                return Some(Then::End(Cut::Close));
            }
            self.proxy.rate = shared.rate;
            self.proxy.faults.clone_from(&shared.faults);
            let cut = self.dice.happens(shared.cut_rate) && !shared.cuts.is_empty();
            let at = self.dice.below(shared.cuts.len().max(1) as u64) as usize;
            (cut.then(|| shared.cuts[at]), self.proxy.fault())
        };
        let late = 20 + self.dice.below(130);
        // What is late catches up before it is late again.
        if matches!(fault, Some(Fault::Delay | Fault::Silence)) {
            let is_soon = self.paused.elapsed() < PAUSES_EVERY;
            fault = fault.filter(|_| !is_soon);
        }
        match fault {
            Some(Fault::Delay) => self.pause(late).await,
            Some(Fault::Silence) => self.pause(300).await,
            Some(Fault::Restart) => {
                // Its small numbers may be those of what is held from before: nothing could tell them apart.
                self.proxy.forget();
                world::lock(&self.world).restart();
            }
            _ => {}
        }
        if fault == Some(Fault::Digit) && self.is_doubtful != [false; 2] {
            fault = None;
        }
        lock(&self.faults).done += u64::from(fault.is_some());
        if fault == Some(Fault::Reconnect) {
            return Some(Then::End(ENDS[self.dice.below(3) as usize]));
        }
        let mut out = vec![];
        self.note(&message, fault);
        self.proxy.pass(message, fault, &mut out);
        for Delivered { message, spoilt } in out {
            if spoilt == Some(Fault::Digit) {
                lock(&self.faults).digits.insert(message.order);
            }
            self.deliver(&message.text, cut.filter(|cut| HARMLESS.contains(cut)))
                .await?;
        }
        let cut = cut.filter(|cut| ENDS.contains(cut));
        lock(&self.faults).done += u64::from(cut.is_some());
        Some(cut.map_or(Then::GoOn, Then::End))
    }

    async fn pause(&mut self, ms: u64) {
        sleep(Duration::from_millis(ms)).await;
        self.paused = clock::instant();
    }

    /// Notes whether the books can be as the venue's after this.
    fn note(&mut self, message: &Message, fault: Option<Fault>) {
        let is_spoilt = matches!(
            fault,
            Some(Fault::Drop | Fault::Reorder | Fault::Break | Fault::Digit | Fault::Restart)
        );
        let is_book = matches!(message.about, About::Change(_) | About::Whole(_));
        let by_connection = lock(&self.faults).proof == BookProof::ConnectionNumbers;
        for symbol in 0..2 {
            if by_connection || (is_book && message.symbol == symbol) {
                self.is_doubtful[symbol] = is_spoilt;
            }
        }
    }

    async fn deliver(&mut self, text: &str, cut: Option<Cut>) -> Option<()> {
        let bytes = text.as_bytes();
        match cut {
            Some(Cut::Fragments) if bytes.len() > 2 => {
                let at = 1 + self.dice.below(bytes.len() as u64 - 2) as usize;
                let last = bytes.len() - 1;
                // Nothing of its own in the second; a ping of the venue may stand between them.
                let parts = [
                    frame(0x01, &bytes[..at]),
                    frame(0x00, &[]),
                    frame(0x89, b"between"),
                    frame(0x00, &bytes[at..last]),
                    frame(0x80, &bytes[last..]),
                ];
                for part in parts {
                    self.write(&part).await?;
                }
                Some(())
            }
            Some(Cut::Segments) => {
                let whole = frame(0x81, bytes);
                let at = 1 + self.dice.below(whole.len() as u64 - 1) as usize;
                self.write(&whole[..at]).await?;
                sleep(Duration::from_millis(2)).await;
                self.write(&whole[at..]).await
            }
            Some(Cut::Join) => {
                self.joined.extend(frame(0x81, bytes));
                Some(())
            }
            _ => self.write(&frame(0x81, bytes)).await,
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Option<()> {
        let mut all = std::mem::take(&mut self.joined);
        all.extend_from_slice(bytes);
        self.client.write_all(&all).await.ok()
    }

    async fn end(mut self, cut: Cut, mut heard: Heard) -> Option<()> {
        match cut {
            Cut::Close => {
                let words = [&1_012_u16.to_be_bytes()[..], b"maintenance"].concat();
                self.write(&frame(0x88, &words)).await
            }
            Cut::Reset => self.client.as_ref().set_zero_linger().ok(),
            _ => {
                // Whatever it sends, it gets no answer.
                while let Some(Ok(_)) = heard.next().await {}
                Some(())
            }
        }
    }
}

/// A frame as servers send it. `head` holds its kind, and whether it is the last of its message.
fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![head];
    match u16::try_from(payload.len()) {
        Ok(length) if length < 126 => frame.push(length as u8),
        Ok(length) => {
            frame.push(126);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => {
            frame.push(127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

const PAUSES_EVERY: Duration = Duration::from_millis(800);
