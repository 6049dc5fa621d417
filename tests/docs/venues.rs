//! The reference page of venues: their streams, symbols and addresses, as `foretick venues` tells them.

use std::fmt::Write as _;

use foretick::command::venues::{VenueList, VenueReport, by_kind};

use crate::{heading, holds};

const INTRODUCTION: &str = "\
What `foretick venues` lists, as a page. [Connect to an exchange](../how-to/live-feeds.md) says how these \
are used. The names of streams can stand in `source.websocket.streams`; `check` refuses other names, and \
streams that do not bring what the rows and features of the pipeline need.
";

#[test]
fn the_page_of_venues_says_what_the_code_says() {
    let mut page = heading("Venues", "the venues in src/decode/");
    page.push_str(INTRODUCTION);
    for venue in &VenueList::registered().venues {
        section(&mut page, venue);
    }
    holds("venues", &page);
}

fn section(page: &mut String, venue: &VenueReport) {
    let code = |names: &[&str]| {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        quoted.join(", ")
    };
    let symbols: Vec<&str> = venue.symbols.split(", ").collect();
    writeln!(page, "\n## {}\n", venue.name).expect("memory takes text");
    let mut row = |what: &str, value: &str| {
        writeln!(page, "| {what} | {value} |").expect("memory takes text");
    };
    row("streams that bring", "names");
    row("---", "---");
    for (brings, names) in by_kind(&venue.streams) {
        row(brings, &code(&names));
    }
    row("usual streams", &code(&venue.usual_streams));
    row("symbols", &code(&symbols));
    row("book proven by", venue.book);
    row("trades proven by", venue.trades);
    row("repair of a book", venue.repair);
    row("address", &code(&[venue.websocket]));
    if !venue.rest.is_empty() {
        row("address of REST", &code(&[venue.rest]));
    }
}
