//! `price-direction` over recorded markets: sliding windows give the signals of whole windows, with ONNX
//! Runtime's scores, through warm-up, loss, reconnect, overload and silence.
//!
//! Batches and shards change no byte of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use foretick::command::diff;
use foretick::command::diff::diff;
use foretick::run::replay::{ReplayOptions, replay};
use serde_json::Value;

use crate::given::{self, Folder};
use crate::needs;

const FIELDS: &str = r#"sink.fields=["instrument","ts_event","quality","probabilities"]"#;

#[test]
fn sliding_and_whole_windows_give_equal_signals_on_recorded_markets() {
    let Some(market) =
        Market::recorded("sliding_and_whole_windows_give_equal_signals_on_recorded_markets")
    else {
        return;
    };
    for every in [1, 3, 10] {
        let signals = market.same_as_whole(&[&format!("row.every={every}")]);
        assert_eq!(signals.len(), 2, "two instruments");
        for (name, signals) in &signals {
            let least = 2_000 / every;
            assert!(signals.len() >= least, "{name}: {} signals", signals.len());
        }
    }
}

#[test]
fn sliding_and_whole_windows_give_equal_signals_after_loss_and_reconnect() {
    let Some(market) =
        Market::troubled("sliding_and_whole_windows_give_equal_signals_after_loss_and_reconnect")
    else {
        return;
    };
    for every in [1, 3, 10] {
        let signals = market.same_as_whole(&[&format!("row.every={every}")]);
        let of = |signal: &Value| signal["quality"].as_str().map(str::to_owned);
        let seen: BTreeSet<String> = signals["BTCUSDT.BINANCE"].iter().filter_map(of).collect();
        let all = ["degraded", "gap", "ok", "stale", "warming"];
        assert_eq!(Vec::from_iter(&seen), all, "every {every}");
        for (name, signals) in &signals {
            let [.., before, last] = &signals[..] else {
                panic!("{name} has signals");
            };
            assert_eq!(last["quality"], "stale", "{name}");
            if every == 1 {
                let message = "a silent instrument repeats its last scores";
                assert_eq!(last["probabilities"], before["probabilities"], "{message}");
            }
        }
    }
    let signals = market.same_as_whole(&["row.while_warming=false"]);
    let warming = |signal: &&Value| signal["quality"] == "warming";
    assert_eq!(signals.values().flatten().filter(warming).count(), 0);
}

#[test]
fn batches_and_shards_change_no_signal_after_loss_and_reconnect() {
    let Some(market) =
        Market::troubled("batches_and_shards_change_no_signal_after_loss_and_reconnect")
    else {
        return;
    };
    for every in [1, 3] {
        let digest = |shards: usize, batch: usize| {
            let set = [
                format!("row.every={every}"),
                format!("engine.shards={shards}"),
                format!("engine.batch={batch}"),
            ];
            market.run("auto", &set.each_ref().map(String::as_str)).0
        };
        let one = digest(1, 1);
        for (shards, batch) in [(1, 7), (1, 4096), (2, 1), (2, 7), (4, 7), (4, 4096)] {
            let split = format!("every {every}, {shards} shards, batches of {batch}");
            assert_eq!(digest(shards, batch), one, "{split}");
        }
    }
}

/// Captures of two instruments, and a folder for their signals.
struct Market {
    folder: Folder,
    captures: Vec<PathBuf>,
}

impl Market {
    /// The captures as recorded; none where a file that `test` needs is missing.
    fn recorded(test: &str) -> Option<Self> {
        let data = needs::data(test)?;
        let model = given::repository("pipelines/price-direction/model.onnx");
        if !needs::onnx(test) || !needs::file(test, &model) {
            return None;
        }
        let spot = data.join("captures/binance-spot");
        let captures = [
            "btcusdt_20240808.gz",
            "btcusdt_20240809.gz",
            "ethusdt_20240808.gz",
        ];
        Some(Self {
            folder: Folder::new(&format!("slide-{test}")),
            captures: captures.map(|name| spot.join(name)).into(),
        })
    }

