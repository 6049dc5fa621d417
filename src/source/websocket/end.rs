//! Why a connection is over, and what that means for the next one.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio_tungstenite::tungstenite::error::{CapacityError, UrlError};
use tokio_tungstenite::tungstenite::http::{Response, StatusCode};
use tokio_tungstenite::tungstenite::{Error as WsError, protocol::CloseFrame};
use tracing::{info, warn};

use super::host_limits::{HostLimits, refused_for};
use crate::clock;
use crate::source::status::{EndReason, FeedStatus, count};

/// Why a connection is over.
#[derive(Debug)]
pub(super) enum End {
    Renewed,
    Shutdown,
    Idle,
    Silent(Duration),
    /// The book of this symbol.
    Unrepaired(String),
    Closed(Option<CloseFrame>),
    /// In the venue's words.
    Fault(String),
    /// In the venue's words.
    Fatal(String),
    Failed(WsError),
}

impl End {
    /// An end by time: connecting or sending took too long.
    pub(super) fn timeout() -> Self {
        Self::Failed(WsError::Io(ErrorKind::TimedOut.into()))
    }

    /// The end of a connection that was not made. Credentials that the host does not take are not sent again.
    pub(super) fn of_handshake(error: WsError) -> Self {
        match error {
            WsError::Http(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
                Self::Fatal(words(&answer))
            }
            // The websocket's own handshake ends otherwise.
            WsError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Self::Failed(WsError::Io(io::Error::new(ErrorKind::InvalidData, error)))
            }
            error => Self::Failed(error),
        }
    }

    pub(super) fn reason(&self) -> EndReason {
        match self {
            Self::Renewed => EndReason::Renewed,
            Self::Shutdown => EndReason::Shutdown,
            Self::Idle => EndReason::Idle,
            Self::Silent(_) => EndReason::Silent,
            Self::Unrepaired(_) => EndReason::Unrepaired,
            Self::Closed(_) => EndReason::Closed,
            Self::Fault(_) => EndReason::Fault,
            Self::Fatal(_) => EndReason::Fatal,
            Self::Failed(error) => of_error(error),
        }
    }

    /// Whether it is announced: the connection goes on until another one takes its place.
    pub(super) fn is_announced(&self) -> bool {
        matches!(self, Self::Renewed | Self::Shutdown)
    }

    /// Whether only quiet ended it, which says nothing against the next connection.
    pub(super) fn was_quiet(&self) -> bool {
        matches!(self, Self::Idle)
    }

    /// How long the host wants to be left alone; `unsaid` where it refuses without saying so. The firewalls
    /// of venues answer 403 to whom connects too often.
    pub(super) fn stay_away(&self, unsaid: Duration) -> Option<Duration> {
        let Self::Failed(WsError::Http(answer)) = self else {
            return None;
        };
        let retry_after = answer.headers().get("retry-after");
        let status = answer.status().as_u16();
        let wait = refused_for(status, retry_after, unsaid);
        wait.or_else(|| (status == 403).then_some(unsaid))
    }

    /// Tells the limiter of a host that wants to be left alone.
    pub(super) fn note_at(&self, limits: &HostLimits, unsaid: Duration) {
        if let Some(wait) = self.stay_away(unsaid) {
            limits.stay_away(wait, clock::instant());
        }
    }

    /// The code with which the venue closed it, and the venue's own words.
    pub(super) fn words(&self) -> (Option<u16>, Option<String>) {
        match self {
            Self::Closed(Some(frame)) => (Some(frame.code.into()), Some(frame.reason.to_string())),
            Self::Failed(WsError::Http(answer)) => (Some(answer.status().as_u16()), None),
            Self::Unrepaired(words) | Self::Fault(words) | Self::Fatal(words) => {
                (None, Some(words.clone()))
            }
            Self::Failed(error) => (None, Some(error.to_string())),
            Self::Renewed | Self::Shutdown | Self::Idle | Self::Silent(_) | Self::Closed(None) => {
                (None, None)
            }
        }
    }

    /// What happened, with the venue's own words.
    fn told(&self) -> String {
        match self {
            Self::Renewed => "connection renewed before its age limit".into(),
            Self::Shutdown => "the venue announced the end of the connection".into(),
            Self::Idle => {
                "nothing came within `idle_ms`, not even an answer to a ping: connecting again"
                    .into()
            }
            Self::Silent(longest) => {
                format!("the connection lives, but no data came for {longest:?}: connecting again")
            }
            Self::Unrepaired(symbol) => {
                format!("subscribing again did not repair the book of {symbol}: connecting again")
            }
            Self::Closed(None) => "the venue closed the connection without a reason".into(),
            Self::Closed(Some(frame)) => format!(
                "the venue closed the connection: code {}, reason `{}`",
                u16::from(frame.code),
                frame.reason
            ),
            Self::Fault(words) => format!("the venue reports a fault: `{words}`"),
            Self::Fatal(words) => format!("the venue refuses the connection for good: `{words}`"),
            Self::Failed(WsError::Http(answer)) => {
                format!("the venue refused to connect: {}", words(answer))
            }
            Self::Failed(WsError::WriteBufferFull(_)) => {
                "the venue does not read what is sent to it: connecting again".into()
            }
            Self::Failed(error @ WsError::Capacity(CapacityError::MessageTooLong { .. })) => {
                format!(
                    "{error}; raise `[source] max_frame_bytes` if the venue does send such messages"
                )
            }
            Self::Failed(error) => format!("the connection failed: {error}"),
        }
    }
}

