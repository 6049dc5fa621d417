//! The walls between the wings of `src`, between files, and around names.
//!
//! The wings and their order are not written here: they are the table in `src/lib.rs`.

use std::collections::{BTreeMap, BTreeSet};

use crate::imports::{SourceFile, SourceTree, named_paths};
use crate::rust;

/// Something that a wall forbids.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Breach {
    /// Names it without line numbers: `tests/tidy/not_yet.rs` lists breaches by this text.
    pub(crate) what: String,
    /// Where it is (`src/a.rs:7`) and what to do.
    pub(crate) advice: String,
}

/// The wings of `src/lib.rs` in their order; each imports only from those before it.
#[derive(Debug)]
pub(crate) struct Wings {
    /// Modules that all wings share; they import only each other.
    nouns: Vec<String>,
    wings: Vec<String>,
}

/// Wings that compute: events in, values out.
const PURE_WINGS: &[&str] = &[
    "signal", "news", "model", "engine", "alert", "backtest", "decode",
];

/// What a pure wing does not import, and why.
const IMPURE: &[(&str, &str)] = &[
    ("crate::clock", "time comes with the events"),
    ("crate::kafka", "records come as frames"),
    ("std::time::Instant", "time comes with the events"),
    ("std::time::SystemTime", "time comes with the events"),
    ("std::thread", "the drivers own the threads"),
    ("std::sync::mpsc", "the drivers own the queues"),
    ("crossbeam", "the drivers own the queues"),
    ("tokio", "the drivers own the sockets"),
    ("std::net", "the drivers own the sockets"),
    ("tokio_tungstenite", "the drivers own the sockets"),
    ("axum", "the drivers own the sockets"),
    ("ureq", "the drivers own the sockets"),
    ("rdkafka", "the drivers own the sockets"),
    ("std::fs", "`pipeline` reads and writes files"),
    ("std::io", "`source` and `sink` read and write"),
    ("std::os", "the system is not an input"),
    ("std::process", "the system is not an input"),
    ("std::env", "the configuration is resolved before"),
    ("rustix", "the system is not an input"),
];

/// An exception from a wall, as the wall names its breach, and the reason.
type Exception = (&'static str, &'static str);

/// Files of pure wings that import something in `IMPURE`.
const IMPURE_FILES: &[Exception] = &[
    (
        "src/model/onnx/library.rs is not pure",
        "ONNX Runtime is a library that is loaded once; an environment variable names it",
    ),
    (
        "src/model/recognise/fold.rs is not pure",
        "ONNX Runtime gives a folded graph only as a file, which is written, read and removed here",
    ),
];

/// Above this many lines, tests not counted, a file is listed in `LONG_FILES`.
const LONG_FILE_LINES: usize = 400;

/// Long files, and why each is one file.
const LONG_FILES: &[Exception] = &[(
    "src/engine/feature/kind.rs has more than 400 lines",
    "one enum, whose comments are the reference page of features",
)];

/// Names of types that two wings define.
const SHARED_TYPE_NAMES: &[Exception] = &[];

impl Wings {
    /// Reads the table of wings: a row of nouns, then rows that begin with one or more wings.
    pub(crate) fn read(lib: &str) -> Self {
        let is_row = |line: &&str| line.starts_with("//! | ");
        let table = lib
            .lines()
            .skip_while(|line| !line.starts_with("//! | nouns |"));
        let mut rows = table.take_while(is_row);
        let nouns = rows.next().map(links).unwrap_or_default();
        let first_cells = rows.filter_map(|row| row.split('|').nth(1));
        let wings: Vec<String> = first_cells.flat_map(links).collect();
        assert!(
            !nouns.is_empty() && !wings.is_empty(),
            "src/lib.rs has no table of wings that begins with a row `| nouns | ... |`"
        );
        Self { nouns, wings }
    }

    fn is_noun(&self, file: &SourceFile) -> bool {
        self.nouns.iter().any(|noun| noun == wing_of(file))
    }

    /// The wing of a file; shared nouns count as one.
    fn wing<'a>(&self, file: &'a SourceFile) -> &'a str {
        if self.is_noun(file) {
            "the nouns"
        } else {
            wing_of(file)
        }
    }

    /// Where a file's wing stands; nouns come first.
    fn place(&self, file: &SourceFile) -> Option<usize> {
        if self.is_noun(file) {
            return Some(0);
        }
        let at = self.wings.iter().position(|wing| wing == wing_of(file))?;
        Some(at + 1)
    }
}

