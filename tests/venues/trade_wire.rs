//! Trades as each venue would send them, one by one or several in a message.

use crate::cases::Form;
use crate::numerals::{START, rfc3339, tenths, thousandths};

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traded {
    pub(crate) id: u64,
    /// In tenths.
    pub(crate) price: i64,
    /// In thousandths.
    pub(crate) size: i64,
    /// Milliseconds since the start.
    pub(crate) ms: i64,
}

/// Whether a venue sends the newest trades to who subscribes.
pub(crate) fn has_recent(form: Form) -> bool {
    matches!(form, Form::Coinbase | Form::Kraken)
}

/// The trades of a symbol in one message. `number` is the connection's, `is_recent` says that they are what
/// a subscription begins with.
pub(crate) fn text_of(
    form: Form,
    name: &str,
    trades: &[Traded],
    number: u64,
    is_recent: bool,
) -> String {
    let kind = if is_recent { "snapshot" } else { "update" };
    let all: Vec<String> = trades.iter().map(|one| entry(form, name, one)).collect();
    let (list, low) = (all.join(","), name.to_ascii_lowercase());
    let ms = trades.last().map_or(0, |last| last.ms);
    let (at, time) = (START + ms, rfc3339(ms));
    match form {
        Form::Described | Form::Plain => list,
        Form::Alpaca => format!("[{list}]"),
        Form::Spot | Form::Usdm => format!(r#"{{"stream":"{low}@trade","data":{list}}}"#),
        Form::Bybit => format!(
            r#"{{"topic":"publicTrade.{name}","ts":{at},"type":"snapshot","data":[{list}]}}"#
        ),
        Form::Okx => {
            format!(r#"{{"arg":{{"channel":"trades","instId":"{name}"}},"data":[{list}]}}"#)
        }
        Form::Coinbase => format!(
            r#"{{"channel":"market_trades","client_id":"","timestamp":"{time}","sequence_num":{number},"events":[{{"type":"{kind}","trades":[{list}]}}]}}"#
        ),
        Form::Kraken => format!(r#"{{"channel":"trade","type":"{kind}","data":[{list}]}}"#),
    }
}

fn entry(form: Form, name: &str, trade: &Traded) -> String {
    let Traded {
        id,
        price,
        size,
        ms,
    } = *trade;
    let (price, size, at, time) = (tenths(price), thousandths(size), START + ms, rfc3339(ms));
    match form {
        Form::Described | Form::Plain => format!(
            r#"{{"kind":"fill","market":"{name}","price":"{price}","size":"{size}","side":"buy","no":{id},"at":{at}}}"#
        ),
        Form::Alpaca => format!(
            r#"{{"T":"t","i":{id},"S":"{name}","x":"V","p":{price},"s":{size},"c":["@"],"t":"{time}","z":"C"}}"#
        ),
        Form::Spot => format!(
            r#"{{"e":"trade","E":{at},"s":"{name}","t":{id},"p":"{price}","q":"{size}","T":{at},"m":true,"M":true}}"#
        ),
        Form::Usdm => format!(
            r#"{{"e":"trade","E":{at},"T":{at},"s":"{name}","t":{id},"p":"{price}","q":"{size}","X":"MARKET","m":true}}"#
        ),
        Form::Bybit => format!(
            r#"{{"i":"{id}","T":{at},"p":"{price}","v":"{size}","S":"Sell","seq":{id},"s":"{name}","BT":false}}"#
        ),
        Form::Okx => format!(
            r#"{{"instId":"{name}","tradeId":"{id}","px":"{price}","sz":"{size}","side":"sell","ts":"{at}","count":"1"}}"#
        ),
        Form::Coinbase => format!(
            r#"{{"trade_id":"{id}","product_id":"{name}","price":"{price}","size":"{size}","side":"BUY","time":"{time}"}}"#
        ),
        Form::Kraken => format!(
            r#"{{"symbol":"{name}","side":"buy","price":{price},"qty":{size},"ord_type":"limit","trade_id":{id},"timestamp":"{time}"}}"#
        ),
    }
}
