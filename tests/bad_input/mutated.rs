//! A sound capture with its bytes turned, put in, taken out and cut off, by a seeded generator: whatever
//! comes of it, nothing panics, and every frame is accounted for.

use foretick::run::replay::{ReplayOptions, replay};

use crate::given::{self, Folder};

/// Numbers that are the same each time (Marsaglia 2003, "Xorshift RNGs").
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

#[test]
fn mutated_frames_never_panic_and_are_all_accounted_for() {
    let folder = Folder::new("mutated");
    let sound = given::capture(61, 12, &["BTCUSDT", "ETHUSDT", "SOLUSDT"]);
    for seed in 1..=6 {
        let text = mutate_lines(&sound, &mut Dice(seed * 0x9e37_79b9));
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
            assert_eq!(letters, account.dead_lettered, "each is kept");
            let lines = folder.read("signals.jsonl").lines().count() as u64;
            assert_eq!(lines, summary.signals);
        }
    }
}

/// Damages about every fifth line.
fn mutate_lines(sound: &str, dice: &mut Dice) -> Vec<u8> {
    let mut text = vec![];
    for line in sound.lines() {
        let mut line = line.as_bytes().to_vec();
        if dice.throw(5) == 0 {
            for _ in 0..=dice.throw(3) {
                mutate(&mut line, dice);
            }
        }
        text.extend_from_slice(&line);
        text.push(b'\n');
    }
    text
}

/// What JSON and decimals are made of.
const SPICE: &[u8] = b"0\"{}[],:.-9\\ ";

fn mutate(line: &mut Vec<u8>, dice: &mut Dice) {
    if line.is_empty() {
        return;
    }
    let at = dice.throw(line.len());
    match dice.throw(6) {
        0 => line[at] ^= 1 << dice.throw(8),
        1 => line.insert(at, SPICE[dice.throw(SPICE.len())]),
        2 => drop(line.remove(at)),
        3 => line.truncate(at),
        4 => drop(line.drain(at..(at + dice.throw(40)).min(line.len()))),
        _ => {
            let end = (at + dice.throw(40)).min(line.len());
            let twice = line[at..end].to_vec();
            line.splice(at..at, twice);
        }
    }
}