/// The names in a text such as ``[`units`], [`clock`]``.
fn links(text: &str) -> Vec<String> {
    let parts = text.split("[`").skip(1);
    parts
        .filter_map(|part| Some(part.split_once("`]")?.0.to_owned()))
        .collect()
}

/// The first name of a file's module.
fn wing_of(file: &SourceFile) -> &str {
    file.module.split("::").next().unwrap_or_default()
}

/// All breaches of a source tree.
pub(crate) fn all(tree: &SourceTree, wings: &Wings) -> Vec<Breach> {
    let names = type_names_belong_to_one_wing(tree, wings);
    let mut found = imports_go_one_way(tree, wings);
    found.extend(imports_form_no_circle(tree));
    found.extend(except(pure_wings_stay_pure(tree), IMPURE_FILES));
    found.extend(except(names, SHARED_TYPE_NAMES));
    found.extend(except(files_are_not_long(tree), LONG_FILES));
    found.sort();
    found.dedup_by(|a, b| a.what == b.what);
    found
}

/// Leaves out the breaches that `exceptions` name, and adds one for each exception without a breach.
fn except(mut found: Vec<Breach>, exceptions: &[Exception]) -> Vec<Breach> {
    let is_unused = |what: &str| !found.iter().any(|breach| breach.what == what);
    let unused = exceptions.iter().filter(|(what, _)| is_unused(what));
    let unused: Vec<Breach> = unused
        .map(|(what, _)| Breach {
            what: format!("no longer: {what}"),
            advice: "delete this exception from tests/tidy/walls.rs".into(),
        })
        .collect();
    found.retain(|breach| exceptions.iter().all(|(what, _)| breach.what != *what));
    found.extend(unused);
    found
}

/// A wing imports the nouns and the wings above it in the table; nouns import nouns.
pub(crate) fn imports_go_one_way(tree: &SourceTree, wings: &Wings) -> Vec<Breach> {
    let mut found = vec![];
    for file in tree.files().filter(|file| !file.module.is_empty()) {
        let Some(from) = wings.place(file) else {
            found.push(Breach {
                what: format!("src/lib.rs does not list {}", wing_of(file)),
                advice: "add it to the table of wings, below those that it imports".into(),
            });
            continue;
        };
        for import in tree.imports(file) {
            let is_own_wing = wings.wing(file) == wings.wing(import.to);
            let is_above = wings.place(import.to).is_some_and(|to| to < from);
            if !is_own_wing && !is_above {
                let (own, other) = (wings.wing(file), wings.wing(import.to));
                found.push(Breach {
                    what: format!("{} imports {other}", file.path),
                    advice: format!(
                        "{}:{}: `{own}` may not import {}: move the item to the wing that both may \
                        import, or take a value",
                        file.path, import.line, import.to.path
                    ),
                });
            }
        }
    }
    found
}

/// The pure wings import neither clock, thread, socket nor file.
pub(crate) fn pure_wings_stay_pure(tree: &SourceTree) -> Vec<Breach> {
    let mut found = vec![];
    let is_pure = |file: &&SourceFile| PURE_WINGS.contains(&wing_of(file));
    for file in tree.files().filter(is_pure) {
        let mut impure = vec![];
        for path in named_paths(&file.code) {
            let absolute = match tree.absolute(file, &path.segments) {
                Some(inside) => format!("crate::{}", inside.join("::")),
                None => path.segments.join("::"),
            };
            let reason = IMPURE.iter().find(|(name, _)| begins(&absolute, name));
            // The type of an error is plain data.
            if let Some((_, why)) = reason
                && absolute != "std::io::Error"
            {
                impure.push(format!("line {}: {absolute}: {why}", path.line));
            }
        }
        if !impure.is_empty() {
            found.push(Breach {
                what: format!("{} is not pure", file.path),
                advice: format!(
                    "{}\n    move it to a driver, or list the file in IMPURE_FILES with a reason",
                    impure.join("\n    ")
                ),
            });
        }
    }
    found
}

