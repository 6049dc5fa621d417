//! A websocket feed of an exchange, kept alive.
//!
//! It reads messages and hands them on as they are: no JSON is parsed here, and all that is particular to
//! the exchange is its [`Venue`](crate::decode::venue::Venue)'s. A connection that is lost ends with a gap
//! frame, because messages may be missing until there is another one; where the end was announced, the next
//! connection is opened before, and a handover frame stands between the two. Frames of ours also tell of each
//! connection that is opened or ends, so that a capture shows what happened.
//!
//! Proxy variables (`https_proxy` and the like) apply to neither the websocket nor the REST interface.

mod backoff;
mod connection;
mod end;
mod events;
mod feed;
mod heard_stream;
mod host_limits;
pub mod hours;
mod numbering;
mod overlap;
mod reaction;
mod replacement;
mod request_budget;
mod rest;
mod settings;
mod snapshot;
mod subscription_texts;
mod topic_books;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use self::feed::Feed;
pub use self::settings::{WebsocketError, WebsocketSettings};
pub use self::topic_books::fetch_snapshots;
use super::conflation::Conflation;
use super::snapshot_requests::BookReport;
use super::status::FeedStatus;

/// Reads the feed until `stop` turns true, connecting again as often as it takes.
///
/// What the engine says of its books arrives on `reports`.
///
/// # Errors
/// [`WebsocketError`] for settings that can never work, and where the venue refuses for good; trouble with
/// the network is no error.
pub async fn run(
    settings: WebsocketSettings,
    out: Conflation,
    mut reports: mpsc::Receiver<BookReport>,
    status: Arc<FeedStatus>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), WebsocketError> {
    let mut feed = Feed::new(settings, out, Arc::clone(&status))?;
    // Whatever it waits for, a stop ends it.
    let ended = tokio::select! {
        ended = feed.live(&mut reports) => ended,
        _ = stop.wait_for(|stop| *stop) => Ok(()),
    };
    status.set_healthy(false);
    feed.finish().await;
    ended
}

#[cfg(test)]
mod tests;
