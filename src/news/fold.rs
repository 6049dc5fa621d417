//! Which items say something new: revisions by id, and copies by their words.
//!
//! Two headlines about an instrument are the same news where the Jaccard index of their sets of words,
//! |A ∩ B| / |A ∪ B|, reaches a limit (Broder 1997, "On the resemblance and containment of documents", with
//! words in place of shingles: headlines are short). Time is that of the items, so the answer is the same
//! whenever they are read.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};
use sha2::{Digest as _, Sha256};

use crate::instrument::InstrumentId;

/// What counts as said already.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// How far apart in time copies may be, in nanoseconds.
    pub within: i64,
    /// The index from which on two headlines are the same.
    pub similarity: f64,
}

/// What is remembered of the items so far.
#[derive(Debug, Default)]
pub struct Folder {
    items: FxHashMap<Box<str>, Item>,
    /// Ids in the order of arrival.
    order: VecDeque<(Box<str>, u64)>,
    /// The last headlines of each instrument.
    lately: Vec<VecDeque<Print>>,
}

/// What an item is to those before it.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its number, the same for each of its revisions.
    pub number: u64,
    /// Of a revision: the instruments of which the item was the news so far. They are to be told anew, or
    /// that it is withdrawn.
    pub former: Option<Vec<InstrumentId>>,
}

#[derive(Debug)]
struct Item {
    number: u64,
    revision: u64,
    text: u64,
    /// Whose news it is.
    of: Vec<InstrumentId>,
}

/// A headline's words.
#[derive(Debug)]
struct Print {
    number: u64,
    ts: i64,
    words: Box<[u32]>,
}

/// Ids remembered; a revision of an older item counts as an item of its own.
const IDS: usize = 100_000;
/// Headlines remembered of an instrument.
const PRINTS: usize = 256;

impl Folder {
    /// What an item is; none where this revision, or a later one, or the same, has been seen. `about` is what
    /// it says: its text and the instruments that it names.
    pub fn revise(&mut self, id: &str, revision: u64, about: &impl Hash) -> Option<Seen> {
        let text = hash(about);
        if let Some(item) = self.items.get_mut(id) {
            if revision <= item.revision {
                return None;
            }
            item.revision = revision;
            let same = std::mem::replace(&mut item.text, text) == text;
            return (!same).then(|| Seen {
                number: item.number,
                former: Some(std::mem::take(&mut item.of)),
            });
        }
        let number = number(id);
        let item = Item {
            number,
            revision,
            text,
            of: vec![],
        };
        self.items.insert(id.into(), item);
        self.order.push_back((id.into(), number));
        if self.order.len() > IDS
            && let Some((oldest, _)) = self.order.pop_front()
        {
            self.items.remove(&oldest);
        }
        Some(Seen {
            number,
            former: None,
        })
    }

    /// Whether an item of this id was seen.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.items.contains_key(id)
    }

    /// Notes whose news the item is now, and forgets what it said of others.
    pub fn settle(&mut self, id: &str, of: &[InstrumentId], withdrawn: &[InstrumentId]) {
        let Some(item) = self.items.get_mut(id) else {
            return;
        };
        item.of = of.into();
        for instrument in withdrawn {
            if let Some(lately) = self.lately.get_mut(instrument.index()) {
                lately.retain(|print| print.number != item.number);
            }
        }
    }

    /// Whether the text is news about the instrument; it is remembered if so. An item's own former text does
    /// not count against it.
    pub fn is_new(
        &mut self,
        rule: Rule,
        instrument: InstrumentId,
        number: u64,
        ts: i64,
        words: &[u32],
    ) -> bool {
        let at = instrument.index();
        if at >= self.lately.len() {
            self.lately.resize_with(at + 1, VecDeque::new);
        }
        let lately = &mut self.lately[at];
        let copies = |print: &Print| {
            print.number != number
                && ts.saturating_sub(print.ts).saturating_abs() <= rule.within
                && jaccard(&print.words, words) >= rule.similarity
        };
        if lately.iter().any(copies) {
            return false;
        }
        lately.retain(|print| print.number != number);
        if lately.len() == PRINTS {
            lately.pop_front();
        }
        lately.push_back(Print {
            number,
            ts,
            words: words.into(),
        });
        true
    }
}

