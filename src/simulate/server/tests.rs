//! A client's view of the exchange, on 127.0.0.1.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::*;

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Reached only where an event never comes: a busy machine is no failure.
const LIMIT: Duration = Duration::from_secs(180);

async fn exchange() -> Exchange {
    start(MarketSettings::default()).await
}

async fn start(settings: MarketSettings) -> Exchange {
    let any = "127.0.0.1:0".parse().unwrap();
    Exchange::start(settings, any).await.unwrap()
}

async fn connect(exchange: &Exchange, path: &str) -> Client {
    let url = format!("ws://{}{path}", exchange.address);
    connect_async(url).await.unwrap().0
}

/// The next text; `None` when the connection is over.
async fn next(client: &mut Client) -> Option<Value> {
    loop {
        match timeout(LIMIT, client.next())
            .await
            .expect("something comes")
        {
            Some(Ok(Frame::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return None,
        }
    }
}

async fn request(client: &mut Client, request: &Value) -> Value {
    let text = request.to_string();
    client.send(Frame::text(text)).await.unwrap();
    loop {
        let answer = next(client).await.unwrap();
        if answer.get("id").is_some() || answer.get("code").is_some() {
            return answer;
        }
    }
}

async fn rest(exchange: &Exchange, path: &str) -> (u16, Value) {
    let url = format!("http://{}{path}", exchange.address);
    let request = move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut response = agent.get(url).call().unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), text)
    };
    let (status, text) = tokio::task::spawn_blocking(request).await.unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

fn id(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap()
}

#[tokio::test]
async fn a_combined_connection_receives_its_subscriptions() {
    let exchange = exchange().await;
    let path = "/stream?streams=btcusdt@trade/ethusdt@bookTicker/solusdt@depth@100ms";
    let mut client = connect(&exchange, path).await;
    let mut missing = vec!["btcusdt@trade", "ethusdt@bookTicker", "solusdt@depth@100ms"];
    let asked = missing.clone();
    while !missing.is_empty() {
        let message = next(&mut client).await.unwrap();
        let name = message["stream"].as_str().unwrap();
        assert!(asked.contains(&name), "{name}");
        assert!(message["data"]["s"].is_string());
        missing.retain(|m| *m != name);
    }
    exchange.stop().await;
}

