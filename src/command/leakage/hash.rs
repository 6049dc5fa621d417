//! Hashes of 64 bits by which rows and groups are told apart: two of ten million different rows have the same
//! with a probability of three in a million.

/// One more word into a hash: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014), each bit of whose
/// input changes each of the output with a probability of about one half.
pub(super) fn mixed(hash: u64, word: u64) -> u64 {
    let mut z = (hash ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub(super) fn hash_of_text(text: &str) -> u64 {
    let words = text.as_bytes().chunks(8).map(|chunk| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(bytes)
    });
    words.fold(mixed(0, text.len() as u64), mixed)
}