/// The number of an item: the first eight bytes of its id's SHA-256, so that it is the same in every run.
#[must_use]
pub fn number(id: &str) -> u64 {
    let digest = Sha256::digest(id.as_bytes());
    digest[..8]
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// The set of a text's words, without case and punctuation, as sorted hashes.
#[must_use]
pub fn words(text: &str) -> Vec<u32> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let mut set: Vec<u32> = words
        .filter(|word| !word.is_empty())
        .map(|word| hash(&word.to_lowercase().as_str()) as u32)
        .collect();
    set.sort_unstable();
    set.dedup();
    set
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    what.hash(&mut hasher);
    hasher.finish()
}

/// |A ∩ B| / |A ∪ B| of two sorted sets; 1 for two empty ones.
fn jaccard(a: &[u32], b: &[u32]) -> f64 {
    let (mut i, mut j, mut both) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        both += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    let all = a.len() + b.len() - both;
    if all == 0 {
        1.0
    } else {
        both as f64 / all as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule {
        within: 10,
        similarity: 0.6,
    };

    #[test]
    fn a_revision_counts_once_and_only_if_it_says_something_else() {
        let mut folder = Folder::default();
        let (a, b) = (number("a"), number("b"));
        assert_eq!(a, 0xca97_8112_ca1b_bdca, "published");
        let seen = |number, former| Some(Seen { number, former });
        assert_eq!(folder.revise("a", 0, &"x"), seen(a, None));
        folder.settle("a", &[InstrumentId(3)], &[]);
        assert_eq!(folder.revise("a", 0, &"y"), None, "the same revision");
        assert_eq!(folder.revise("b", 7, &"x"), seen(b, None));
        assert_eq!(folder.revise("a", 1, &"x"), None, "the same text");
        let former = Some(vec![InstrumentId(3)]);
        assert_eq!(folder.revise("a", 3, &"y"), seen(a, former));
        assert_eq!(folder.revise("a", 2, &"z"), None, "a late one");
    }

    #[test]
    fn what_is_withdrawn_is_forgotten() {
        let (one, text) = (InstrumentId(0), words("Profit up"));
        let mut folder = Folder::default();
        let a = folder.revise("a", 0, &"x").unwrap().number;
        assert!(folder.is_new(RULE, one, a, 1, &text));
        assert!(!folder.is_new(RULE, one, 2, 1, &text), "a copy");
        folder.settle("a", &[], &[one]);
        assert!(folder.is_new(RULE, one, 2, 1, &text), "of nothing now");
    }

    #[test]
    fn copies_fold_by_instrument_and_time() {
        let (one, two) = (InstrumentId(0), InstrumentId(3));
        let text = words("Profit up 5% at Apple, analysts say");
        let copy = words("APPLE profit up 5%, analysts said");
        let mut folder = Folder::default();
        assert!(folder.is_new(RULE, one, 1, 100, &text));
        assert!(!folder.is_new(RULE, one, 2, 110, &copy), "a copy");
        assert!(
            !folder.is_new(RULE, one, 2, 90, &copy),
            "a copy that came late"
        );
        assert!(folder.is_new(RULE, two, 2, 110, &copy), "about another");
        assert!(folder.is_new(RULE, one, 1, 110, &copy), "its own revision");
        assert!(folder.is_new(RULE, one, 3, 121, &text), "much later");
    }

    #[test]
    fn memory_is_bounded() {
        let mut folder = Folder::default();
        for number in 0..(IDS + 10) as u64 {
            folder.revise(&number.to_string(), 0, &"");
            folder.is_new(RULE, InstrumentId(0), number, number as i64 * 100, &[1]);
        }
        assert_eq!((folder.items.len(), folder.order.len()), (IDS, IDS));
        assert_eq!(folder.lately[0].len(), PRINTS);
        let again = folder.revise("0", 0, &"").map(|seen| seen.former);
        assert_eq!(again, Some(None));
    }

    #[test]
    fn the_index_is_that_of_the_sets() {
        assert_eq!(jaccard(&[1, 2, 3], &[2, 3, 4]), 0.5);
        assert_eq!(jaccard(&[], &[]), 1.0);
        assert_eq!(jaccard(&[1], &[]), 0.0);
        assert_eq!(words("A a, b"), words("b A"));
    }
}
