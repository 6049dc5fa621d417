//! Headlines: text to word pieces, whom they concern, and which of them say nothing new.
//!
//! Pure. [`clean`] takes markup out, [`wordpiece`] makes numbers of what is left, [`route`] finds the
//! instruments, [`fold`] knows revisions and copies, and [`average`] keeps what was thought of an instrument
//! lately.

pub mod average;
pub mod clean;
pub mod fold;
pub mod route;
pub mod wordpiece;

use std::path::Path;

use self::route::Router;
use self::wordpiece::WordPiece;
use crate::config;

/// What a pipeline knows about headlines.
#[derive(Debug)]
pub struct News {
    /// Text to numbers.
    pub pieces: WordPiece,
    /// Numbers in a row: pieces of a headline, its two ends included.
    pub max_tokens: usize,
    /// Whom headlines concern.
    pub router: Router,
    /// The primary language subtag that is read, such as `en`.
    pub language: String,
    /// The instrument of items that concern none that is known; none: they are passed over.
    pub unrouted: Option<String>,
    /// What counts as said already.
    pub rule: fold::Rule,
    /// Time after which a score counts half in an average, in nanoseconds.
    pub half_life: i64,
}

impl News {
    /// Reads what `[news]` names, from files below `folder`.
    ///
    /// # Errors
    /// The key at fault and what is wrong with it.
    pub fn configured(
        news: &config::News,
        max_tokens: usize,
        folder: &Path,
    ) -> Result<Self, (&'static str, String)> {
        let read = |key: &'static str, file: &Path| {
            let path = folder.join(file);
            let text = std::fs::read_to_string(&path);
            text.map_err(|cause| (key, format!("while reading {}: {cause}", path.display())))
        };
        let vocabulary = read("vocabulary", &news.vocabulary)?;
        let pieces = WordPiece::parse(&vocabulary).map_err(|what| ("vocabulary", what))?;
        let router = match &news.names {
            Some(file) => Router::parse(&read("names", file)?).map_err(|what| ("names", what))?,
            None => Router::default(),
        };
        for (key, wrong) in [
            ("half_life_ms", news.half_life_ms <= 0),
            ("fold_ms", news.fold_ms < 0),
            (
                "fold_similarity",
                !(news.fold_similarity > 0.0 && news.fold_similarity <= 1.0),
            ),
        ] {
            if wrong {
                return Err((
                    key,
                    format!("`{key}` is out of range; see the README, \"News\""),
                ));
            }
        }
        Ok(Self {
            pieces,
            max_tokens,
            router,
            language: news.language.clone(),
            unrouted: news.unrouted.clone(),
            rule: fold::Rule {
                within: news.fold_ms.saturating_mul(1_000_000),
                similarity: news.fold_similarity,
            },
            half_life: news.half_life_ms.saturating_mul(1_000_000),
        })
    }
}
