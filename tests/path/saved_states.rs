//! A partition's state, saved at one offset and brought back by another shard, which reads on from there
//! without publishing: at every offset it is the state of a run that was never disturbed, bit for bit.

use foretick::engine::saved::SavedStates;
use foretick::frame::Origin;
use foretick::pipeline::{Loaded, Pipeline};
use foretick::run::shard::Shard;
use foretick::signal::Signal;
use foretick::signal::digest::Digest;
use foretick::units::Nanos;

/// Partitions that shards of these tests read.
const PARTITION: i32 = 3;

/// Holds a shard that was brought back at each of several offsets against one that was never disturbed.
pub(crate) fn go_on_at_every_offset(pipeline: &Pipeline, frames: &[String]) {
    let loaded = pipeline.load_model().expect("the model is sound");
    let mut whole = shard(pipeline, &loaded);
    let (mut saved, mut signals) = (vec![], vec![]);
    let every = frames.len() / 9;
    for (offset, frame) in (0..).zip(frames) {
        if offset > 0 && offset % every.max(1) == 0 {
            saved.push((offset, signals.len(), save(&whole)));
        }
        take(&mut whole, offset, frame, false, &mut signals);
        // Deferred steps are done now or later.
        if offset % 11 == 0 {
            whole.run_deferred_work(|| false);
        }
    }
    assert!(signals.len() > 10, "there is something to compare");
    for pair in saved.windows(2) {
        let [(begin, _, states), (committed, published, _)] = pair else {
            continue;
        };
        // Some restarts come right behind the snapshot, some long after it.
        let (committed, published) = match begin % 2 {
            0 => (*committed, *published),
            _ => (*begin, pair[0].1),
        };
        let mut again = shard(pipeline, &loaded);
        let mut more = vec![];
        let states = SavedStates::read(states).expect("they were written");
        again
            .restore(PARTITION, states)
            .expect("they are of the same model");
        for (offset, frame) in (0..).zip(frames).skip(*begin) {
            take(&mut again, offset, frame, offset < committed, &mut more);
        }
        assert_eq!(
            digest(&loaded, &again, &more),
            digest(&loaded, &whole, &signals[published..]),
            "saved at {begin}, committed at {committed}"
        );
        // Of windows that are slid, what is computed later is saved as it is.
        if whole.engine().deferred().1 == 0 {
            assert!(
                by_name(&again) == by_name(&whole),
                "saved at {begin}, committed at {committed}"
            );
        }
    }
}

fn shard(pipeline: &Pipeline, loaded: &Loaded) -> Shard {
    let engine = loaded.engine().expect("it was loaded before");
    Shard::new(pipeline.decoder(), engine, &loaded.lineage, true).keeping_states()
}

fn take(shard: &mut Shard, offset: usize, frame: &str, again: bool, signals: &mut Vec<Signal>) {
    let offset = i64::try_from(offset).expect("it is small");
    let origin = Origin {
        ts_recv: Nanos(1_767_571_200_000_000_000 + offset * 1_000_000),
        offset,
        partition: PARTITION,
        stream: 0,
        late: false,
        reprocessed: again,
    };
    shard.frame(origin, frame.as_bytes());
    shard.step(signals).expect("it does not fail");
    shard.end_batch();
}

fn save(shard: &Shard) -> Vec<u8> {
    let saved = shard.save(PARTITION).expect("it can be written");
    saved.expect("states are kept").0
}

fn digest(loaded: &Loaded, shard: &Shard, signals: &[Signal]) -> (usize, String) {
    let mut digest = Digest::new(&loaded.lineage);
    for signal in signals {
        digest.add(signal, shard.instruments().name(signal.instrument));
    }
    (signals.len(), digest.finish())
}

/// The state of each instrument, by its name: numbers of instruments differ.
fn by_name(shard: &Shard) -> Vec<(String, Vec<u8>)> {
    let states = SavedStates::read(&save(shard)).expect("they were written");
    let mut all: Vec<(String, Vec<u8>)> = states
        .names()
        .map(|name| (name.to_owned(), states.bytes_of(name).expect("it is there")))
        .collect();
    all.sort();
    all
}
