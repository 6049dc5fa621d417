//! Snapshots of books from a REST interface.

use std::io::{BufRead, BufReader, Write};

use super::*;
use crate::source::websocket::snapshot::SnapshotFetcher;

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

fn okx(settings: &mut WebsocketSettings) {
    settings.venue = Venues::default().named("OKX").expect("it is registered");
    settings.symbols = vec!["OAK-USDT".into()];
    settings.streams = vec!["trades".into(), "books".into()];
}

/// The next text that the feed sends, but its `ping`.
async fn sent(server: &mut Server) -> String {
    loop {
        match within(server.next()).await.unwrap().unwrap() {
            Message::Text(text) if text.as_str() != "ping" => return text.to_string(),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_subscription_that_is_refused_for_now_is_repeated_and_told_once() {
    let told = super::told::Told::begin();
    let mut feed = RunningFeed::start(okx).await;
    let mut server = feed.accept().await;
    let first = sent(&mut server).await;
    let refusal = r#"{"event":"error","code":"50011","msg":"Rate limit reached","connId":"a"}"#;
    for at in 0..3 {
        send(&mut server, refusal).await;
        assert_eq!(feed.text(at).await, refusal, "it is handed on and counted");
        assert_eq!(sent(&mut server).await, first);
    }
    assert_eq!(told.count("50011: Rate limit reached"), 1, "{told:?}");
    let notice = r#"{"event":"notice","code":"1","msg":"why","connId":"a"}"#;
    for at in 3..5 {
        send(&mut server, notice).await;
        feed.text(at).await;
    }
    assert_eq!(told.count("the venue says: `1: why`"), 1, "{told:?}");
    let status = feed.end().await;
    let counted = [&status.rejections, &status.notices].map(|count| count.load(Relaxed));
    assert_eq!(counted, [3, 2]);
}

#[tokio::test]
async fn a_book_that_a_subscription_does_not_bring_is_asked_for_again() {
    for is_told in [false, true] {
        let feed = RunningFeed::start(okx).await;
        let mut server = feed.accept().await;
        sent(&mut server).await;
        if is_told {
            let report = BookReport {
                shard: 0,
                instrument: "OAK-USDT.OKX".into(),
                is_whole: true,
            };
            feed.requests.send(report).await.unwrap();
        }
        let again = timeout(Duration::from_secs(15), sent(&mut server)).await;
        match again {
            Ok(text) => assert!(!is_told && text.contains("\"unsubscribe\""), "{text}"),
            Err(_) => assert!(is_told, "it is asked for again"),
        }
        let status = feed.end().await;
        assert_eq!(status.snapshot_failures.load(Relaxed) > 0, !is_told);
    }
}

#[tokio::test]
async fn a_book_that_breaks_right_behind_its_subscription_is_asked_for_soon() {
    let feed = RunningFeed::start(okx).await;
    let mut server = feed.accept().await;
    sent(&mut server).await;
    let report = BookReport {
        shard: 0,
        instrument: "OAK-USDT.OKX".into(),
        is_whole: false,
    };
    feed.requests.send(report).await.unwrap();
    let again = timeout(Duration::from_secs(6), sent(&mut server)).await;
    assert!(again.is_ok_and(|text| text.contains("unsubscribe")));
    assert_eq!(feed.end().await.snapshot_failures.load(Relaxed), 0);
}

#[test]
fn a_symbol_that_is_refused_for_good_is_not_subscribed_to_again() {
    let settings = WebsocketSettings {
        symbols: vec!["OAK-USDT".into(), "OAK-USDT-SWAP".into()],
        streams: vec!["books".into()],
        ..WebsocketSettings::new(Venues::default().named("OKX").expect("it is registered"))
    };
    let refusal = br#"{"event":"error","code":"60018","msg":"Wrong URL or channel:books,instId:OAK-USDT-SWAP doesn't exist."}"#;
    let mut fetcher = SnapshotFetcher::new(&settings, Arc::default());
    fetcher.refused(refusal);
    let mut asked = vec![];
    for seconds in 0..60 {
        let now = clock::instant() + Duration::from_secs(seconds);
        asked.extend(fetcher.step(now, false).messages);
    }
    assert!(!asked.is_empty());
    let others = asked.iter().filter(|text| text.contains("OAK-USDT-SWAP"));
    assert_eq!(others.count(), 0, "{asked:?}");
}
