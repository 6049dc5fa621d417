//! `[source.websocket.json]`, checked: a venue that the pipeline describes itself.

use std::collections::BTreeMap;
use std::time::Duration;

use super::streams::Purpose;
use crate::config::{
    ConfigFault, JsonBookConfig, JsonFeedConfig, JsonIds, JsonQuoteConfig, JsonTimeUnit,
    JsonTradeConfig, PipelineFile, RowOn, SourceKind,
};
use crate::decode::json_feed::{
    BookFields, Condition, EventMapping, EventTime, Fields, LevelLists, Mapping, Pointer,
    QuoteFields, TimeUnit, TradeFields, UpdateNumbers, Whole, unknown_word,
};
use crate::decode::venues::Venues;
use crate::event::TradeIds;
use crate::instrument::is_name;

/// What the pipeline's own feed means; none where it describes none.
///
/// # Errors
/// The first key that is wrong.
pub(super) fn mapping(
    file: &PipelineFile,
    purpose: Purpose,
) -> Result<Option<Mapping>, ConfigFault> {
    let websocket = &file.source.websocket;
    let Some(feed) = &websocket.json else {
        return Ok(None);
    };
    if file.source.kind == SourceKind::Websocket && websocket.url.is_none() {
        let what = "a feed that is described here has no address of its own; add `url`";
        return Err(ConfigFault::at("source.websocket.url", what));
    }
    if !websocket.streams.is_empty() {
        let what = "the messages of `json.subscribe` say what is subscribed to; take `streams` out";
        return Err(ConfigFault::at("source.websocket.streams", what));
    }
    if websocket.rest.is_some() {
        let what = "whole books of a described feed come by the feed itself; take `rest` out";
        return Err(ConfigFault::at("source.websocket.rest", what));
    }
    check_name(&feed.venue)?;
    if purpose == Purpose::Signals {
        check_row(file.row.on, feed)?;
    }
    check_texts(feed)?;
    let conditions = |key: &str, all: &[BTreeMap<String, String>]| {
        let numbered = all.iter().enumerate();
        let read = numbered.map(|(at, one)| needed_condition(&format!("{key}[{at}]"), one));
        read.collect::<Result<Vec<_>, _>>()
    };
    let answers = feed.answers.iter().enumerate().map(|(at, answer)| {
        let when = needed_condition(&format!("answer[{at}].when"), &answer.when)?;
        Ok((when, answer.send.clone()))
    });
    Ok(Some(Mapping {
        venue: feed.venue.clone(),
        path: feed.path.clone(),
        subscribe: feed.subscribe.clone(),
        resubscribe: feed.resubscribe.clone(),
        newest_first: feed.newest_first,
        ignore: conditions("ignore", &feed.ignore)?,
        reconnect: conditions("reconnect", &feed.reconnect)?,
        rejected: conditions("rejected", &feed.rejected)?,
        fatal: conditions("fatal", &feed.fatal)?,
        reason: optional("reason", feed.reason.as_ref())?,
        keepalive: keepalive(feed)?,
        silent_max: feed.silent_max_ms.map(Duration::from_millis),
        answers: answers.collect::<Result<_, ConfigFault>>()?,
        kinds: kinds(feed)?,
    }))
}

/// A fault of a key of the feed's table.
fn fault(key: &str, what: impl Into<String>) -> ConfigFault {
    ConfigFault::at(format!("source.websocket.json.{key}"), what)
}

fn check_name(name: &str) -> Result<(), ConfigFault> {
    if !is_name(name) || name.contains(|letter: char| letter == '.' || letter.is_whitespace()) {
        let what =
            "the venue stands behind the dot of an instrument's name; write a word, as MYFEED";
        return Err(fault("venue", what));
    }
    let known = Venues::default();
    let mut names = known.names();
    match names.find(|known| known.eq_ignore_ascii_case(name)) {
        Some(known) => Err(fault(
            "venue",
            format!("`{known}` is a venue that Foretick knows; name yours otherwise"),
        )),
        None => Ok(()),
    }
}

/// Refuses a feed without the kind of event that makes a row.
fn check_row(on: RowOn, feed: &JsonFeedConfig) -> Result<(), ConfigFault> {
    let (has, key) = match on {
        RowOn::Trade => (feed.trade.is_some(), "trade"),
        RowOn::Quote => (feed.quote.is_some(), "quote"),
        RowOn::Book => (feed.book.is_some(), "book"),
        RowOn::Bar | RowOn::Application | RowOn::Statement | RowOn::News => {
            let what =
                "a feed has trades, quotes and books; read other records from Kafka or files";
            return Err(ConfigFault::at("row.on", what));
        }
    };
    match has {
        true => Ok(()),
        false => Err(ConfigFault::at(
            "row.on",
            format!("no event would make a row: add the table [source.websocket.json.{key}]"),
        )),
    }
}

