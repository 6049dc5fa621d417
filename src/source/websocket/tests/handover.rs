//! A handover at a venue whose books come with the subscription.

use super::*;

/// A book of the venue, whole or changed.
fn book(action: &str, before: i64, number: i64) -> String {
    format!(
        r#"{{"arg":{{"channel":"books","instId":"OAK-USDT"}},"action":"{action}","data":[{{"asks":[],"bids":[["1","2"]],"ts":"1700000000000","seqId":{number},"prevSeqId":{before}}}]}}"#
    )
}

#[tokio::test]
async fn changes_behind_the_new_connections_book_are_applied_again() {
    let mut feed = RunningFeed::start(|settings| {
        settings.venue = Venues::default().named("OKX").expect("it is registered");
        settings.symbols = vec!["OAK-USDT".into()];
        settings.streams = vec!["books".into()];
    })
    .await;
    let mut old = feed.accept().await;
    let closing = r#"{"event":"notice","code":"64008","msg":"closing","connId":"a"}"#;
    send(&mut old, closing).await;
    let mut new = feed.accept().await;
    let (whole, change) = (book("snapshot", -1, 10), book("update", 10, 11));
    // Both bring the change, in the same bytes; the book before it is the new connection's alone.
    send(&mut new, &whole).await;
    send(&mut old, &change).await;
    send(&mut new, &change).await;
    let handover = r#"{"foretick":"handover"}"#;
    let mut at = 0;
    while feed.text(at).await != handover {
        at += 1;
    }
    assert_eq!(feed.text(at + 1).await, whole);
    assert_eq!(
        feed.text(at + 2).await,
        change,
        "or the book would be the older one"
    );
    feed.end().await;
}

#[tokio::test]
async fn a_replacement_that_is_refused_for_good_is_not_tried_again() {
    let mut feed = RunningFeed::start(|_| {}).await;
    let mut old = feed.accept().await;
    send(&mut old, SHUTDOWN).await;
    let (mut refused, _) = within(feed.listener.accept()).await.unwrap();
    let answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut refused, answer)
        .await
        .unwrap();
    let again = timeout(Duration::from_millis(600), feed.listener.accept()).await;
    assert!(again.is_err(), "credentials that are refused are sent once");
    // The connection in use goes on.
    send(&mut old, &trade(1)).await;
    assert_eq!(feed.text(1).await, trade(1));
    feed.end().await;
}
