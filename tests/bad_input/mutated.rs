//! A valid capture with bytes flipped, inserted, removed, repeated and cut off by a seeded generator: nothing
//! panics, and every frame is accounted for.

use foretick::run::replay::{ReplayOptions, replay};

use crate::given::{self, Folder};

/// A generator with a seed (Marsaglia 2003, "Xorshift RNGs").
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn mutated_frames_never_panic_and_are_all_accounted_for() {
    let folder = Folder::new("mutated");
    let valid = given::capture(61, 24, &["BTCUSDT", "ETHUSDT", "SOLUSDT"]);
    for seed in 1..=6 {
        let text = mutate_lines(&valid, &mut Random(seed * 0x9e37_79b9));
        let frames = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let frames = frames.filter(|line| *line != b"\r").count() as u64;
        assert!(frames > 2_000, "{frames} frames");
        let capture = folder.write("capture", text);
        for shards in ["engine.shards=1", "engine.shards=3"] {
            let pipeline = folder.pipeline(given::EVERY_KIND, &[shards]);
            let options = ReplayOptions {
                inputs: vec![capture.clone()],
                output: Some(folder.path("signals.jsonl")),
                dead_letters: Some(folder.path("letters.jsonl")),
                ..ReplayOptions::default()
            };
            let summary = replay(&pipeline, &options).expect("bad frames end no replay");
            let account = &summary.frames;
            assert!(account.balances(), "seed {seed}, {shards}: {account:?}");
            assert!(account.received >= frames, "seed {seed}: {account:?}");
            assert!(account.dead_lettered > 100, "seed {seed}: {account:?}");
            assert!(summary.signals > 0, "the good frames were used");
            let letters = folder.read("letters.jsonl").lines().count() as u64;
            assert_eq!(
                letters, account.dead_lettered,
                "one line for each dead letter"
            );
            let lines = folder.read("signals.jsonl").lines().count() as u64;
            assert_eq!(lines, summary.signals);
        }
    }
}

/// Damages about every fifth line of the second half: the longest windows are full before.
fn mutate_lines(valid: &str, random: &mut Random) -> Vec<u8> {
    let mut text = vec![];
    let sound = valid.lines().count() / 2;
    for (at, line) in valid.lines().enumerate() {
        let mut line = line.as_bytes().to_vec();
        if at >= sound && random.below(5) == 0 {
            for _ in 0..=random.below(3) {
                mutate(&mut line, random);
            }
        }
        text.extend_from_slice(&line);
        text.push(b'\n');
    }
    text
}

/// Bytes that JSON and decimals consist of.
const JSON_BYTES: &[u8] = b"0\"{}[],:.-9\\ ";

fn mutate(line: &mut Vec<u8>, random: &mut Random) {
    if line.is_empty() {
        return;
    }
    let at = random.below(line.len());
    match random.below(6) {
        0 => line[at] ^= 1 << random.below(8),
        1 => line.insert(at, JSON_BYTES[random.below(JSON_BYTES.len())]),
        2 => drop(line.remove(at)),
        3 => line.truncate(at),
        4 => drop(line.drain(at..(at + random.below(40)).min(line.len()))),
        _ => {
            let end = (at + random.below(40)).min(line.len());
            let twice = line[at..end].to_vec();
            line.splice(at..at, twice);
        }
    }
}
