//! What a host allows this process: how often to connect, the weight of requests, and until when it wants to
//! be left alone.
//!
//! A venue counts by address of the client, not by connection: so all feeds of the process that reach one
//! host share one account, and it outlives their connections.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::time::sleep;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tracing::warn;

use super::request_budget::RequestBudget;
use super::settings::WebsocketSettings;
use crate::clock;

/// The account of one host.
#[derive(Debug)]
pub(super) struct HostLimits {
    host: String,
    account: Mutex<HostAccount>,
}

#[derive(Debug)]
struct HostAccount {
    connections: RequestBudget,
    weight: RequestBudget,
    not_before: Option<Instant>,
}

/// What is asked of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// To open a websocket.
    Connection,
    /// A request of this weight.
    Request(u32),
}

impl HostLimits {
    /// The account of the host in this address. The first feed that names a host sets its limits.
    pub(super) fn of(address: &str, settings: &WebsocketSettings) -> Arc<Self> {
        static HOSTS: OnceLock<Mutex<BTreeMap<String, Arc<HostLimits>>>> = OnceLock::new();
        let host = host_of(address);
        let mut hosts = lock(HOSTS.get_or_init(Mutex::default));
        let limits = hosts.entry(host.clone());
        let new = || Arc::new(Self::new(&host, settings));
        Arc::clone(limits.or_insert_with(new))
    }

    fn new(host: &str, settings: &WebsocketSettings) -> Self {
        let account = HostAccount {
            connections: RequestBudget::new(settings.attempts_max, settings.attempts_window),
            weight: RequestBudget::new(settings.weight_max, settings.weight_window),
            not_before: None,
        };
        Self {
            host: host.to_owned(),
            account: Mutex::new(account),
        }
    }

    /// Waits until the host allows it, and counts it.
    pub(super) async fn allow(&self, ask: Ask) {
        loop {
            let now = clock::instant();
            match self.take(ask, now) {
                Ok(()) => return,
                Err(wait) => sleep(wait).await,
            }
        }
    }

    /// Counts it where it is allowed now; else says after how long to ask again.
    fn take(&self, ask: Ask, now: Instant) -> Result<(), Duration> {
        let mut account = lock(&self.account);
        let banned = account.not_before;
        let banned = banned.map_or(Duration::ZERO, |then| then.saturating_duration_since(now));
        let (budget, cost) = match ask {
            Ask::Connection => (&mut account.connections, 1),
            Ask::Request(weight) => (&mut account.weight, weight),
        };
        let spent = budget.wait(now, cost);
        if budget.becomes_exhausted(now, spent) {
            warn!(host = self.host, ?ask, wait = ?spent, "the host's budget is spent: waiting");
        }
        let wait = spent.max(banned);
        if wait.is_zero() {
            budget.spend(now, cost);
            return Ok(());
        }
        Err(wait)
    }

    /// The host refuses us: nothing is asked of it for so long. A shorter time than one that runs already
    /// changes nothing.
    pub(super) fn stay_away(&self, wait: Duration, now: Instant) {
        let until = now + wait.min(AWAY_MAX);
        let mut account = lock(&self.account);
        let before = account.not_before.unwrap_or(until);
        account.not_before = Some(before.max(until));
        drop(account);
        warn!(host = self.host, ?wait, "the host wants to be left alone");
    }
}

/// How long a host that has answered so wants to be left alone: its own word, or else `unsaid` where it
/// refuses as venues do that have been asked too often: HTTP 429, and 418 for having gone on.
pub(super) fn refused_for(
    status: u16,
    retry_after: Option<&HeaderValue>,
    unsaid: Duration,
) -> Option<Duration> {
    if status < 400 {
        return None;
    }
    let now = UNIX_EPOCH + Duration::from_nanos(clock::now().0.cast_unsigned());
    let told = retry_after.and_then(|value| wait_told(value.to_str().ok()?, now));
    told.or_else(|| matches!(status, 418 | 429).then_some(unsaid))
}

/// How long a refusal holds: `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3); none where it
/// does not say.
fn wait_told(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than a number holds are more than any ban.
        return Some(value.parse().map_or(AWAY_MAX, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// The host of an address, whatever its port: venues count by host. On this machine each port is another one.
fn host_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let authority = authority.to_ascii_lowercase();
    let is_local = ["127.", "localhost", "[::1]"]
        .iter()
        .any(|local| authority.starts_with(local));
    match authority.rsplit_once(':') {
        Some((host, port)) if !is_local && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            host.to_owned()
        }
        _ => authority,
    }
}

/// The account stays whole when a holder panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The longest that we stay away: longer than any ban that venues name.
const AWAY_MAX: Duration = Duration::from_secs(7 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::venues::Venues;

    fn settings() -> WebsocketSettings {
        WebsocketSettings {
            attempts_max: 2,
            attempts_window: Duration::from_secs(60),
            ..WebsocketSettings::new(Venues::default().named("BINANCE").unwrap())
        }
    }

    #[test]
    fn feeds_of_one_host_share_its_account() {
        let one = HostLimits::of("wss://shared.example:9443/stream?streams=a", &settings());
        let same = HostLimits::of("wss://Shared.example/ws", &settings());
        let other = HostLimits::of("wss://other.example", &settings());
        let now = clock::instant();
        assert_eq!(one.take(Ask::Connection, now), Ok(()));
        assert_eq!(same.take(Ask::Connection, now), Ok(()));
        let wait = Err(Duration::from_secs(60));
        assert_eq!(one.take(Ask::Connection, now), wait);
        assert_eq!(one.take(Ask::Request(1), now), Ok(()), "another budget");
        assert_eq!(other.take(Ask::Connection, now), Ok(()));
    }

    #[test]
    fn nothing_is_asked_of_a_host_that_refuses() {
        let limits = HostLimits::new("h", &settings());
        let now = clock::instant();
        limits.stay_away(Duration::from_secs(30), now);
        limits.stay_away(Duration::from_secs(5), now);
        for ask in [Ask::Connection, Ask::Request(1)] {
            assert_eq!(limits.take(ask, now), Err(Duration::from_secs(30)));
            let then = now + Duration::from_secs(30);
            assert_eq!(limits.take(ask, then), Ok(()));
        }
        limits.stay_away(Duration::MAX, now);
        assert_eq!(limits.take(Ask::Connection, now), Err(AWAY_MAX));
    }

    #[test]
    fn a_refusal_names_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let after = |value| wait_told(value, now);
        assert_eq!(after(" 120 "), Some(Duration::from_secs(120)));
        assert_eq!(after("99999999999999999999999"), Some(AWAY_MAX));
        let date = "Sun, 06 Nov 1994 08:50:37 GMT";
        assert_eq!(after(date), Some(Duration::from_secs(60)));
        let past = "Sun, 06 Nov 1994 08:49:36 GMT";
        assert_eq!(after(past), Some(Duration::ZERO));
        for none in ["", "soon", "-5", "1.5"] {
            assert_eq!(after(none), None, "{none}");
        }
    }
}
