//! What a connection does about a message, beside handing it on.

use tracing::{error, warn};

use super::connection::OpenConnection;
use super::end::{End, EndReport};
use crate::decode::venue::{Reaction, Venue};
use crate::source::status::{FeedStatus, count};

/// Whether a message is about an instrument, or several.
pub(super) fn is_of_market(venue: &dyn Venue, message: &[u8]) -> bool {
    venue.symbol_of(message).is_some()
        || venue.names_several(message)
        || !venue.split(message).is_empty()
}

/// What to do where the message came by a connection that is to take over: one that the venue refuses for now
/// does not, and the one in use goes on.
pub(super) fn of_replacement(reaction: Reaction) -> Reaction {
    match reaction {
        Reaction::RefusedForNow(words) => Reaction::Fault(words),
        other => other,
    }
}

/// Answers, tells, or says how the connection ends.
pub(super) fn react(
    reaction: Reaction,
    connection: &mut OpenConnection,
    report: &mut EndReport,
    status: &FeedStatus,
    url: &str,
) -> Option<End> {
    match reaction {
        Reaction::None => None,
        Reaction::Reconnect => Some(End::Shutdown),
        Reaction::Answer(text) => {
            connection.queue([text]);
            None
        }
        Reaction::Rejected(words) => {
            count(&status.rejections);
            let told = format!("the venue refuses a part of the subscription: `{words}`");
            report.news(&told, || error!(url, "{told}"));
            None
        }
        Reaction::RefusedForNow(words) => {
            count(&status.rejections);
            let told = format!("the venue refuses for now: `{words}`; subscribing again later");
            report.news(&told, || warn!(url, "{told}"));
            connection.subscribe_later();
            None
        }
        Reaction::Told(words) => {
            count(&status.notices);
            let told = format!("the venue says: `{words}`");
            report.news(&told, || warn!(url, "{told}"));
            None
        }
        Reaction::Fault(words) => Some(End::Fault(words)),
        Reaction::Fatal(words) => Some(End::Fatal(words)),
    }
}
