//! What a readable frame was: events, or a notice about the connection.

/// What a readable frame was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Events, now in the batch.
    Events,
    /// A message about the connection, without events.
    Notice(Notice),
}

/// A message about the connection itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The venue accepted a request.
    Ack,
    /// The venue refused a request or reports a fault.
    VenueError,
    /// The venue will close the connection; the source connects again at once.
    Shutdown,
    /// The venue checks that the connection lives; the source answers where the venue expects it.
    Ping,
    /// What follows came by another connection, which had been opened before the last one ended.
    Handover,
    /// A connection was opened.
    Opened,
    /// A connection ended, or could not be opened.
    Ended,
    /// A session of recording begins, or goes on in another file.
    Session,
}
