//! The documentation is true: reference pages say what the code says, commands run, links resolve.
//!
//! The pages of `docs/src/reference/` are written by these tests: `make docs`, or
//! `FORETICK_BLESS=1 cargo test --release --test docs`. A page that differs from what the code says fails.

mod given;
mod needs;

#[path = "live/child.rs"]
#[allow(
    dead_code,
    reason = "each test binary takes the functions that it needs"
)]
mod child;
#[path = "docs/command_line.rs"]
mod command_line;
#[path = "docs/commands.rs"]
mod commands;
#[path = "docs/configuration.rs"]
mod configuration;
#[path = "docs/defaults.rs"]
mod defaults;
#[path = "docs/errors.rs"]
mod errors;
#[path = "docs/features.rs"]
mod features;
#[path = "docs/generic_feed.rs"]
mod generic_feed;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/markdown.rs"]
mod markdown;
#[path = "docs/metrics.rs"]
mod metrics;
#[path = "docs/source.rs"]
mod source;
#[path = "docs/topics.rs"]
mod topics;
#[path = "docs/venues.rs"]
mod venues;

use std::fs;

/// Compares a reference page with what the code says, or writes it where `FORETICK_BLESS` is set.
fn holds(page: &str, text: &str) {
    let name = format!("docs/src/reference/{page}.md");
    let path = given::repository(&name);
    if std::env::var_os("FORETICK_BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, text).expect("the folder of the reference pages takes files");
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let (mut old, mut new) = (committed.lines(), text.lines());
    let mut line = 0;
    loop {
        line += 1;
        let (old, new) = (old.next(), new.next());
        if old.is_none() && new.is_none() {
            return;
        }
        assert!(
            old == new,
            "{name}:{line} does not say what the code says. Write the pages again with `make docs` \
             (FORETICK_BLESS=1 cargo test --release --test docs), and read the difference.\n  page {}\n  code {}",
            old.unwrap_or("(ends)"),
            new.unwrap_or("(ends)"),
        );
    }
}

/// What every generated page begins with.
fn heading(title: &str, from: &str) -> String {
    format!(
        "<!-- Written by tests/docs.rs from {from}. Change it there, then run `make docs`. -->\n\n# {title}\n\n"
    )
}
