//! Headlines: text to word pieces, the instruments that they concern, revisions and copies.
//!
//! Pure. [`clean`] removes markup, [`wordpiece`] turns the text into numbers, [`route`] finds the
//! instruments, [`fold`] recognises revisions and copies, and [`average`] keeps the decayed average of an
//! instrument's scores.

pub mod average;
pub mod clean;
pub mod fold;
pub mod route;
pub mod saved;
pub mod wordpiece;

use self::route::Router;
use self::wordpiece::WordPiece;

/// How a pipeline reads headlines.
#[derive(Debug)]
pub struct News {
    /// Turns text into the numbers of word pieces.
    pub pieces: WordPiece,
    /// The numbers of a row: the pieces of a headline, with the marks of its beginning and end.
    pub max_tokens: usize,
    /// Finds the instruments that headlines mention.
    pub router: Router,
    /// The primary language subtag that is read, such as `en`.
    pub language: String,
    /// The instrument of items that concern no known one; none: these items are dropped and counted.
    pub unrouted: Option<String>,
    /// When a headline counts as a copy.
    pub rule: fold::CopyRule,
    /// The time after which a score counts half in an average, in nanoseconds.
    pub half_life: i64,
}
