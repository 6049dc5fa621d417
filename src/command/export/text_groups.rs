//! Groups of headlines that are near-duplicates of each other, whatever instruments they are about.
//!
//! The engine leaves out copies about one instrument within a day; what it scores twice, because the second
//! is about another instrument or came much later, must not be on two sides of a border. Candidates are found
//! by MinHash in bands (Broder 1997, "On the resemblance and containment of documents"; Leskovec, Rajaraman,
//! Ullman, "Mining of Massive Datasets", ch. 3.4): of two headlines with a Jaccard index of 0.6 one in 3,000 is
//! missed, of more similar ones fewer. A candidate counts if the Jaccard index of the sets of word pieces
//! reaches `news.fold_similarity`.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

/// The headlines seen last.
#[derive(Debug)]
pub(super) struct TextGroups {
    similarity: f64,
    /// How many are remembered.
    room: usize,
    seen: VecDeque<Seen>,
    /// The number of the first that is kept.
    first: u64,
    /// Of each band the newest headline by the hash of its part of the signature.
    bands: Vec<FxHashMap<u64, u64>>,
    /// The groups of items.
    items: FxHashMap<u64, u64>,
}

#[derive(Debug)]
struct Seen {
    item: u64,
    group: u64,
    pieces: Box<[u32]>,
    bands: Box<[u64]>,
}

/// Headlines that are remembered.
const HEADLINES_MAX: usize = 1 << 16;
const BANDS: usize = 32;
const ROWS: usize = 3;

impl TextGroups {
    /// No headlines yet.
    pub(super) fn new(similarity: f64) -> Self {
        Self {
            similarity,
            room: HEADLINES_MAX,
            seen: VecDeque::new(),
            first: 0,
            bands: vec![FxHashMap::default(); BANDS],
            items: FxHashMap::default(),
        }
    }

    /// The group of an item with these word pieces, zeros at the end: the number of its first item.
    pub(super) fn group(&mut self, item: u64, cells: &[f64]) -> u64 {
        if let Some(&group) = self.items.get(&item) {
            return group;
        }
        let pieces = pieces_of(cells);
        let bands = signature(&pieces);
        let group = self.alike(&pieces, &bands).unwrap_or(item);
        let number = self.first + self.seen.len() as u64;
        for (band, hash) in self.bands.iter_mut().zip(&bands) {
            band.insert(*hash, number);
        }
        self.items.insert(item, group);
        self.seen.push_back(Seen {
            item,
            group,
            pieces,
            bands,
        });
        if self.seen.len() > self.room {
            self.forget_first();
        }
        group
    }

    fn alike(&self, pieces: &[u32], bands: &[u64]) -> Option<u64> {
        let candidates = self.bands.iter().zip(bands);
        let mut candidates = candidates.filter_map(|(band, hash)| band.get(hash));
        candidates.find_map(|number| {
            let seen = self
                .seen
                .get(usize::try_from(number.checked_sub(self.first)?).ok()?)?;
            (jaccard(&seen.pieces, pieces) >= self.similarity).then_some(seen.group)
        })
    }

    fn forget_first(&mut self) {
        let Some(first) = self.seen.pop_front() else {
            return;
        };
        for (band, hash) in self.bands.iter_mut().zip(&first.bands) {
            if band.get(hash) == Some(&self.first) {
                band.remove(hash);
            }
        }
        self.items.remove(&first.item);
        self.first += 1;
    }
}

/// The set of a headline's pieces, sorted, without the marks of its beginning and end.
fn pieces_of(cells: &[f64]) -> Box<[u32]> {
    let used = cells.iter().take_while(|cell| **cell > 0.0).count();
    let inside = cells.get(1..used.saturating_sub(1)).unwrap_or_default();
    let mut pieces: Vec<u32> = inside.iter().map(|cell| *cell as u32).collect();
    pieces.sort_unstable();
    pieces.dedup();
    pieces.into()
}

/// The least hash of the pieces by each of `BANDS` times `ROWS` functions, a hash for each band.
fn signature(pieces: &[u32]) -> Box<[u64]> {
    let least = |function: u64| {
        let hashes = pieces
            .iter()
            .map(|piece| mixed(u64::from(*piece) << 32 | function));
        hashes.min().unwrap_or(u64::MAX)
    };
    let band = |band: usize| {
        let rows = (0..ROWS).map(|row| least((band * ROWS + row) as u64));
        rows.fold(0, |hash: u64, one| mixed(hash ^ one))
    };
    (0..BANDS).map(band).collect()
}

/// Mixes the bits of a number (splitmix64, Steele et al. 2014).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// |A ∩ B| / |A ∪ B| of two sorted sets; 1 for two empty ones.
fn jaccard(a: &[u32], b: &[u32]) -> f64 {
    let both = a.iter().filter(|one| b.binary_search(one).is_ok()).count();
    match a.len() + b.len() - both {
        0 => 1.0,
        all => both as f64 / all as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(pieces: &[u32]) -> Vec<f64> {
        let marked = [&[101], pieces, &[102, 0, 0]].concat();
        marked.iter().map(|piece| f64::from(*piece)).collect()
    }

    #[test]
    fn near_duplicates_and_revisions_are_one_group() {
        let mut groups = TextGroups::new(0.6);
        let first: Vec<u32> = (1_000..1_010).collect();
        let mut near = first.clone();
        near[9] = 2_000; // 9 of 11
        let other: Vec<u32> = (1_005..1_015).collect(); // 5 of 15
        assert_eq!(groups.group(1, &cells(&first)), 1);
        assert_eq!(groups.group(2, &cells(&near)), 1);
        assert_eq!(groups.group(3, &cells(&other)), 3);
        assert_eq!(groups.group(3, &cells(&first)), 3, "the item was seen");
    }

    #[test]
    fn memory_is_bounded() {
        let mut groups = TextGroups::new(0.6);
        groups.room = 100;
        for item in 0..700 {
            let pieces = [item as u32 * 3 + 1, item as u32 * 3 + 2];
            groups.group(item, &cells(&pieces));
        }
        assert_eq!((groups.seen.len(), groups.items.len()), (100, 100));
        assert!(groups.bands.iter().all(|band| band.len() <= 100));
    }
}
