//! A venue that does not exist: other messages, another symbol field, and another way to get a snapshot than
//! Binance. One file is all that it needs.

use std::borrow::Cow;
use std::time::Duration;

use foretick::decode::text::text_of;
use foretick::decode::venue::{
    Addresses, BookProof, Proof, Reaction, SnapshotRequest, Subscription, Venue, VenueLimits,
    Wanted,
};
use foretick::decode::venue_feed::{ALL_LEVELS, Brings, Hosts, VenueStream};
use foretick::decode::{DecodeError, Decoded, Notice, StreamState};
use foretick::event::{Batch, Body, Depth, Level, Quote, Splice, Trade, TradeIds};
use foretick::instrument::Instruments;
use foretick::units::{Nanos, Price, Side, Size};
use serde_json::{Value, json};

/// Trades (`fill`), best bid and offer (`touch`), and a book whose changes count messages one by one. A
/// snapshot (`whole`) comes in the stream after each subscription and begins the count anew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meadow;

impl Venue for Meadow {
    fn name(&self) -> &'static str {
        "MEADOW"
    }

    fn spelling(&self, symbol: &str) -> String {
        symbol.to_ascii_uppercase()
    }

    fn symbol_examples(&self) -> &'static str {
        "OAK"
    }

    fn hosts(&self) -> Hosts {
        Hosts {
            own: &["meadow.example"],
            others: &[],
        }
    }

    fn path_fault(&self, _: &str, _: &[String]) -> Option<String> {
        None
    }

    fn streams(&self) -> &'static [VenueStream] {
        const STREAMS: &[VenueStream] = &[
            VenueStream::new("fill", Brings::Trades),
            VenueStream::new("touch", Brings::Quotes),
            VenueStream::new("book", Brings::Book(ALL_LEVELS)),
        ];
        STREAMS
    }

    fn addresses(&self) -> Addresses {
        Addresses {
            websocket: "wss://meadow.example",
            rest: "",
        }
    }

    fn usual_streams(&self) -> &'static [&'static str] {
        &["fill", "touch", "book"]
    }

    fn limits(&self) -> VenueLimits {
        VenueLimits {
            streams_max: 10,
            connection_age_max: Duration::from_secs(3_600),
            attempts_max: 10,
            attempts_window: Duration::from_secs(60),
            weight_max: 1,
            weight_window: Duration::from_secs(60),
            messages_max: 100,
            messages_window: Duration::from_secs(1),
            message_bytes_max: 1 << 20,
        }
    }

    fn proof(&self) -> Proof {
        Proof {
            book: BookProof::SymbolNumbers,
            trades: Some(TradeIds::Successive),
        }
    }

    fn subscription(&self, wanted: &Wanted<'_>) -> Subscription {
        let markets = wanted.symbols.iter().map(|s| s.to_ascii_lowercase());
        let markets: Vec<String> = markets.collect();
        let message = json!({"ask": "open", "markets": markets, "streams": wanted.streams});
        Subscription {
            address: format!("{}/feed", wanted.url),
            messages: vec![message.to_string()],
            ..Subscription::default()
        }
    }

    fn reaction(&self, message: &[u8]) -> Reaction {
        match text_of(message, "kind").as_deref() {
            Some("beat") => Reaction::Answer(r#"{"ask":"beat"}"#.into()),
            Some("closing") => Reaction::Reconnect,
            _ => Reaction::None,
        }
    }

    fn recognises(&self, message: &[u8]) -> bool {
        message.starts_with(br#"{"kind":"#)
    }

    fn symbol_of<'m>(&self, message: &'m [u8]) -> Option<Cow<'m, str>> {
        text_of(message, "market")
    }

    fn is_quote(&self, message: &[u8]) -> bool {
        text_of(message, "kind").as_deref() == Some("touch")
    }

    fn book_change_of<'m>(&self, message: &'m [u8]) -> Option<Cow<'m, str>> {
        (text_of(message, "kind").as_deref() == Some("change")).then(|| self.symbol_of(message))?
    }

    fn needs_snapshot(&self, stream: &str) -> bool {
        stream == "book"
    }

    fn snapshot_request(&self, symbol: &str, _: &[String]) -> SnapshotRequest {
        let market = symbol.to_ascii_lowercase();
        let message =
            |ask| json!({"ask": ask, "markets": [market], "streams": ["book"]}).to_string();
        SnapshotRequest::Send(vec![message("close"), message("open")])
    }

    fn snapshot_message(&self, _: &str, body: &[u8]) -> Vec<u8> {
        body.to_vec()
    }

    fn decode(
        &self,
        message: &[u8],
        _: &mut StreamState,
        instruments: &mut Instruments,
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        let wire: Value = serde_json::from_slice(message).map_err(|_| DecodeError::Malformed)?;
        let kind = wire["kind"].as_str().ok_or(DecodeError::WrongShape)?;
        match kind {
            "hello" => return Ok(Decoded::Notice(Notice::Ack)),
            "beat" => return Ok(Decoded::Notice(Notice::Ping)),
            "closing" => return Ok(Decoded::Notice(Notice::Shutdown)),
            _ => {}
        }
        let market = wire["market"].as_str().ok_or(DecodeError::WrongShape)?;
        let number = wire["no"].as_u64().ok_or(DecodeError::WrongShape)?;
        let body = match kind {
            "fill" => {
                let (price, size) = pair(&wire["of"])?;
                let side = match wire["s"].as_str() {
                    Some("bid") => Side::Buy,
                    _ => Side::Sell,
                };
                Body::Trade(Trade {
                    price,
                    size,
                    trade_id: number,
                    side: Some(side),
                    aggregate: false,
                    ids: TradeIds::Successive,
                })
            }
            "touch" => {
                let ((bid_px, bid_sz), (ask_px, ask_sz)) =
                    (pair(&wire["bid"])?, pair(&wire["offer"])?);
                Body::Quote(Quote {
                    bid_px,
                    bid_sz,
                    ask_px,
                    ask_sz,
                    sequence: 0,
                })
            }
            "change" | "whole" => Body::Depth(Depth {
                first: number,
                last: number,
                start: batch.levels.len() as u32,
                bids: levels(&wire["bids"], batch)?,
                asks: levels(&wire["offers"], batch)?,
                snapshot: (kind == "whole").then_some(Splice::InOrder),
                ..Depth::default()
            }),
            _ => return Err(DecodeError::UnknownType),
        };
        let instrument = instruments.intern(&market.to_ascii_uppercase(), self.name())?;
        let at = wire["at"].as_i64().ok_or(DecodeError::WrongShape)?;
        batch.push(instrument, Nanos(at), body);
        Ok(Decoded::Events)
    }
}

fn levels(side: &Value, batch: &mut Batch) -> Result<u32, DecodeError> {
    let side = side.as_array().ok_or(DecodeError::WrongShape)?;
    for level in side {
        let (price, size) = pair(level)?;
        batch.levels.push(Level { price, size });
    }
    Ok(side.len() as u32)
}

/// `"20.5 x 3"`: a price and a size.
fn pair(value: &Value) -> Result<(Price, Size), DecodeError> {
    let text = value.as_str().and_then(|text| text.split_once(" x "));
    let (price, size) = text.ok_or(DecodeError::WrongShape)?;
    let price = Price::parse(price.as_bytes()).map_err(|_| DecodeError::BadNumber("price"))?;
    let size = Size::parse(size.as_bytes()).map_err(|_| DecodeError::BadNumber("size"))?;
    Ok((price, size))
}
