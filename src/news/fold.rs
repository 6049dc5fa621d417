//! Recognises revisions of items by their ids, and near-duplicates by their words.
//!
//! Two headlines about an instrument are near-duplicates if the Jaccard index of their sets of words,
//! |A ∩ B| / |A ∪ B|, reaches a limit (Broder 1997, "On the resemblance and containment of documents", with
//! words in place of shingles: headlines are short). Time is that of the items, so the result is the same
//! whenever they are read.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};
use sha2::{Digest as _, Sha256};

use super::saved::{SavedHeadline, SavedItem, SavedItems};
use crate::instrument::{InstrumentId, Instruments};

/// When a headline counts as a copy of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CopyRule {
    /// How far apart in time the two may be, in nanoseconds.
    pub within: i64,
    /// The Jaccard index from which they are copies.
    pub similarity: f64,
}

/// The items seen so far.
#[derive(Debug, Default)]
pub struct SeenItems {
    items: FxHashMap<Box<str>, Item>,
    /// Ids in the order of arrival.
    order: VecDeque<(Box<str>, u64)>,
    /// The newest headlines of each instrument.
    headlines: Vec<VecDeque<SeenHeadline>>,
}

/// A new item, or a revision of one.
#[derive(Debug, PartialEq, Eq)]
pub struct ItemRevision {
    /// The number of the item, which its revisions share.
    pub number: u64,
    /// For a revision: the instruments for which the item was news so far. For each of them the item must be
    /// scored again, or withdrawn.
    pub former: Option<Vec<InstrumentId>>,
}

#[derive(Debug)]
struct Item {
    number: u64,
    revision: u64,
    text: u64,
    /// The instruments for which it is news.
    of: Vec<InstrumentId>,
    /// The partition that it came from.
    partition: i32,
}

/// The words of an item's headline.
#[derive(Debug)]
struct SeenHeadline {
    number: u64,
    ts: i64,
    words: Box<[u32]>,
}

/// The partition of an item that came from none.
const NO_PARTITION: i32 = -1;
/// The most ids that are remembered; a revision of an older item counts as a new item.
const IDS_MAX: usize = 100_000;
/// The most headlines that are remembered for an instrument.
const HEADLINES_MAX: usize = 256;

