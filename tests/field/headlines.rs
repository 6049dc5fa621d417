//! Cashtags and names as headlines have them, and averages of many items.

use serde_json::{Value, json};

use crate::given::{self, Folder};

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_700_000_000_000_000_000;

/// A pipeline whose score is the sum of the numbers of a headline's word pieces.
const NEWS: &str = "name = \"news\"\n[source]\ntopics = [\"news.items.v1\"]\n[row]\non = \"news\"\n\
     [news]\nvocabulary = \"vocab.txt\"\nnames = \"names.csv\"\nhalf_life_ms = 600_000\nfold_ms = 0\n\
     [[feature]]\nname = \"token\"\nkind = \"tokens\"\nmax_tokens = 8\n\
     [model]\nkind = \"sum\"\nnormalise = \"none\"\n";

const NAMES: &str = "symbol,cashtag,names\nA.X,AAPL,Apple\nM.X,MSFT,Microsoft\nB.X,BRK.B,Berkshire Hathaway\n\
     T.X,TSLA,Tesla\nS.X,,Samsung\nN.X,,Nestlé\nATT.X,T,AT&T\nK.X,KO,Coca-Cola\n";

fn signals(test: &str, items: &[Value]) -> Vec<Value> {
    let folder = Folder::new(&format!("field-news-{test}"));
    folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nup\ndown\n");
    folder.write("names.csv", NAMES);
    let lines: Vec<String> = items.iter().map(Value::to_string).collect();
    let (pipeline, input) = (
        folder.write("pipeline.toml", NEWS),
        folder.write("in.jsonl", lines.join("\n")),
    );
    let to = folder.path("out.jsonl");
    let [pipeline, input, to] = [&pipeline, &input, &to].map(|path| path.to_str().expect("text"));
    let run = given::foretick(&["replay", pipeline, "--input", input, "--output", to]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let parse = |line| serde_json::from_str(line).expect("a signal is JSON");
    folder.read("out.jsonl").lines().map(parse).collect()
}

#[test]
fn cashtags_and_names_are_found_as_they_are_written() {
    let cases: &[(&str, &[&str])] = &[
        ("$BRK.B up", &["B.X"]),
        ("up: $BRK-B", &["B.X"]),
        ("$TSLA-led up", &["T.X"]),
        ("$AAPL&$MSFT up", &["A.X", "M.X"]),
        ("$AAPL&amp;$MSFT", &["A.X", "M.X"]),
        ("$AAPL... down", &["A.X"]),
        ("Apple-Samsung down", &["A.X", "S.X"]),
        ("Nestle\u{301} up", &["N.X"]),
        ("AT&amp;amp;T up", &["ATT.X"]),
        ("Coca-Cola-Tesla up", &["K.X", "T.X"]),
        ("\u{26a0}\u{fe0f}$AAPL up", &["A.X"]),
        ("1\u{fe0f}\u{20e3}$MSFT", &["M.X"]),
        ("$AA\u{200d}PL", &["A.X"]),
        ("<Stylebook> Apple", &["A.X"]),
        ("$BRK up, $BRK.A", &[]),
        ("US$T up", &[]),
    ];
    for (at, (headline, expected)) in cases.iter().enumerate() {
        let item =
            |id: &str, headline: &str| json!({"ts_event": START, "id": id, "headline": headline});
        // A run in which nothing is found fails, so one item is found in each.
        let items = [item("case", headline), item("other", "Samsung, as ever")];
        let found = signals(&format!("names-{at}"), &items);
        let instrument = |signal: &Value| signal["instrument"].as_str().expect("text").to_owned();
        let found: Vec<String> = found.iter().map(instrument).collect();
        let expected = [expected, &["S.X"][..]].concat();
        assert_eq!(found, expected, "{headline}");
    }
}

#[test]
fn the_average_is_of_all_items() {
    let text = |at: i64| {
        if at % 3 == 0 {
            "$AAPL up"
        } else {
            "$AAPL down down"
        }
    };
    // [CLS] $ aapl up [SEP]: 2 + 1 + 1 + 4 + 3; with down twice: 2 + 1 + 1 + 5 + 5 + 3.
    let score = |at: i64| if at % 3 == 0 { 11.0 } else { 17.0 };
    let items: Vec<Value> = (0..900)
        .map(|at| json!({"ts_event": START + at * SECOND, "id": format!("i{at}"), "headline": text(at)}))
        .collect();
    let signals = signals("average", &items);
    assert_eq!(signals.len(), 900);
    let weigh = |age: i64| (-(age as f64) / 600.0).exp2();
    for last in [100, 255, 256, 899_i64] {
        let found = &signals[usize::try_from(last).expect("small")];
        assert_eq!(found["score"].as_f64(), Some(score(last)));
        let weight: f64 = (0..=last).map(|at| weigh(last - at)).sum();
        let sum: f64 = (0..=last).map(|at| weigh(last - at) * score(at)).sum();
        let number = |name: &str| found["sentiment"][name].as_f64().expect("a number");
        assert!((number("weight") / weight - 1.0).abs() < 1e-9, "{found}");
        assert!((number("average") - sum / weight).abs() < 1e-9, "{found}");
    }
}