fn begins(path: &str, start: &str) -> bool {
    path.strip_prefix(start)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// No file imports itself through others; a module's own file and its children's are different files.
pub(crate) fn imports_form_no_circle(tree: &SourceTree) -> Vec<Breach> {
    let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in tree.files() {
        let imports = tree.imports(file).into_iter();
        reached.insert(&file.path, imports.map(|i| i.to.path.as_str()).collect());
    }
    let imported = reached.clone();
    let edges =
        |all: &BTreeMap<&str, BTreeSet<&str>>| all.values().map(BTreeSet::len).sum::<usize>();
    loop {
        let before = edges(&reached);
        for path in imported.keys() {
            let next: Vec<&str> = reached[path]
                .iter()
                .flat_map(|to| reached[to].iter().copied())
                .collect();
            reached.entry(path).or_default().extend(next);
        }
        if before == edges(&reached) {
            break;
        }
    }
    let is_in_circle = |path: &&&str| reached[**path].contains(**path);
    let breach = |path: &&str| {
        let back = imported[path]
            .iter()
            .filter(|to| reached[*to].contains(path));
        let back: Vec<&str> = back.copied().collect();
        Breach {
            what: format!("{path} is in a circle of imports"),
            advice: format!(
                "it imports {}, which import it: move what both need into a file of its own",
                back.join(", ")
            ),
        }
    };
    imported.keys().filter(is_in_circle).map(breach).collect()
}

/// A struct, enum, trait, union or type alias has a name that no other wing defines.
pub(crate) fn type_names_belong_to_one_wing(tree: &SourceTree, wings: &Wings) -> Vec<Breach> {
    let mut places: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    for file in tree.files() {
        for (line, text) in (1..).zip(file.code.lines()) {
            if let Some(name) = type_defined(text) {
                let place = format!("{}:{line}", file.path);
                places
                    .entry(name)
                    .or_default()
                    .push((wings.wing(file), place));
            }
        }
    }
    let mut found = vec![];
    for (name, places) in places {
        let in_wings: BTreeSet<&str> = places.iter().map(|(wing, _)| *wing).collect();
        if in_wings.len() > 1 {
            let places: Vec<&str> = places.iter().map(|(_, place)| place.as_str()).collect();
            found.push(Breach {
                what: format!("two wings define a type {name}"),
                advice: format!("{}: give each its full name", places.join(", ")),
            });
        }
    }
    found
}

/// The name of the type that an item at the margin defines; types inside items are their own affair.
fn type_defined(line: &str) -> Option<&str> {
    if line.starts_with(char::is_whitespace) {
        return None;
    }
    let mut words = rust::words(line)
        .skip_while(|word| ["pub", "crate", "super", "in", "unsafe", "auto"].contains(word));
    let is_type = ["struct", "enum", "trait", "type", "union"].contains(&words.next()?);
    is_type.then(|| words.next())?
}

/// A file has one noun, and seldom more than 400 lines.
pub(crate) fn files_are_not_long(tree: &SourceTree) -> Vec<Breach> {
    let breach = |file: &SourceFile| {
        let lines = file.code.lines().count();
        (lines > LONG_FILE_LINES).then(|| Breach {
            what: format!("{} has more than {LONG_FILE_LINES} lines", file.path),
            advice: format!(
                "it has {lines} without tests: give its second noun a file, or list it in LONG_FILES \
                with a reason"
            ),
        })
    };
    tree.files().filter_map(breach).collect()
}

/// Breaches that are not tolerated, and tolerated ones that are gone, as lines to print.
pub(crate) fn compare(found: &[Breach], not_yet: &[&str]) -> Vec<String> {
    let is_tolerated = |breach: &&Breach| not_yet.contains(&breach.what.as_str());
    let new = found.iter().filter(|breach| !is_tolerated(breach));
    let new = new.map(|breach| format!("{}\n    {}", breach.what, breach.advice));
    let is_gone = |what: &&&str| !found.iter().any(|breach| breach.what == **what);
    let gone = not_yet.iter().filter(is_gone);
    let gone = gone.map(|what| {
        format!(
            "no longer: {what}\n    delete this entry from tests/tidy/not_yet.rs in this commit"
        )
    });
    new.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "//! | wing | what it holds |\n//! | --- | --- |\n\
        //! | nouns | [`units`], [`clock`] |\n//! | [`signal`], [`engine`] | a, [`signal::B`] |\n\
        //! | [`run`] | b |\n//!\n//! | [`other`] | c |\n";

    /// A wall, the text of `src/engine.rs` and `src/run.rs`, and the breach.
    type Case = (
        fn(&SourceTree, &Wings) -> Vec<Breach>,
        &'static str,
        &'static str,
        Option<&'static str>,
    );

    #[test]
    fn each_import_rule_sees_its_breach() {
        let long = "fn f() {}\n".repeat(LONG_FILE_LINES + 1).leak();
        let pure = |tree: &SourceTree, _: &Wings| pure_wings_stay_pure(tree);
        let circle = |tree: &SourceTree, _: &Wings| imports_form_no_circle(tree);
        let length = |tree: &SourceTree, _: &Wings| files_are_not_long(tree);
        let cases: &[Case] = &[
            (
                imports_go_one_way,
                "use crate::run::R;",
                "",
                Some("src/engine.rs imports run"),
            ),
            (
                imports_go_one_way,
                "use crate::{units::U, signal};",
                "",
                None,
            ),
            (imports_go_one_way, "", "use super::engine::E;", None),
            (
                pure,
                "use std::{fmt, fs};",
                "",
                Some("src/engine.rs is not pure"),
            ),
            (
                pure,
                "fn f() { super::clock::now() }",
                "",
                Some("src/engine.rs is not pure"),
            ),
            (pure, "use std::time::Duration;", "use std::fs;", None),
            (
                circle,
                "use crate::run::R;",
                "use crate::engine::E;",
                Some("src/engine.rs is in a circle of imports"),
            ),
            (circle, "use crate::run::R;", "use crate::units::U;", None),
            (
                type_names_belong_to_one_wing,
                "pub(crate) struct Key<'a>(u8);",
                "type Key = u8;",
                Some("two wings define a type Key"),
            ),
            (
                type_names_belong_to_one_wing,
                "struct Key;\nimpl A for Key {\n    type Row = u8;\n}",
                "struct Row;\n#[cfg(test)]\nmod tests { struct Key; }",
                None,
            ),
            (
                length,
                long,
                "",
                Some("src/engine.rs has more than 400 lines"),
            ),
            (length, &long[..long.len() / 2], "", None),
        ];
        let wings = Wings::read(LIB);
        for (wall, engine, run, expected) in cases {
            let files = [
                ("src/lib.rs", LIB),
                ("src/units.rs", ""),
                ("src/clock.rs", ""),
                ("src/signal.rs", ""),
                ("src/engine.rs", engine),
                ("src/run.rs", run),
            ];
            let tree = SourceTree::new(files.into_iter());
            let found = wall(&tree, &wings);
            let first = found.first().map(|breach| breach.what.as_str());
            assert_eq!(first, *expected, "{engine} / {run}");
        }
    }

    #[test]
    fn a_noun_imports_only_nouns() {
        let files = [
            ("src/units.rs", "use crate::clock;\nuse crate::signal::S;"),
            ("src/clock.rs", ""),
            ("src/signal.rs", ""),
            ("src/other.rs", ""),
        ];
        let tree = SourceTree::new(files.into_iter());
        let found = imports_go_one_way(&tree, &Wings::read(LIB));
        let what: Vec<&str> = found.iter().map(|breach| breach.what.as_str()).collect();
        assert_eq!(
            what,
            [
                "src/lib.rs does not list other",
                "src/units.rs imports signal"
            ]
        );
    }

    fn breach(what: &str) -> Breach {
        let advice = "advice".into();
        let what = what.into();
        Breach { what, advice }
    }

    #[test]
    fn an_exception_without_a_breach_is_reported() {
        let left = except(
            vec![breach("a"), breach("b")],
            &[("b", "why"), ("c", "why")],
        );
        let what: Vec<&str> = left.iter().map(|breach| breach.what.as_str()).collect();
        assert_eq!(what, ["a", "no longer: c"]);
    }

    #[test]
    fn a_new_breach_and_an_entry_without_one_are_both_reported() {
        let found = [breach("a"), breach("b")];
        let report = compare(&found, &["b", "c"]);
        assert_eq!(report.len(), 2);
        assert!(report[0].starts_with("a\n") && report[1].starts_with("no longer: c\n"));
    }
}
