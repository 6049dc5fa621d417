//! What a connection does about a message, beside handing it on.

use tracing::{error, warn};

use super::connection::OpenConnection;
use super::end::{End, EndReport};
use crate::decode::venue::Reaction;
use crate::source::status::{FeedStatus, count};

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
        Reaction::Fault(words) => {
            let told = format!("the venue reports a fault: `{words}`");
            report.news(&told, || warn!(url, "{told}"));
            None
        }
        Reaction::Fatal(words) => Some(End::Fatal(words)),
    }
}
