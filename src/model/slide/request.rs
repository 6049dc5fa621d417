//! The requests that a caller makes of sliding windows.

/// One request. A list of them is served in order, see [`super::SlidingWindows::step`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowRequest {
    /// Append the next row of a key.
    Row {
        /// The number of the key: an instrument or a company.
        key: usize,
        /// Whether the window that ends at this row is to be scored.
        due: bool,
    },
    /// Begin a key anew, as if it had had so many rows that count no more. No window that reaches back to
    /// them may be due or repeated.
    Begin {
        /// The number of the key.
        key: usize,
        /// Rows before the next one.
        rows: u64,
    },
    /// Score the newest window of a key again, without a new row.
    Repeat {
        /// The number of the key, which has had a complete window.
        key: usize,
    },
}
