//! Hosts that refuse to open a websocket: HTTP answers, and TLS that fails.

use std::time::{Instant, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::told::Told;
use super::*;

/// Takes the next connection of the feed, reads its request, and answers so.
async fn answer(feed: &RunningFeed, text: &str) -> Instant {
    let (mut stream, _) = within(feed.listener.accept()).await.unwrap();
    let at = clock::instant();
    let mut request = vec![];
    while !request.ends_with(b"\r\n\r\n") {
        request.push(within(stream.read_u8()).await.unwrap());
    }
    within(stream.write_all(text.as_bytes())).await.unwrap();
    within(stream.shutdown()).await.unwrap();
    at
}

fn http(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 13\r\n\r\nso it is told")
}

#[tokio::test]
async fn a_refusal_is_told_once_in_the_hosts_words_and_counted() {
    for status in [
        "301 Moved Permanently",
        "404 Not Found",
        "451 Unavailable For Legal Reasons",
        "500 Internal Server Error",
        "503 Service Unavailable",
        "200 OK",
    ] {
        let told = Told::begin();
        let feed = RunningFeed::start(|_| {}).await;
        let text = http(status, "Location: wss://elsewhere.test/ws\r\n");
        for _ in 0..4 {
            answer(&feed, &text).await;
        }
        let mut server = feed.accept().await;
        send(&mut server, TRADE).await;
        while feed.status.received.load(Relaxed) == 0 {
            sleep(Duration::from_millis(2)).await;
        }
        let status_of_feed = feed.end().await;
        assert_eq!(status_of_feed.ends.of(EndReason::Refused), 4, "{status}");
        let words = format!("HTTP {status}, `so it is told` to `wss://elsewhere.test/ws`");
        assert_eq!(told.count(&words), 1, "{told:?}");
    }
}

#[tokio::test]
async fn a_refusal_without_end_is_no_hot_loop() {
    let feed = RunningFeed::start(|settings| {
        settings.backoff_min = Duration::from_millis(200);
        settings.backoff_max = Duration::from_secs(3_600);
    })
    .await;
    let refuse = async {
        loop {
            answer(&feed, &http("503 Service Unavailable", "")).await;
        }
    };
    drop(timeout(Duration::from_secs(3), refuse).await);
    let refused = feed.end().await.ends.of(EndReason::Refused);
    assert!((2..=12).contains(&refused), "{refused} attempts");
}

#[tokio::test]
async fn a_host_that_wants_to_be_left_alone_is() {
    let date = |after: Duration| {
        let now = UNIX_EPOCH + Duration::from_nanos(clock::now().0.cast_unsigned());
        httpdate::fmt_http_date(now + after)
    };
    for (status, headers, least) in [
        (
            "429 Too Many Requests",
            "Retry-After: 1\r\n".to_owned(),
            1_000,
        ),
        ("418 I'm a teapot", "Retry-After: 1\r\n".to_owned(), 1_000),
        (
            "503 Service Unavailable",
            "Retry-After: 1\r\n".to_owned(),
            1_000,
        ),
        // A date has whole seconds.
        (
            "503 Service Unavailable",
            "Retry-After: DATE\r\n".to_owned(),
            1_000,
        ),
        // It does not say how long: the window in which it counts connections.
        ("403 Forbidden", String::new(), 700),
        ("429 Too Many Requests", String::new(), 700),
        ("418 I'm a teapot", String::new(), 700),
    ] {
        let told = Told::begin();
        let feed = RunningFeed::start(|settings| {
            settings.attempts_max = 1_000;
            settings.attempts_window = Duration::from_millis(700);
        })
        .await;
        let headers = headers.replace("DATE", &date(Duration::from_secs(2)));
        let refused = answer(&feed, &http(status, &headers)).await;
        let server = feed.accept().await;
        let waited = refused.elapsed();
        assert!(
            waited >= Duration::from_millis(least) - Duration::from_millis(5),
            "{status} {headers}: after {waited:?}"
        );
        assert_eq!(told.count("so it is told"), 1, "{told:?}");
        drop(server);
        assert_eq!(feed.end().await.ends.of(EndReason::Refused), 1);
    }
}

#[tokio::test]
async fn credentials_that_the_host_does_not_take_are_not_sent_again() {
    let feed = RunningFeed::start(|_| {}).await;
    answer(&feed, &http("401 Unauthorized", "")).await;
    let ended = within(feed.task).await.unwrap().unwrap_err().to_string();
    assert!(
        ended.contains("HTTP 401 Unauthorized, `so it is told`"),
        "{ended}"
    );
    assert_eq!(feed.status.ends.of(EndReason::Fatal), 1);
    let again = timeout(Duration::from_millis(100), feed.listener.accept()).await;
    assert!(again.is_err(), "it asked again");
}

fn secure(settings: &mut WebsocketSettings) {
    settings.url = settings.url.replace("ws://127.0.0.1", "wss://localhost");
}

#[tokio::test]
async fn http_on_a_port_of_tls_is_told_once_as_a_failure_of_tls() {
    let told = Told::begin();
    let feed = RunningFeed::start(secure).await;
    for _ in 0..3 {
        let (mut stream, _) = within(feed.listener.accept()).await.unwrap();
        let text = "HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\n\r\n";
        within(stream.write_all(text.as_bytes())).await.unwrap();
    }
    within(feed.listener.accept()).await.unwrap();
    let status = feed.end().await;
    assert!(status.ends.of(EndReason::Tls) >= 3, "{:?}", status.ends);
    assert_eq!(told.count("the connection failed"), 1, "{told:?}");
}

#[tokio::test]
async fn a_handshake_of_tls_that_is_cut_off_is_told_once() {
    let told = Told::begin();
    let feed = RunningFeed::start(secure).await;
    for _ in 0..3 {
        let (mut stream, _) = within(feed.listener.accept()).await.unwrap();
        // Read some of it, or the end would be a reset, which says less.
        let mut hello = [0; 512];
        assert!(within(stream.read(&mut hello)).await.unwrap() > 0);
        within(stream.shutdown()).await.unwrap();
        while within(stream.read(&mut hello))
            .await
            .is_ok_and(|read| read > 0)
        {}
    }
    within(feed.listener.accept()).await.unwrap();
    let status = feed.end().await;
    assert!(status.ends.of(EndReason::Tls) >= 3, "{:?}", status.ends);
    assert_eq!(told.count("tls handshake eof"), 1, "{told:?}");
}

/// A certificate of `localhost` that nobody has signed but its own key, and that key. Made for this test.
const UNTRUSTED: &str = "\
    MIIBlTCCATugAwIBAgIUTsPlCmCAjoewpVBXClsFqWKCezEwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3\
    N0MCAXDTI2MTEyNzEzMDM1MFoYDzIxMjYxMTAzMTMwMzUwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjO\
    PQIBBggqhkjOPQMBBwNCAAQNo0DnSpG2mIGscfH4J/+24f4xMOdwvyvCNfENibYVF5ZFisA+bBctm8NPBb6Y+oC+Rp\
    GTJNEklpJK4SJIoovzo2kwZzAdBgNVHQ4EFgQUJH85b4moanJ790bNOhYrLWbdhzYwHwYDVR0jBBgwFoAUJH85b4mo\
    anJ790bNOhYrLWbdhzYwDwYDVR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwIDSA\
    AwRQIhAPOMjzZQZW2HMxd9VA/YOHch/Xnb/pwlqc96i1qsRxdGAiAn+7UF1oCemrBPKkg/ozxsDoDzmrj9dDDi4OEG\
    EsO9bw==";
const UNTRUSTED_KEY: &str = "\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBmxPkVIbFIW+Htvs580GwhQaBtvo86bE24jcgkWWnW\
    qhRANCAAQNo0DnSpG2mIGscfH4J/+24f4xMOdwvyvCNfENibYVF5ZFisA+bBctm8NPBb6Y+oC+RpGTJNEklpJK4SJI\
    oovz";

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_and_told_once() {
    use base64::Engine as _;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
    let bytes = |text| {
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .unwrap()
    };
    let certificate = CertificateDer::from(bytes(UNTRUSTED));
    let key = PrivatePkcs8KeyDer::from(bytes(UNTRUSTED_KEY));
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .unwrap();
    let server = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let told = Told::begin();
    let feed = RunningFeed::start(secure).await;
    for _ in 0..3 {
        let (stream, _) = within(feed.listener.accept()).await.unwrap();
        assert!(within(server.accept(stream)).await.is_err());
    }
    within(feed.listener.accept()).await.unwrap();
    let status = feed.end().await;
    assert!(status.ends.of(EndReason::Tls) >= 3, "{:?}", status.ends);
    assert_eq!(told.count("invalid peer certificate"), 1, "{told:?}");
}

#[tokio::test]
async fn a_fault_that_the_venue_reports_ends_the_connection_and_is_counted() {
    let feed = RunningFeed::start(|settings| {
        settings.venue = Venues::default().named("ALPACA").expect("it is registered");
        settings.symbols = vec!["OAK".into()];
        settings.streams = vec!["trades".into()];
    })
    .await;
    let mut server = feed.accept().await;
    let words = r#"[{"T":"error","code":406,"msg":"connection limit exceeded"}]"#;
    send(&mut server, words).await;
    drop(feed.accept().await);
    let status = feed.end().await;
    assert_eq!(status.ends.of(EndReason::Fault), 1);
}

#[tokio::test]
async fn answers_to_pings_are_no_life_of_the_market() {
    let feed = RunningFeed::start(|settings| {
        settings.venue = Venues::default().named("OKX").expect("it is registered");
        settings.symbols = vec!["OAK-USDT".into()];
        settings.streams = vec!["trades".into()];
        settings.silent = Some(Duration::from_millis(500));
    })
    .await;
    let mut server = feed.accept().await;
    let pongs = async {
        while server.send(Message::text("pong")).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    within(pongs).await;
    drop(feed.accept().await);
    let status = feed.end().await;
    assert!(status.ends.of(EndReason::Silent) >= 1);
}