/// Tells of ends: each kind of end once in words, until another kind has been told; all are counted.
#[derive(Debug, Default)]
pub(super) struct EndReport {
    told: BTreeSet<String>,
}

impl EndReport {
    /// Counts an end, and tells of it if it is news.
    pub(super) fn end(&mut self, end: &End, url: &str, status: &FeedStatus) {
        let reason = end.reason();
        status.ends.count(reason);
        let told = end.told();
        if reason.is_planned() {
            info!(url, "{told}");
            return;
        }
        count(&status.failures);
        self.news(&told, || warn!(url, "{told}"));
    }

    /// Tells of something in the venue's words once.
    pub(super) fn news(&mut self, told: &str, tell: impl FnOnce()) {
        if self.told.len() == TOLD_MAX {
            self.told.clear();
        }
        if self.told.insert(told.to_owned()) {
            tell();
        } else {
            tracing::debug!("{told}");
        }
    }
}

/// What an HTTP answer says, and where it leads.
fn words(answer: &Response<Option<Vec<u8>>>) -> String {
    let body = answer.body().as_deref().unwrap_or_default();
    let body = String::from_utf8_lossy(&body[..body.len().min(WORDS_MAX)]);
    let location = answer.headers().get("location");
    let location = location.map_or(String::new(), |place| {
        let place = String::from_utf8_lossy(place.as_bytes());
        format!(" to `{place}`, which is not followed: name the new address in `url`")
    });
    format!("HTTP {}, `{body}`{location}", answer.status())
}

fn of_error(error: &WsError) -> EndReason {
    match error {
        WsError::ConnectionClosed | WsError::AlreadyClosed => EndReason::Closed,
        WsError::Io(error) => match error.kind() {
            ErrorKind::TimedOut => EndReason::Timeout,
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NotFound
            | ErrorKind::Other => EndReason::Unreachable,
            // What answers a handshake is no TLS, or ends in the middle.
            ErrorKind::InvalidData => EndReason::Tls,
            _ => EndReason::Broken,
        },
        WsError::Tls(_) => EndReason::Tls,
        WsError::Capacity(_) => EndReason::TooLarge,
        WsError::WriteBufferFull(_) => EndReason::Timeout,
        WsError::Http(_) => EndReason::Refused,
        WsError::Url(UrlError::UnableToConnect(_)) => EndReason::Unreachable,
        WsError::Protocol(_)
        | WsError::Utf8(_)
        | WsError::HttpFormat(_)
        | WsError::Url(_)
        | WsError::AttackAttempt => EndReason::Protocol,
    }
}

/// Bytes of a refusal that are told.
const WORDS_MAX: usize = 300;
/// Different ends that are remembered as told.
const TOLD_MAX: usize = 100;
