//! Snapshots of books from a REST interface.

use std::io::{BufRead, BufReader, Write};

use super::*;

/// Answers HTTP requests with `answers`, one each, and gives back the request lines.
fn http(answers: Vec<&'static str>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut lines = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = BufReader::new(stream.try_clone().unwrap()).lines();
            lines.push(request.next().unwrap().unwrap());
            while request.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            stream.write_all(answer.as_bytes()).unwrap();
        }
        lines
    });
    (base, server)
}

fn answer(status: &str, body: &str) -> &'static str {
    let length = body.len();
    let text =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    text.leak()
}

#[tokio::test]
async fn a_snapshot_is_asked_for_until_the_book_has_one() {
    const BUSY: &str =
        "HTTP/1.1 429 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    // Broken off.
    const SHORT: &str =
        "HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\n{\"lastUp";
    let book = answer("200 OK", r#"{"lastUpdateId":160}"#);
    let (base, server) = http(vec![
        BUSY,
        SHORT,
        answer("403 Forbidden", "no"),
        answer("503 Later", ""),
        answer("200 OK", "[1,2]"),
        book,
        book,
    ]);
    let mut feed = RunningFeed::start(|settings| settings.rest = Some(base)).await;
    let mut venue = feed.accept().await;
    send(&mut venue, TRADE).await;
    feed.text(0).await;
    feed.report(false).await;
    sleep(Duration::from_millis(30)).await;
    assert_eq!(
        feed.status.snapshot_failures.load(Relaxed),
        0,
        "requested before the stream began"
    );
    send(&mut venue, DEPTH).await;
    let snapshot = r#"{"stream":"btcusdt@depth_snapshot","data":{"lastUpdateId":160}}"#;
    assert_eq!(feed.text(1).await, DEPTH);
    assert_eq!(feed.text(2).await, snapshot);
    assert_eq!(feed.status.snapshots.load(Relaxed), 0, "not spliced yet");
    // The book says nothing, as if it could not use it: the next one comes by itself.
    assert_eq!(feed.text(3).await, snapshot);
    feed.report(true).await;
    while feed.status.snapshots.load(Relaxed) == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let status = feed.end().await;
    assert_eq!(status.snapshots.load(Relaxed), 1);
    assert_eq!(status.snapshot_failures.load(Relaxed), 6);
    let lines = server.join().unwrap();
    assert_eq!(
        lines[0],
        "GET /api/v3/depth?symbol=BTCUSDT&limit=5000 HTTP/1.1"
    );
}

#[tokio::test]
async fn one_symbols_failing_request_delays_no_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let rest = tokio::spawn(async move {
        let mut held = vec![];
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1_024];
            let read = tokio::io::AsyncReadExt::read(&mut stream, &mut request)
                .await
                .unwrap();
            let book = answer("200 OK", r#"{"lastUpdateId":160}"#);
            if request[..read].windows(7).any(|text| text == b"ETHUSDT") {
                tokio::io::AsyncWriteExt::write_all(&mut stream, book.as_bytes())
                    .await
                    .unwrap();
            }
            // The other one hangs.
            held.push(stream);
        }
    });
    let mut feed = RunningFeed::start(|settings| {
        settings.rest = Some(base);
        settings.symbols.push("ETHUSDT".into());
    })
    .await;
    let mut venue = feed.accept().await;
    send(&mut venue, DEPTH).await;
    send(
        &mut venue,
        &DEPTH.replace("btc", "eth").replace("BTC", "ETH"),
    )
    .await;
    let snapshot = r#"{"stream":"ethusdt@depth_snapshot","data":{"lastUpdateId":160}}"#;
    assert_eq!(feed.text(2).await, snapshot);
    feed.end().await;
    rest.abort();
}