#[tokio::test]
async fn a_bare_connection_subscribes_and_unsubscribes() {
    let exchange = exchange().await;
    let mut client = connect(&exchange, "/ws").await;
    let subscribe = json!({"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 1});
    let acknowledged = |id: u64| json!({"result": null, "id": id});
    assert_eq!(request(&mut client, &subscribe).await, acknowledged(1));
    let ticker = next(&mut client).await.unwrap();
    assert_eq!(ticker["s"], "BTCUSDT");
    assert!(ticker.get("stream").is_none());
    let unsubscribe = json!({"method": "UNSUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 2});
    assert_eq!(request(&mut client, &unsubscribe).await, acknowledged(2));
    let quiet = timeout(Duration::from_millis(200), client.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    assert_eq!(request(&mut client, &json!({"id": 3})).await["code"], 2);
    exchange.stop().await;
}

#[tokio::test]
async fn snapshot_and_diffs_splice() {
    let exchange = exchange().await;
    let mut client = connect(&exchange, "/ws/btcusdt@depth@100ms").await;
    let first = next(&mut client).await.unwrap();
    let (status, snapshot) = rest(&exchange, "/api/v3/depth?symbol=BTCUSDT&limit=5000").await;
    assert_eq!(status, 200);
    let last = id(&snapshot, "lastUpdateId");
    assert!(last >= id(&first, "U"));
    assert!(snapshot["bids"].as_array().unwrap().len() > 20);
    let mut diff = first;
    while id(&diff, "u") <= last {
        let newer = next(&mut client).await.unwrap();
        assert_eq!(id(&newer, "U"), id(&diff, "u") + 1);
        diff = newer;
    }
    assert!(id(&diff, "U") <= last + 1);
    exchange.stop().await;
}

#[tokio::test]
async fn rest_answers_as_the_venue_does() {
    let exchange = exchange().await;
    let (status, wrong) = rest(&exchange, "/api/v3/depth?symbol=NOSUCH").await;
    let expected = json!({"code": -1121, "msg": "Invalid symbol."});
    assert_eq!((status, wrong), (400, expected));
    let (status, wrong) = rest(&exchange, "/api/v3/depth").await;
    assert_eq!((status, &wrong["code"]), (400, &json!(-1102)));
    let (status, wrong) = rest(&exchange, "/api/v3/depth?symbol=BTCUSDT&limit=many").await;
    assert_eq!((status, &wrong["code"]), (400, &json!(-1100)));
    let (_, book) = rest(&exchange, "/api/v3/depth?symbol=BTCUSDT&limit=5").await;
    assert_eq!(book["asks"].as_array().unwrap().len(), 5);
    assert_eq!(rest(&exchange, "/api/v3/ping").await, (200, json!({})));
    let (_, time) = rest(&exchange, "/api/v3/time").await;
    assert!(millis(clock::now()).abs_diff(time["serverTime"].as_i64().unwrap()) < 10_000);
    exchange.stop().await;
}

#[tokio::test]
async fn dropped_connections_are_closed_and_new_ones_served() {
    let exchange = exchange().await;
    let mut client = connect(&exchange, "/ws/btcusdt@bookTicker").await;
    assert!(next(&mut client).await.is_some());
    exchange.drop_connections();
    while next(&mut client).await.is_some() {}
    let mut client = connect(&exchange, "/ws/btcusdt@bookTicker").await;
    assert!(next(&mut client).await.is_some());
    exchange.stop().await;
}

#[tokio::test]
async fn skipped_depth_is_a_gap_in_the_update_ids() {
    let exchange = exchange().await;
    let mut client = connect(&exchange, "/ws/btcusdt@depth@100ms").await;
    let mut before = next(&mut client).await.unwrap();
    assert!(exchange.skip_depth("BTCUSDT", 2));
    assert!(!exchange.skip_depth("NOSUCH", 2));
    // Some may have been on their way already.
    let mut jumped = false;
    for _ in 0..40 {
        let diff = next(&mut client).await.unwrap();
        jumped = id(&diff, "U") > id(&before, "u") + 1;
        before = diff;
        if jumped {
            break;
        }
    }
    assert!(jumped);
    let after = next(&mut client).await.unwrap();
    assert_eq!(id(&after, "U"), id(&before, "u") + 1, "one gap only");
    exchange.stop().await;
}

#[tokio::test]
async fn silence_keeps_the_connection_and_loses_messages() {
    let exchange = exchange().await;
    let mut client = connect(&exchange, "/ws/btcusdt@depth@100ms").await;
    let before = next(&mut client).await.unwrap();
    exchange.go_silent(true);
    // What was on its way still arrives.
    while timeout(Duration::from_millis(300), client.next())
        .await
        .is_ok()
    {}
    exchange.go_silent(false);
    let after = next(&mut client).await.unwrap();
    assert!(id(&after, "U") > id(&before, "u") + 1);
    exchange.stop().await;
}

#[tokio::test]
async fn stopping_announces_the_shutdown_and_frees_the_address() {
    let exchange = exchange().await;
    let mut combined = connect(&exchange, "/stream?streams=x").await;
    let mut bare = connect(&exchange, "/ws").await;
    let address = exchange.address;
    exchange.stop().await;
    let goodbye = next(&mut combined).await.unwrap();
    assert_eq!(goodbye["stream"], "!serverShutdown");
    assert_eq!(goodbye["data"]["e"], "serverShutdown");
    assert_eq!(next(&mut bare).await.unwrap()["e"], "serverShutdown");
    assert_eq!(next(&mut bare).await, None);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected() {
    let mut settings = MarketSettings::default();
    settings.instruments.truncate(1);
    settings.instruments[0].rate_hz = 50_000.0;
    let exchange = start(settings).await;
    let mut client = connect(&exchange, "/ws/btcusdt@bookTicker").await;
    let left = timeout(LIMIT * 2, exchange.state.broadcasts.closed()).await;
    assert!(left.is_ok(), "still connected");
    while next(&mut client).await.is_some() {}
}

#[tokio::test]
async fn a_taken_address_is_an_error_that_names_it() {
    let first = exchange().await;
    let error = Exchange::start(MarketSettings::default(), first.address).await;
    let text = error.map(drop).unwrap_err().to_string();
    assert!(text.contains(&first.address.to_string()), "{text}");
    first.stop().await;
}
