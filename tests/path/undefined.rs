//! A value that is undefined (an empty queue, a figure of zero) makes its row incomplete, and those whose
//! windows hold it; the rows after that are right.

use super::feed::{Feed, START, depth, snapshot};

fn feed(on: &str, features: &str) -> Feed {
    let text = format!(
        "name = \"undefined\"\n[row]\non = \"{on}\"\nstale_after_ms = 1_000_000\n{features}\n[model]\nkind = \"sum\"\n"
    );
    Feed::new(&text, 1)
}

fn score(feed: &mut Feed, ms: i64, frame: &str) -> Option<f64> {
    let signals = feed.take(ms, frame);
    signals.first().map(|signal| signal.outputs[0])
}

#[test]
fn an_empty_queue_does_not_stay_in_averages_and_windows() {
    // With the rows that are lost after that of the empty book itself.
    for (kind, lost) in [
        ("kind = \"ema\"\nalpha = 0.5", 0),
        ("kind = \"ema\"\nhalf_life_ms = 1_000", 0),
        ("kind = \"mean\"\nwindow = 3", 2),
        ("kind = \"std\"\nwindow = 3", 2),
        ("kind = \"min\"\nwindow = 3", 2),
        ("kind = \"sum\"\nwindow_ms = 2_500", 2),
    ] {
        let features = format!(
            "[[feature]]\nname = \"i\"\nkind = \"queue_imbalance\"\nlevels = 2\nhidden = true\n\
             [[feature]]\nname = \"x\"\nof = \"i\"\n{kind}"
        );
        // The same changes, in one run with an empty book between them.
        let run = |emptied: bool| {
            let mut feed = feed("book", &features);
            feed.take(0, &snapshot("A", 100));
            let mut scores = vec![];
            for id in 101..110_u64 {
                let ms = 1_000 * (id as i64 - 100);
                if emptied && id == 105 {
                    let before = feed.engine.counts().incomplete_rows;
                    let (bids, asks) = (r#"[["10","0"],["9","0"]]"#, r#"[["11","0"],["12","0"]]"#);
                    let empty = depth("A", ms, (id, id), bids, asks);
                    assert_eq!(score(&mut feed, ms, &empty), None, "{kind}");
                    assert_eq!(feed.engine.counts().incomplete_rows, before + 1);
                    continue;
                }
                if id == 105 {
                    continue;
                }
                // Every level again, so that the book is the same after it was empty.
                let bids = format!(r#"[["10","{}"],["9","2"]]"#, id - 99);
                let asks = r#"[["11","3"],["12","5"]]"#;
                let first = if emptied || id != 106 { id } else { 105 };
                let change = depth("A", ms, (first, id), &bids, asks);
                scores.extend(score(&mut feed, ms, &change));
            }
            scores
        };
        let (emptied, mut expected) = (run(true), run(false));
        let begin = expected.len() - 4;
        expected.drain(begin..begin + lost);
        assert_eq!(emptied.len(), expected.len(), "{kind}");
        for (left, right) in emptied.iter().zip(&expected) {
            assert!(
                (left - right).abs() < 1e-12,
                "{kind}: {emptied:?}, not {expected:?}"
            );
        }
    }
}

#[test]
fn a_figure_of_zero_affects_only_its_own_row() {
    let features = r#"
[[feature]]
name = "f"
kind = "figure"
figure = "vix"
hidden = true
[[feature]]
name = "r"
kind = "log_return"
of = "f"
hidden = true
[[feature]]
name = "smooth"
kind = "ema"
of = "r"
alpha = 0.5
[[feature]]
name = "above"
kind = "relative"
of = "price"
to = "f"
"#;
    let mut feed = feed("trade", features);
    let figure = |ms: i64, value: f64| {
        format!(
            r#"{{"ts_event":{},"figure":"vix","value":{value}}}"#,
            (START + ms) * 1_000_000
        )
    };
    let trade = |feed: &mut Feed, ms: i64| {
        let ts = (START + ms) * 1_000_000;
        let frame = format!(r#"{{"ts_event":{ts},"symbol":"A","price":10,"size":1,"side":"buy"}}"#);
        score(feed, ms, &frame)
    };
    for (ms, value) in [(1, 10.0), (3, 20.0), (5, 40.0)] {
        feed.take(ms, &figure(ms, value));
        trade(&mut feed, ms + 1);
    }
    let ln2 = std::f64::consts::LN_2;
    assert_eq!(trade(&mut feed, 7), Some(ln2 + (10.0 / 40.0 - 1.0)));
    feed.take(8, &figure(8, 0.0));
    assert_eq!(trade(&mut feed, 9), None, "neither feature has a value");
    feed.take(10, &figure(10, 80.0));
    assert_eq!(trade(&mut feed, 11), None, "there is no return from zero");
    feed.take(12, &figure(12, 160.0));
    assert_eq!(trade(&mut feed, 13), Some(ln2 + (10.0 / 160.0 - 1.0)));
    assert_eq!(
        feed.engine.counts().incomplete_rows,
        3,
        "these two rows, and the first"
    );
}