    /// The captures with frames lost and a reconnect in the first third of one instrument, dropped frames in
    /// its second third, and silence of both at the end.
    fn troubled(test: &str) -> Option<Self> {
        let market = Self::recorded(test)?;
        let bitcoin = unpacked(&market.captures[0]);
        let lines: Vec<&str> = bitcoin.lines().collect();
        let (first, second) = (lines.len() / 3, lines.len() / 3 * 2);
        let stamp = |line: &str| line.split_once(' ').expect("a stamp").0.parse::<i64>();
        let at = |line: usize| stamp(lines[line]).expect("a stamp is a number");
        let mut troubled: Vec<String> = lines[..first - LOST]
            .iter()
            .map(|&line| line.to_owned())
            .collect();
        let mut say = |time: i64, message: &str| troubled.push(format!("{time} {message}"));
        say(at(first), &gap("reconnect"));
        say(at(first), &snapshot(&lines[..first]));
        for line in &lines[first..second] {
            troubled.push((*line).to_owned());
        }
        let mut say = |time: i64, message: &str| troubled.push(format!("{time} {message}"));
        say(at(second), &gap("overflow"));
        for line in &lines[second..] {
            troubled.push((*line).to_owned());
        }
        let end = at(lines.len() - 1);
        for second in 1..8 {
            let time = end + second * 1_000_000_000 + 1_300_000_000;
            troubled.push(format!(r#"{time} {{"foretick":"tick","ts":{time}}}"#));
        }
        let path = market.folder.write("troubled", troubled.join("\n"));
        let captures = vec![path, market.captures[2].clone()];
        Some(Self { captures, ..market })
    }

    /// Replays with whole and with sliding windows, and compares the signals. Returns those of sliding
    /// windows, by instrument.
    fn same_as_whole(&self, set: &[&str]) -> BTreeMap<String, Vec<Value>> {
        let (_, whole) = self.run("plain", set);
        let (_, slid) = self.run("auto", set);
        let options = diff::DiffOptions {
            tolerance: 1e-6,
            ..diff::DiffOptions::default()
        };
        let report = diff(&whole, &slid, options).expect("both are signals");
        assert!(report.equal, "{set:?}: {report}");
        assert!(report.largest > 0.0, "{set:?}: two ways of computing");
        let labels = |path: &Path| {
            let text = fs::read_to_string(path).expect("signals were written");
            let start = text.find("\"probabilities\"").expect("a signal");
            let labels = text[start..].split('"').skip(1).step_by(2).take(4);
            labels.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(labels(&whole), ["probabilities", "down", "flat", "up"]);
        assert_eq!(labels(&slid), labels(&whole));
        by_instrument(&slid)
    }

    /// The digest of a replay, and its signals.
    fn run(&self, window: &str, set: &[&str]) -> (String, PathBuf) {
        let asked = format!("model.window={window}");
        let set = [set, &[asked.as_str(), FIELDS]].concat();
        let pipeline = given::load(&given::repository("pipelines/price-direction"), &set);
        let strategy = pipeline
            .load_model()
            .expect("the shipped model loads")
            .strategy;
        let expected = if window == "plain" { "plain" } else { "slide" };
        assert_eq!(strategy.name(), expected, "{}", strategy.reason);
        let output = self.folder.path(&format!("{window}.jsonl"));
        let options = ReplayOptions {
            inputs: self.captures.clone(),
            output: Some(output.clone()),
            ..ReplayOptions::default()
        };
        let summary = replay(&pipeline, &options).expect("a sound replay");
        assert!(summary.frames.balances(), "{:?}", summary.frames);
        (summary.digest, output)
    }
}

/// Frames lost before the reconnect.
const LOST: usize = 200;

fn gap(reason: &str) -> String {
    format!(r#"{{"foretick":"gap","symbol":"BTCUSDT","reason":"{reason}","missing":7}}"#)
}

/// The book, as prices and sizes, that these frames make: equal to the snapshot of the venue after them.
fn snapshot(lines: &[&str]) -> String {
    let mut sides = [BTreeMap::new(), BTreeMap::new()];
    let mut last = 0;
    for line in lines {
        let (_, message) = line.split_once(' ').expect("a stamp");
        let message: Value = serde_json::from_str(message).expect("a message is JSON");
        let (data, names, id) = match &message["data"] {
            Value::Null => (&message, ["bids", "asks"], &message["lastUpdateId"]),
            data if data["e"] == "depthUpdate" => (data, ["b", "a"], &data["u"]),
            _ => continue,
        };
        let id = id.as_u64().expect("a number");
        if id <= last {
            continue;
        }
        // The recorded snapshot includes earlier changes.
        if data.get("lastUpdateId").is_some() {
            sides = Default::default();
        }
        last = id;
        for (side, name) in sides.iter_mut().zip(names) {
            for level in data[name].as_array().expect("levels") {
                let [price, size] = [0, 1].map(|at| level[at].as_str().expect("text").to_owned());
                side.insert(price, size);
            }
        }
    }
    let [bids, asks] = sides.map(|side| {
        let levels = side.into_iter();
        let levels =
            levels.filter(|(_, size)| size.bytes().any(|digit| (b'1'..=b'9').contains(&digit)));
        Value::from_iter(levels.map(|(price, size)| Value::from(vec![price, size])))
    });
    let data = serde_json::json!({"lastUpdateId": last, "bids": bids, "asks": asks});
    format!(r#"{{"stream":"btcusdt@depth_snapshot","data":{data}}}"#)
}

fn unpacked(path: &Path) -> String {
    let file = File::open(path).expect("the data set is whole");
    let mut text = String::new();
    let read = MultiGzDecoder::new(file).read_to_string(&mut text);
    read.expect("a capture is text");
    text
}

fn by_instrument(path: &Path) -> BTreeMap<String, Vec<Value>> {
    let text = fs::read_to_string(path).expect("signals were written");
    let mut all = BTreeMap::<String, Vec<Value>>::new();
    for line in text.lines() {
        let signal: Value = serde_json::from_str(line).expect("a signal is JSON");
        let name = signal["instrument"].as_str().expect("a name").to_owned();
        all.entry(name).or_default().push(signal);
    }
    all
}
