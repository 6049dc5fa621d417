//! The REST interface of a venue: one request, one answer.
//!
//! Waits for the host's limits, tells it off nothing, and tries nothing again: that is the schedule's
//! business.

use std::sync::Arc;
use std::time::Duration;

use super::host_limits::{Ask, HostLimits, refused_for};
use super::settings::WebsocketSettings;
use crate::clock;

/// The REST interface of the venue.
#[derive(Debug)]
pub(super) struct RestClient {
    agent: ureq::Agent,
    base: String,
    limits: Arc<HostLimits>,
    unsaid: Duration,
}

impl RestClient {
    pub(super) fn new(base: &str, settings: &WebsocketSettings) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(settings.request_timeout))
            .timeout_connect(Some(settings.connect_timeout))
            // The websocket knows no proxy, so that the two would see different networks.
            .proxy(None)
            // A snapshot from where a redirect leads is not the venue's.
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .new_agent();
        Self {
            agent,
            base: base.trim_end_matches('/').to_owned(),
            limits: HostLimits::of(base, settings),
            unsaid: settings.unsaid_refusal(),
        }
    }

    /// The body at this path and query.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(super) async fn get(self: Arc<Self>, path: String, weight: u32) -> Result<Vec<u8>, String> {
        self.limits.allow(Ask::Request(weight)).await;
        let request = tokio::task::spawn_blocking(move || self.call(&path));
        request.await.map_err(|error| error.to_string())?
    }

    fn call(&self, path: &str) -> Result<Vec<u8>, String> {
        let url = format!("{}{path}", self.base);
        let mut response = self
            .agent
            .get(&url)
            .call()
            .map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after");
        if let Some(wait) = refused_for(status, retry_after, self.unsaid) {
            self.limits.stay_away(wait, clock::instant());
        }
        let body = response.body_mut().with_config();
        let body = body.limit(BODY_BYTES_MAX).read_to_vec();
        match (status, body) {
            (200, Ok(body)) if body.trim_ascii_start().starts_with(b"{") => Ok(body),
            (200, Ok(body)) => Err(format!("the answer is no JSON object: `{}`", shown(&body))),
            (200, Err(error)) => Err(error.to_string()),
            (status, body) => {
                let body = body.unwrap_or_default();
                Err(format!("HTTP {status}, `{}`", shown(&body)))
            }
        }
    }
}

/// The beginning of an answer, for people.
fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(SHOWN)]).into_owned()
}

const SHOWN: usize = 200;

/// 5,000 levels a side are about half a megabyte.
const BODY_BYTES_MAX: u64 = 32 << 20;
