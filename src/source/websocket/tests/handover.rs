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