/// Refuses words in braces that stand for nothing, and symbols where they cannot be.
fn check_texts(feed: &JsonFeedConfig) -> Result<(), ConfigFault> {
    let texts = |key: &'static str, all: &'static str| {
        move |(at, text)| (format!("{key}[{at}]"), text, all)
    };
    let subscribe = feed.subscribe.iter().enumerate();
    let resubscribe = feed.resubscribe.iter().enumerate();
    let all = subscribe
        .map(texts("subscribe", ""))
        .chain(resubscribe.map(texts("resubscribe", "{symbols}")))
        .chain([("path".to_owned(), &feed.path, "{symbol}")]);
    for (key, text, refused) in all {
        if let Some(word) = unknown_word(text) {
            let what =
                format!("nothing is put in for `{word}`; write `{{symbol}}` or `{{symbols}}`");
            return Err(fault(&key, what));
        }
        if !refused.is_empty() && text.contains(refused) {
            let other = match refused {
                "{symbol}" => "{symbols}",
                _ => "{symbol}",
            };
            let what = format!("`{refused}` has no meaning here; write `{other}`");
            return Err(fault(&key, what));
        }
    }
    Ok(())
}

fn keepalive(feed: &JsonFeedConfig) -> Result<Option<(String, Duration)>, ConfigFault> {
    match (&feed.keepalive, feed.keepalive_ms) {
        (None, None) => Ok(None),
        (Some(text), Some(millis)) if millis > 0 => {
            Ok(Some((text.clone(), Duration::from_millis(millis))))
        }
        (Some(_), _) => Err(fault(
            "keepalive_ms",
            "say how often `keepalive` is sent, above 0",
        )),
        (None, Some(_)) => Err(fault("keepalive", "say what is sent every `keepalive_ms`")),
    }
}

/// The kinds of event, in the order in which they are tried.
fn kinds(feed: &JsonFeedConfig) -> Result<Vec<EventMapping>, ConfigFault> {
    let mut kinds = vec![];
    if let Some(trade) = &feed.trade {
        kinds.push(kind(
            feed,
            "trade",
            (&trade.when, &trade.events, &trade.symbol),
            (&trade.time, trade.time_unit),
            trade_fields(trade)?,
        )?);
    }
    if let Some(quote) = &feed.quote {
        kinds.push(kind(
            feed,
            "quote",
            (&quote.when, &quote.events, &quote.symbol),
            (&quote.time, quote.time_unit),
            quote_fields(quote)?,
        )?);
    }
    if let Some(book) = &feed.book {
        kinds.push(kind(
            feed,
            "book",
            (&book.when, &book.events, &book.symbol),
            (&book.time, book.time_unit),
            book_fields(book, feed)?,
        )?);
    }
    if kinds
        .iter()
        .all(|kind| matches!(kind.time, EventTime::Before))
    {
        for kind in &mut kinds {
            kind.time = EventTime::Received;
        }
    }
    Ok(kinds)
}

fn kind(
    feed: &JsonFeedConfig,
    table: &str,
    (when, events, symbol): (&BTreeMap<String, String>, &Option<String>, &String),
    (time, unit): (&Option<String>, JsonTimeUnit),
    fields: Fields,
) -> Result<EventMapping, ConfigFault> {
    let key = |name: &str| format!("{table}.{name}");
    let events = match events {
        Some(own) => Some(list(&key("events"), own)?),
        None => feed
            .events
            .as_ref()
            .map(|all| list("events", all))
            .transpose()?,
    };
    let time = optional(&key("time"), time.as_ref())?;
    Ok(EventMapping {
        when: needed_condition(&key("when"), when)?,
        events,
        symbol: pointer(&key("symbol"), symbol)?,
        time: time.map_or(EventTime::Before, |at| EventTime::At(at, time_unit(unit))),
        fields,
    })
}

fn trade_fields(trade: &JsonTradeConfig) -> Result<Fields, ConfigFault> {
    let ids = match trade.ids {
        JsonIds::Successive => TradeIds::Successive,
        JsonIds::Rising => TradeIds::Rising,
        JsonIds::Distinct => TradeIds::Distinct,
    };
    if trade.id.is_none() && trade.ids != JsonIds::Distinct {
        let what = "say where the number is of which `ids` says something";
        return Err(fault("trade.id", what));
    }
    if trade.buy == trade.sell {
        return Err(fault(
            "trade.sell",
            "buyers and sellers need different words",
        ));
    }
    let id = optional("trade.id", trade.id.as_ref())?;
    Ok(Fields::Trade(TradeFields {
        price: pointer("trade.price", &trade.price)?,
        size: pointer("trade.size", &trade.size)?,
        side: pointer("trade.side", &trade.side)?,
        buy: trade.buy.clone(),
        sell: trade.sell.clone(),
        id: id.map(|pointer| (pointer, ids)),
    }))
}

fn quote_fields(quote: &JsonQuoteConfig) -> Result<Fields, ConfigFault> {
    Ok(Fields::Quote(QuoteFields {
        bid: (
            pointer("quote.bid_price", &quote.bid_price)?,
            pointer("quote.bid_size", &quote.bid_size)?,
        ),
        ask: (
            pointer("quote.ask_price", &quote.ask_price)?,
            pointer("quote.ask_size", &quote.ask_size)?,
        ),
        number: optional("quote.number", quote.number.as_ref())?,
    }))
}

