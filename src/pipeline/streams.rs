//! The streams that a pipeline subscribes to: those that it names, or those of the venue that bring what its
//! rows and features need.

use super::needs::{Need, Needed};
use crate::config::ConfigFault;
use crate::decode::venue::Venue;
use crate::decode::venue_feed::VenueStream;

/// What the streams are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Rows and signals: the streams must bring all that these need.
    #[default]
    Signals,
    /// A recording: they may bring anything.
    Recording,
}

/// What a pipeline asks of the streams.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// Those that it names.
    pub(super) written: &'a [String],
    /// What its rows and features need.
    pub(super) needs: &'a [Need],
    /// What the streams are for.
    pub(super) purpose: Purpose,
    /// Whether the pipeline describes the feed itself.
    pub(super) is_described: bool,
}

/// The streams of a connection.
///
/// # Errors
/// A stream that the venue does not have, streams that no connection can have together, and a need that none
/// of them meets.
pub(super) fn chosen(
    venue: &'static dyn Venue,
    asked: &Asked<'_>,
) -> Result<Vec<String>, ConfigFault> {
    let Asked { written, needs, .. } = *asked;
    let streams = match written {
        [] => usual(venue, needs),
        written => written.to_vec(),
    };
    if let Some(what) = venue.refusal(&streams) {
        return Err(ConfigFault::at(KEY, what));
    }
    for (at, name) in written.iter().enumerate() {
        if stream_of(venue, name).is_none() {
            let what = format!(
                "{} has no stream `{name}` that is read; it has {}",
                venue.name(),
                names(venue.streams().iter())
            );
            return Err(ConfigFault::at(format!("{KEY}[{at}]"), what));
        }
    }
    let subscribed: Vec<&VenueStream> = streams
        .iter()
        .filter_map(|name| stream_of(venue, name))
        .collect();
    let is_unmet = |need: &&Need| !subscribed.iter().any(|stream| need.needed.is_in(stream));
    match needs.iter().find(is_unmet) {
        Some(need) if asked.purpose == Purpose::Signals => {
            Err(unmet(venue, need, &subscribed, asked.is_described))
        }
        _ => Ok(streams),
    }
}

const KEY: &str = "source.websocket.streams";

fn stream_of(venue: &dyn Venue, name: &str) -> Option<&'static VenueStream> {
    venue.streams().iter().find(|stream| stream.name == name)
}

fn names<'s>(streams: impl Iterator<Item = &'s VenueStream>) -> String {
    let names: Vec<&str> = streams.map(|stream| stream.name).collect();
    names.join(", ")
}

/// The venue's usual streams, with those instead or besides that bring what is needed: a deeper book, bars,
/// headlines alone.
fn usual(venue: &'static dyn Venue, needs: &[Need]) -> Vec<String> {
    let all = || venue.streams().iter();
    let news = all().find(|stream| Needed::News.is_in(stream));
    let is_news = needs.iter().any(|need| need.needed == Needed::News);
    if let Some(news) = news.filter(|_| is_news) {
        return vec![news.name.to_owned()];
    }
    let mut usual: Vec<&VenueStream> = venue
        .usual_streams()
        .iter()
        .filter_map(|name| stream_of(venue, name))
        .collect();
    for need in needs {
        if usual.iter().any(|stream| need.needed.is_in(stream)) {
            continue;
        }
        let meeting = all().filter(|stream| need.needed.is_in(stream));
        if let Some(other) = meeting.min_by_key(|stream| stream.levels()) {
            if other.levels() > 0 {
                usual.retain(|stream| stream.levels() == 0);
            }
            usual.push(other);
        }
    }
    match usual.is_empty() {
        // A described feed whose events are not described yet.
        true => venue
            .usual_streams()
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        false => usual.iter().map(|stream| stream.name.to_owned()).collect(),
    }
}

/// What no subscribed stream brings, and what to do about it.
fn unmet(
    venue: &dyn Venue,
    need: &Need,
    subscribed: &[&VenueStream],
    is_described: bool,
) -> ConfigFault {
    let Need { key, whose, needed } = need;
    let have = names(subscribed.iter().copied());
    let has = venue.streams().iter().filter(|stream| needed.is_in(stream));
    let has: Vec<&str> = has.map(|stream| stream.name).collect();
    let tables: &[&str] = match needed {
        Needed::Trades => &["trade"],
        Needed::Quotes => &["quote"],
        Needed::Best => &["quote", "book"],
        Needed::Book(_) => &["book"],
        Needed::Bars | Needed::News | Needed::Records => &[],
    };
    let tables = tables
        .iter()
        .map(|table| format!("[source.websocket.json.{table}]"));
    let tables: Vec<String> = tables.collect();
    let keeps = subscribed.iter().any(|stream| stream.levels() > 0);
    let advice = match (has.as_slice(), needed) {
        _ if is_described && keeps && matches!(needed, Needed::Book(_)) => {
            "the feed keeps no more levels than `book.keep_levels` says".to_owned()
        }
        _ if is_described && !tables.is_empty() => format!("add the table {}", tables.join(" or ")),
        ([], Needed::Records) => "read them from Kafka or files".to_owned(),
        ([], _) => {
            let all = venue.streams().iter();
            let all = all.map(|stream| format!("{} ({})", stream.name, stream.brings));
            let all: Vec<String> = all.collect();
            format!("{} has {}", venue.name(), all.join(", "))
        }
        (has, _) => format!("name one of these in `{KEY}`: {}", has.join(", ")),
    };
    let what = match subscribed {
        [] => format!("{whose} {needed}, and nothing brings that: {advice}"),
        _ => format!(
            "{whose} {needed}, and no stream that is subscribed to ({have}) brings that: {advice}"
        ),
    };
    ConfigFault::at(key.as_str(), what)
}
