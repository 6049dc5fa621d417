//! The channels and notices of OKX that are known.

/// What a channel holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    /// Trades.
    Trades,
    /// The best bid and offer.
    Quote,
    /// The best levels of a book, whole each time.
    WholeBook,
    /// A whole book, and its changes.
    Book,
}

impl Channel {
    /// The channel of this name; none where it is not read.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "trades" | "trades-all" => Self::Trades,
            "bbo-tbt" => Self::Quote,
            "books5" => Self::WholeBook,
            "books" | "books-l2-tbt" | "books50-l2-tbt" => Self::Book,
            _ => return None,
        })
    }
}

/// What a message about the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionEvent {
    /// The answer to a request that was done.
    Answer,
    /// A request is refused, or the venue has a fault.
    Error,
    /// The venue refuses a subscription because of the other connections that have it.
    TooManyConnections,
    /// What the venue will do.
    Notice,
}

impl ConnectionEvent {
    /// The event of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "subscribe" | "unsubscribe" | "login" | "channel-conn-count" => Self::Answer,
            "error" => Self::Error,
            "channel-conn-count-error" => Self::TooManyConnections,
            "notice" => Self::Notice,
            _ => return None,
        })
    }
}

/// The code of the notice that the connection will be closed, 30 seconds ahead.
pub(super) const SERVICE_UPGRADE: &str = "64008";

/// Requests that came too fast.
pub(super) const TOO_FREQUENT: &str = "60014";

/// Codes of errors that concern the account: a wrong key, signature or passphrase, or an unknown key.
pub(super) const LOGIN_FAILED: [&str; 6] = ["60005", "60007", "60009", "60024", "60031", "60032"];

/// Codes of requests that can never be done as they are: of a wrong form, for a channel or an instrument that
/// does not exist, for one that needs a login or another address, or for more than the account may have.
pub(super) const REFUSED: [&str; 12] = [
    "60008", "60011", "60012", "60013", "60018", "60019", "60020", "60025", "60027", "60028",
    "60029", "64003",
];
