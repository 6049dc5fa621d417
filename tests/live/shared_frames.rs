//! Frames that name several symbols, or none, go to all shards of a run: its capture has each of them once,
//! and a replay of it equals the run, also where the shards' rings had no room.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;

use super::child::RunningProcess;
use crate::given::{self, Folder};

const PIPELINE: &str = r#"
name = "shared"
[source]
kind = "websocket"
instruments = ["OAK-USD.COINBASE", "ELM-USD.COINBASE", "ASH-USD.COINBASE", "FIR-USD.COINBASE"]
[source.websocket]
tick_ms = 0
[row]
on = "trade"
stale_after_ms = 60000
max_gap_ms = 60000
[[feature]]
name = "bids"
kind = "queue_imbalance"
levels = 1
[[feature]]
name = "price"
kind = "price"
[model]
kind = "sum"
[metrics]
listen = ""
"#;

const PRODUCTS: [&str; 4] = ["OAK-USD", "ELM-USD", "ASH-USD", "FIR-USD"];

/// A counted connection: trades and books of one product, or of several at once, and answers.
fn messages(count: u64) -> Vec<String> {
    let message = |number: u64| {
        let time = format!(
            "2026-08-24T22:{:02}:{:02}.{:03}Z",
            number / 60_000 % 60,
            number / 1_000 % 60,
            number % 1_000
        );
        let named = |at: u64| PRODUCTS[at as usize % PRODUCTS.len()];
        let trade = |product: &str| {
            format!(
                r#"{{"trade_id":"{}","product_id":"{product}","price":"{}.5","size":"1","side":"BUY","time":"{time}"}}"#,
                1_000 + number,
                100 + number % 7,
            )
        };
        let book = |product: &str, kind: &str| {
            format!(
                r#"{{"type":"{kind}","product_id":"{product}","updates":[{{"side":"bid","event_time":"{time}","price_level":"100","new_quantity":"{}"}},{{"side":"offer","event_time":"{time}","price_level":"120","new_quantity":"2"}}]}}"#,
                1 + number % 11
            )
        };
        let (channel, events) = match number % 8 {
            _ if number.is_multiple_of(50) => {
                let all = PRODUCTS.map(|product| book(product, "snapshot"));
                ("l2_data", all.join(","))
            }
            0 | 4 => {
                let two = [number, number + 1].map(|at| trade(named(at)));
                let events = format!(r#"{{"type":"update","trades":[{}]}}"#, two.join(","));
                ("market_trades", events)
            }
            1 | 5 => {
                let two = [number, number + 2].map(|at| book(named(at), "update"));
                ("l2_data", two.join(","))
            }
            7 => (
                "subscriptions",
                r#"{"subscriptions":{"level2":["OAK-USD"]}}"#.into(),
            ),
            2 => ("l2_data", book(named(number / 8), "update")),
            _ => {
                let one = trade(named(number / 8));
                (
                    "market_trades",
                    format!(r#"{{"type":"update","trades":[{one}]}}"#),
                )
            }
        };
        format!(
            r#"{{"channel":"{channel}","timestamp":"{time}","sequence_num":{number},"events":[{events}]}}"#
        )
    };
    (0..count).map(message).collect()
}

/// A run of three shards at a venue that sends these messages, with its capture: the summary.
fn captured(folder: &Folder, sent: &[String], ring_frames: usize) -> (PathBuf, PathBuf, Value) {
    let runtime = Runtime::new().expect("a runtime can be made");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let all = sent.to_vec();
    let server = runtime.spawn(async move {
        let (socket, _) = listener.accept().await.expect("the run connects");
        let socket = tokio_tungstenite::accept_async(socket).await;
        let (mut out, mut heard) = socket.expect("a handshake").split();
        heard.next().await.expect("it subscribes").expect("a text");
        for message in all {
            out.feed(Message::text(message)).await.expect("it is read");
        }
        out.flush().await.expect("it is read");
        // Until the run ends.
        while let Some(Ok(_)) = heard.next().await {}
    });
    let pipeline = folder.write("pipeline.toml", PIPELINE);
    let (output, capture) = (folder.path("live.jsonl"), folder.path("cap.jsonl"));
    let path = |path: &Path| path.to_str().expect("plain names").to_owned();
    let mut args = vec!["run".to_owned(), path(&pipeline), "--json".to_owned()];
    args.extend(["--output".to_owned(), path(&output)]);
    args.extend(["--capture".to_owned(), path(&capture)]);
    for set in [
        format!("source.websocket.url=\"ws://{address}\""),
        "engine.shards=3".to_owned(),
        // A frame that one shard took late is late for all in the capture.
        "engine.late_after_ms=0".to_owned(),
        "engine.batch=3".to_owned(),
        format!("engine.ring_frames={ring_frames}"),
    ] {
        args.extend(["--set".to_owned(), set]);
    }
    let mut run = RunningProcess::start(&args);
    let last = format!("\"sequence_num\":{},", sent.len() - 1);
    let is_there = |path: &Path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.contains(&last) || ring_frames < 1_000 && text.contains("\"reason\":\"overflow\"")
    };
    run.wait_for("the last message", |_| is_there(&capture).then_some(()));
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(run.terminate(), Some(0), "{}", run.stderr());
    server.abort();
    let summary = serde_json::from_str(run.stdout().trim()).expect("a summary");
    (pipeline, capture, summary)
}

/// What a replay must have in common with the run.
fn is_replayed(pipeline: &Path, capture: &Path, live: &Value) {
    for shards in ["1", "2", "3"] {
        let mut args: Vec<String> = ["replay", "--json"].map(String::from).to_vec();
        args.push(pipeline.display().to_string());
        args.extend(["--input".to_owned(), capture.display().to_string()]);
        args.extend(["--set".to_owned(), format!("engine.shards={shards}")]);
        let run = given::foretick(&args);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let again: Value = serde_json::from_str(&run.stdout).expect("a summary");
        assert_eq!(
            again["signals"], live["signals"],
            "{shards} shards: {again} of {live}"
        );
        assert_eq!(again["digest"], live["digest"], "{shards} shards");
    }
}

#[test]
fn frames_of_all_shards_are_captured_once() {
    let folder = Folder::new("shared-once");
    let sent = messages(3_000);
    let (pipeline, capture, live) = captured(&folder, &sent, 1 << 14);
    assert!(live["signals"].as_u64() > Some(1_500), "{live}");
    let text = fs::read_to_string(&capture).expect("it was written");
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for line in text.lines() {
        let message = line.split_once(' ').expect("a time").1;
        if !message.starts_with("{\"foretick\"") {
            *counts.entry(message).or_default() += 1;
        }
    }
    for message in &sent {
        *counts.entry(message).or_default() -= 1;
    }
    let wrong: Vec<_> = counts.iter().filter(|(_, count)| **count != 0).collect();
    assert!(
        wrong.is_empty(),
        "{} are not there once: {:?}",
        wrong.len(),
        wrong[0]
    );
    is_replayed(&pipeline, &capture, &live);
}

#[test]
fn what_some_shards_lost_is_lost_in_a_replay_too() {
    let folder = Folder::new("shared-lost");
    let sent = messages(20_000);
    let (pipeline, capture, live) = captured(&folder, &sent, 8);
    let text = fs::read_to_string(&capture).expect("it was written");
    for word in [
        r#""shards":3,"reason":"overflow""#,
        r#"{"foretick":"frame","shards":3,"of":["#,
    ] {
        assert!(
            text.contains(word),
            "no {word}: too little was lost to test anything"
        );
    }
    is_replayed(&pipeline, &capture, &live);
}
