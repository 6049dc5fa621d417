//! Alpaca's news: `T` is `n`. A revision has the number of its item and a later `updated_at`.
//!
//! Reads the headline. The content, which is often empty, is not read.

use super::output::VENUE;
use super::wire::{Key, StockMessage, each};
use crate::decode::decoded::Notice;
use crate::decode::error::DecodeError;
use crate::decode::news_item::{NewsItem, NewsMessage};
use crate::instrument::is_name;

/// Reads a message of the news feed, which is one alone.
pub(super) fn news(bytes: &[u8]) -> Result<NewsMessage<'static>, DecodeError> {
    let mut read = None;
    each(bytes, |message| match read.replace(one(message)?) {
        Some(_) => Err(DecodeError::WrongShape),
        None => Ok(()),
    })?;
    read.ok_or(DecodeError::WrongShape)
}

fn one(message: &StockMessage<'_>) -> Result<NewsMessage<'static>, DecodeError> {
    match message.text(Key::Type)? {
        "n" => Ok(NewsMessage::Item(item(message)?)),
        "success" | "subscription" => Ok(NewsMessage::Notice(Notice::Ack)),
        "error" => Ok(NewsMessage::Notice(Notice::VenueError)),
        _ => Err(DecodeError::UnknownType),
    }
}

fn item(message: &StockMessage<'_>) -> Result<NewsItem<'static>, DecodeError> {
    let updated = match message.at(Key::Updated).has_value() {
        true => Key::Updated,
        false => Key::Created,
    };
    let ts_event = message.at(updated).time(updated.name())?;
    let symbols = Key::Symbols.name();
    let listed = match message.at(Key::Symbols).has_value() {
        true => message.at(Key::Symbols).texts(symbols)?,
        false => vec![],
    };
    if listed.iter().any(|symbol| !is_name(symbol)) {
        return Err(DecodeError::OutOfRange(symbols));
    }
    let instruments = listed.iter().map(|symbol| format!("{symbol}.{VENUE}"));
    let id = message.at(Key::ItemId).unsigned(Key::ItemId.name())?;
    Ok(NewsItem {
        ts_event,
        id: id.to_string().into(),
        // A plausible time is above zero.
        revision: ts_event.0.cast_unsigned(),
        headline: message.text(Key::Headline)?.to_owned().into(),
        language: None,
        instruments: instruments.collect(),
        listed_in: symbols,
    })
}
