//! Messages of one venue, a line each: its routing, its decoder, and the books and rows behind. The first
//! byte chooses the venue, in the order in which they are registered.
#![no_main]

use std::sync::Arc;

use foretick::decode::venue::Venue;
use foretick::engine::row_maker::RowMaker;
use foretick::pipeline::Pipeline;
use foretick_fuzz::{pipeline, read_lines};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static PIPELINE: Pipeline = pipeline("tests/given/every_kind.toml", &[]);
}

fuzz_target!(|data: &[u8]| PIPELINE.with(|pipeline| {
    let Some((first, messages)) = data.split_first() else {
        return;
    };
    let venues = pipeline.venues();
    let names: Vec<&str> = venues.names().collect();
    let name = names[usize::from(*first) % names.len()];
    let venue = venues.named(name).expect("it is registered");
    for message in messages.split(|&byte| byte == b'\n') {
        route(venue, message);
        for one in venue.split(message) {
            route(venue, &one);
        }
    }
    let venues = venues.preferring(std::iter::once(name));
    let mut rows = RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules);
    let mut decoder = pipeline.decoder().with_venues(venues);
    read_lines(&mut decoder, Some(&mut rows), messages);
}));

/// All that is asked about a message before it is parsed.
fn route(venue: &dyn Venue, message: &[u8]) {
    let _ = venue.recognises(message);
    let _ = venue.symbol_of(message);
    let _ = venue.is_quote(message);
    let _ = venue.reaction(message);
    let _ = venue.connection_number(message);
    let _ = venue.book_change_of(message);
    let _ = venue.unnamed_snapshot(message);
    if let Some(updates) = venue.updates_of(message) {
        assert!(!updates.symbol.is_empty(), "updates are of a symbol");
    }
}