impl SeenItems {
    /// Records an item. None where this or a later revision of it, or the same content, was seen. `content`
    /// is its text and the instruments that it names.
    pub fn revise(&mut self, id: &str, revision: u64, content: &impl Hash) -> Option<ItemRevision> {
        let text = hash(content);
        if let Some(item) = self.items.get_mut(id) {
            if revision <= item.revision {
                return None;
            }
            item.revision = revision;
            let same = std::mem::replace(&mut item.text, text) == text;
            return (!same).then(|| ItemRevision {
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
            partition: NO_PARTITION,
        };
        self.items.insert(id.into(), item);
        self.order.push_back((id.into(), number));
        if self.order.len() > IDS_MAX
            && let Some((oldest, _)) = self.order.pop_front()
        {
            self.items.remove(&oldest);
        }
        Some(ItemRevision {
            number,
            former: None,
        })
    }

    /// Notes the partition of the input that an item came from, if it is new.
    pub fn came_from(&mut self, id: &str, partition: i32) {
        if let Some(item) = self.items.get_mut(id)
            && item.partition == NO_PARTITION
        {
            item.partition = partition;
        }
    }

    /// What was seen of the items of a partition, and the headlines of these instruments.
    #[must_use]
    pub fn save(
        &self,
        partition: i32,
        of: &[(InstrumentId, &str)],
        names: &Instruments,
    ) -> SavedItems {
        let items = self.order.iter().filter_map(|(id, _)| {
            let item = self
                .items
                .get(id)
                .filter(|item| item.partition == partition)?;
            Some(SavedItem {
                id: id.to_string(),
                revision: item.revision,
                text: item.text,
                of: item
                    .of
                    .iter()
                    .map(|&one| names.name(one).to_owned())
                    .collect(),
            })
        });
        let headlines = of.iter().filter_map(|&(instrument, name)| {
            let headlines = self.headlines.get(instrument.index())?.iter();
            let saved = headlines.map(|one| SavedHeadline {
                number: one.number,
                ts: one.ts,
                words: one.words.to_vec(),
            });
            Some((name.to_owned(), saved.collect()))
        });
        SavedItems {
            items: items.collect(),
            headlines: headlines.collect(),
        }
    }

    /// Goes on from what was saved of a partition. `id_of` finds an instrument.
    pub fn restore(
        &mut self,
        partition: i32,
        saved: SavedItems,
        mut id_of: impl FnMut(&str) -> Option<InstrumentId>,
    ) {
        for one in saved.items {
            let number = number(&one.id);
            let item = Item {
                number,
                revision: one.revision,
                text: one.text,
                of: one.of.iter().filter_map(|name| id_of(name)).collect(),
                partition,
            };
            let id: Box<str> = one.id.into();
            if self.items.insert(id.clone(), item).is_none() {
                self.order.push_back((id, number));
            }
        }
        for (name, saved) in saved.headlines {
            let Some(instrument) = id_of(&name) else {
                continue;
            };
            let at = instrument.index();
            if at >= self.headlines.len() {
                self.headlines.resize_with(at + 1, VecDeque::new);
            }
            let headlines = saved.into_iter().map(|one| SeenHeadline {
                number: one.number,
                ts: one.ts,
                words: one.words.into(),
            });
            self.headlines[at] = headlines.collect();
        }
    }

    /// Forgets the items of a partition, and the headlines of these instruments.
    pub fn forget(&mut self, partition: i32, of: &[InstrumentId]) {
        self.items.retain(|_, item| item.partition != partition);
        self.order.retain(|(id, _)| self.items.contains_key(id));
        for instrument in of {
            if let Some(headlines) = self.headlines.get_mut(instrument.index()) {
                headlines.clear();
            }
        }
    }

    /// Whether an item of this id was seen.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.items.contains_key(id)
    }

    /// Records the instruments for which the item is news now, and removes its headline from the others.
    pub fn assign(&mut self, id: &str, of: &[InstrumentId], withdrawn: &[InstrumentId]) {
        let Some(item) = self.items.get_mut(id) else {
            return;
        };
        item.of = of.into();
        for instrument in withdrawn {
            if let Some(headlines) = self.headlines.get_mut(instrument.index()) {
                headlines.retain(|other| other.number != item.number);
            }
        }
    }

    /// Whether a headline is news about the instrument, which means no near-duplicate of another item; if
    /// so it is remembered.
    pub fn is_new(
        &mut self,
        rule: CopyRule,
        instrument: InstrumentId,
        number: u64,
        ts: i64,
        words: &[u32],
    ) -> bool {
        let at = instrument.index();
        if at >= self.headlines.len() {
            self.headlines.resize_with(at + 1, VecDeque::new);
        }
        let headlines = &mut self.headlines[at];
        let copies = |other: &SeenHeadline| {
            other.number != number
                && ts.saturating_sub(other.ts).saturating_abs() <= rule.within
                && jaccard(&other.words, words) >= rule.similarity
        };
        if headlines.iter().any(copies) {
            return false;
        }
        headlines.retain(|other| other.number != number);
        if headlines.len() == HEADLINES_MAX {
            headlines.pop_front();
        }
        headlines.push_back(SeenHeadline {
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

    const RULE: CopyRule = CopyRule {
        within: 10,
        similarity: 0.6,
    };

    #[test]
    fn a_revision_counts_once_and_only_if_its_text_differs() {
        let mut seen_items = SeenItems::default();
        let (a, b) = (number("a"), number("b"));
        assert_eq!(a, 0xca97_8112_ca1b_bdca, "published");
        let seen = |number, former| Some(ItemRevision { number, former });
        assert_eq!(seen_items.revise("a", 0, &"x"), seen(a, None));
        seen_items.assign("a", &[InstrumentId(3)], &[]);
        assert_eq!(seen_items.revise("a", 0, &"y"), None, "the same revision");
        assert_eq!(seen_items.revise("b", 7, &"x"), seen(b, None));
        assert_eq!(seen_items.revise("a", 1, &"x"), None, "the same text");
        let former = Some(vec![InstrumentId(3)]);
        assert_eq!(seen_items.revise("a", 3, &"y"), seen(a, former));
        assert_eq!(seen_items.revise("a", 2, &"z"), None, "a late one");
    }

    #[test]
    fn what_is_withdrawn_is_forgotten() {
        let (one, text) = (InstrumentId(0), words("Profit up"));
        let mut seen_items = SeenItems::default();
        let a = seen_items.revise("a", 0, &"x").unwrap().number;
        assert!(seen_items.is_new(RULE, one, a, 1, &text));
        assert!(!seen_items.is_new(RULE, one, 2, 1, &text), "a copy");
        seen_items.assign("a", &[], &[one]);
        assert!(seen_items.is_new(RULE, one, 2, 1, &text), "of nothing now");
    }

    #[test]
    fn copies_fold_by_instrument_and_time() {
        let (one, two) = (InstrumentId(0), InstrumentId(3));
        let text = words("Profit up 5% at Apple, analysts say");
        let copy = words("APPLE profit up 5%, analysts said");
        let mut seen_items = SeenItems::default();
        assert!(seen_items.is_new(RULE, one, 1, 100, &text));
        assert!(!seen_items.is_new(RULE, one, 2, 110, &copy), "a copy");
        assert!(
            !seen_items.is_new(RULE, one, 2, 90, &copy),
            "a copy that came late"
        );
        assert!(seen_items.is_new(RULE, two, 2, 110, &copy), "about another");
        assert!(
            seen_items.is_new(RULE, one, 1, 110, &copy),
            "its own revision"
        );
        assert!(seen_items.is_new(RULE, one, 3, 121, &text), "much later");
    }

    #[test]
    fn memory_is_bounded() {
        let mut seen_items = SeenItems::default();
        for number in 0..(IDS_MAX + 10) as u64 {
            seen_items.revise(&number.to_string(), 0, &"");
            seen_items.is_new(RULE, InstrumentId(0), number, number as i64 * 100, &[1]);
        }
        assert_eq!(
            (seen_items.items.len(), seen_items.order.len()),
            (IDS_MAX, IDS_MAX)
        );
        assert_eq!(seen_items.headlines[0].len(), HEADLINES_MAX);
        let again = seen_items.revise("0", 0, &"").map(|seen| seen.former);
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