fn book_fields(book: &JsonBookConfig, feed: &JsonFeedConfig) -> Result<Fields, ConfigFault> {
    let whole = match (book.whole, book.snapshot.is_empty()) {
        (true, true) => Whole::Always,
        (false, false) => Whole::When(condition("book.snapshot", &book.snapshot)?),
        (true, false) => {
            let what = "with `whole` each message is a whole book; take one of the two out";
            return Err(fault("book.snapshot", what));
        }
        (false, true) => {
            let what = "say which messages hold a whole book by `snapshot`, or that all do by `whole`: a book \
                        of changes alone never begins";
            return Err(fault("book.snapshot", what));
        }
    };
    let numbers = numbers(book)?;
    let is_proved = !matches!(
        (&whole, &numbers),
        (Whole::Always, _) | (_, UpdateNumbers::None)
    );
    if is_proved && feed.resubscribe.is_empty() {
        let what = "where changes of a book have numbers, a missing one shows, and the book needs to begin \
                    anew: say what to send for it";
        return Err(fault("resubscribe", what));
    }
    Ok(Fields::Book(BookFields {
        levels: levels(book)?,
        level_price: pointer("book.level_price", &book.level_price)?,
        level_size: pointer("book.level_size", &book.level_size)?,
        level_gone: condition("book.level_gone", &book.level_gone)?,
        whole,
        keep: book.keep_levels,
        numbers,
    }))
}

fn numbers(book: &JsonBookConfig) -> Result<UpdateNumbers, ConfigFault> {
    let first = optional("book.first", book.first.as_ref())?;
    let last = optional("book.last", book.last.as_ref())?;
    let previous = optional("book.previous", book.previous.as_ref())?;
    match (first, last, previous) {
        (None, None, None) => Ok(UpdateNumbers::None),
        (first, Some(last), None) => Ok(UpdateNumbers::Successive(first, last)),
        (None, Some(last), Some(previous)) => Ok(UpdateNumbers::Chained(previous, last)),
        (_, None, _) => Err(fault("book.last", "say where a change's own number is")),
        (Some(_), Some(_), Some(_)) => {
            let what = "a change that names the one `previous` begins behind it; take `first` out";
            Err(fault("book.first", what))
        }
    }
}

fn levels(book: &JsonBookConfig) -> Result<LevelLists, ConfigFault> {
    match (&book.bids, &book.asks, &book.levels, &book.level_side) {
        (Some(bids), Some(asks), None, None) => Ok(LevelLists::BySide {
            bids: pointer("book.bids", bids)?,
            asks: pointer("book.asks", asks)?,
        }),
        (None, None, Some(list), Some(side)) => {
            if book.bid == book.ask {
                return Err(fault("book.ask", "bids and asks need different words"));
            }
            Ok(LevelLists::Mixed {
                list: pointer("book.levels", list)?,
                side: pointer("book.level_side", side)?,
                bid: book.bid.clone(),
                ask: book.ask.clone(),
            })
        }
        _ => Err(fault(
            "book",
            "say where the levels are: by `bids` and `asks`, or by `levels` and `level_side`",
        )),
    }
}

fn time_unit(unit: JsonTimeUnit) -> TimeUnit {
    match unit {
        JsonTimeUnit::Ns => TimeUnit::Scaled(0),
        JsonTimeUnit::Us => TimeUnit::Scaled(3),
        JsonTimeUnit::Ms => TimeUnit::Scaled(6),
        JsonTimeUnit::S => TimeUnit::Scaled(9),
        JsonTimeUnit::Rfc3339 => TimeUnit::Rfc3339,
    }
}

/// A pointer to one value.
fn pointer(key: &str, written: &str) -> Result<Pointer, ConfigFault> {
    let pointer = Pointer::parse(written).map_err(|what| fault(key, what))?;
    match pointer.has_each() {
        true => Err(fault(
            key,
            "`*` is for `events` alone, which may be many; name one value",
        )),
        false => Ok(pointer),
    }
}

fn optional(key: &str, written: Option<&String>) -> Result<Option<Pointer>, ConfigFault> {
    written.map(|written| pointer(key, written)).transpose()
}

/// A pointer to events, which are looked for in the message.
fn list(key: &str, written: &str) -> Result<Pointer, ConfigFault> {
    if let Some(rest) = written.strip_prefix('^') {
        let what = format!("events are always looked for in the message; write `{rest}`");
        return Err(fault(key, what));
    }
    Pointer::parse(written).map_err(|what| fault(key, what))
}

fn condition(key: &str, written: &BTreeMap<String, String>) -> Result<Condition, ConfigFault> {
    Condition::new(written.iter()).map_err(|what| fault(key, what))
}

fn needed_condition(
    key: &str,
    written: &BTreeMap<String, String>,
) -> Result<Condition, ConfigFault> {
    match written.is_empty() {
        true => Err(fault(
            key,
            "a condition names a pointer and its text, as { \"/type\" = \"trade\" }",
        )),
        false => condition(key, written),
    }
}
