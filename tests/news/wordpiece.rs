//! Word pieces are those of the reference tokeniser, whose numbers `tests/given/wordpiece/make.py` recorded.

use std::fmt::Write;
use std::fs;

use foretick::news::wordpiece::WordPiece;
use sha2::{Digest, Sha256};

use crate::given;
use crate::needs;

const MAX_TOKENS: usize = 64;

fn vocabulary() -> WordPiece {
    let path = given::repository("pipelines/news-sentiment/vocab.txt");
    let text = fs::read_to_string(path).expect("the vocabulary is shipped");
    WordPiece::parse(&text).expect("it is one")
}

fn ids(pieces: &WordPiece, text: &str) -> String {
    let mut ids = vec![];
    pieces.encode(text, MAX_TOKENS, &mut ids);
    let text: Vec<String> = ids.iter().map(u32::to_string).collect();
    text.join(" ")
}

#[test]
fn hard_lines_have_the_recorded_ids() {
    let folder = given::repository("tests/given/wordpiece");
    let read = |name| fs::read_to_string(folder.join(name)).expect("it is in the repository");
    let (lines, expected) = (read("lines.txt"), read("ids.txt"));
    let pieces = vocabulary();
    let mut compared = 0;
    // Only a line feed ends a line: other separators are part of the test.
    for (line, expected) in lines
        .trim_end_matches('\n')
        .split('\n')
        .zip(expected.lines())
    {
        assert_eq!(ids(&pieces, line), expected, "{line:?}");
        compared += 1;
    }
    assert!(compared >= 150, "{compared}");
}

#[test]
fn ten_thousand_posts_have_the_recorded_ids() {
    let Some(data) = needs::data("ten_thousand_posts_have_the_recorded_ids") else {
        return;
    };
    let pieces = vocabulary();
    let (mut all, mut count) = (String::new(), 0);
    for name in ["tfns_train_9543.csv", "tfns_valid_2388.csv"] {
        let file = csv::Reader::from_path(data.join("news/tfns").join(name));
        let mut file = file.expect("the data are whole");
        for line in file.records().take(10_000 - count) {
            let line = line.expect("a line has its columns");
            writeln!(all, "{}", ids(&pieces, &line[0].replace('\n', " "))).expect("memory");
            count += 1;
        }
    }
    assert_eq!(count, 10_000);
    let digest = Sha256::digest(all.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let recorded = given::repository("tests/given/wordpiece/digest.txt");
    let recorded = fs::read_to_string(recorded).expect("it is in the repository");
    assert_eq!(digest, recorded.trim());
}
