//! The connection that takes the place of one whose end is announced.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::connection::{Incoming, OpenConnection, Socket, open};
use super::end::End;
use super::host_limits::{Ask, HostLimits};
use super::overlap::Overlap;
use super::settings::WebsocketSettings;
use crate::clock;
use crate::decode::venue::Subscription;

/// How far it is.
pub(super) enum Replacement {
    None,
    Opening(BoxFuture<'static, Result<Socket, End>>, Box<Overlap>),
    Open(Box<(OpenConnection, Overlap)>),
}

/// What came of a replacement.
pub(super) enum Progress {
    Opened(Box<Socket>),
    Failed(End),
    Received(Incoming),
}

/// The replacement is over.
pub(super) enum Gone {
    /// Another one may be tried.
    Failed,
    /// The venue refuses it for good: another one would be refused too.
    Refused,
}

impl Gone {
    /// By this end of its connection.
    pub(super) fn by(end: &End) -> Self {
        match end {
            End::Fatal(_) => Self::Refused,
            _ => Self::Failed,
        }
    }
}

impl Replacement {
    /// The connection is open: from now on both bring the same.
    pub(super) fn open(&mut self, connection: OpenConnection) {
        let mut overlap = match std::mem::replace(self, Self::None) {
            Self::Opening(_, overlap) => *overlap,
            Self::None | Self::Open(_) => Overlap::default(),
        };
        overlap.begin(clock::instant());
        *self = Self::Open(Box::new((connection, overlap)));
    }

    /// Notes what the connection in use has brought meanwhile.
    pub(super) fn saw(&mut self, bytes: &[u8]) {
        match self {
            Self::None => {}
            Self::Opening(_, overlap) => overlap.saw(bytes),
            Self::Open(open) => open.1.saw(bytes),
        }
    }

    /// The number of its connection, once that is open.
    pub(super) fn number(&self) -> Option<i32> {
        match self {
            Self::Open(open) => Some(open.0.number),
            Self::None | Self::Opening(..) => None,
        }
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether it can take over at once: its subscription holds.
    pub(super) fn has_begun(&self) -> bool {
        matches!(self, Self::Open(open) if open.1.has_begun())
    }

    /// What comes of it; never without one.
    pub(super) async fn next(&mut self) -> Progress {
        match self {
            Self::None => std::future::pending().await,
            Self::Opening(opening, _) => match opening.await {
                Ok(socket) => Progress::Opened(Box::new(socket)),
                Err(end) => Progress::Failed(end),
            },
            Self::Open(open) => Progress::Received(open.0.receive().await),
        }
    }
}

/// Opens a connection as soon as the host allows it.
pub(super) fn opening(
    settings: &Arc<WebsocketSettings>,
    subscription: &Arc<Subscription>,
    limits: &Arc<HostLimits>,
) -> BoxFuture<'static, Result<Socket, End>> {
    let (settings, subscription) = (Arc::clone(settings), Arc::clone(subscription));
    let limits = Arc::clone(limits);
    async move {
        limits.allow(Ask::Connection).await;
        open(&settings, &subscription).await
    }
    .boxed()
}

/// Longer than any connection lives.
pub(super) const NEVER: Duration = Duration::from_secs(10 * 365 * 86_400);
