//! What an operator watches: `/metrics` for Prometheus, `/healthz`, `/readyz`, on loopback by default.
//!
//! Reads figures that the shards and the source show; changes nothing. Names are in base units. One server
//! tells of all pipelines of the process.

mod figures;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::runtime::Runtime;

use super::budget::Need;
use super::worker::Window;
use crate::source::status::FeedStatus;

/// Where the figures of a run can be read.
#[derive(Clone, Debug)]
pub struct Board {
    /// SHA-256 of the model that runs.
    pub model_sha256: String,
    /// Where it computes.
    pub provider: String,
    /// One window a shard.
    pub windows: Vec<Arc<Window>>,
    /// The source.
    pub feed: Arc<FeedStatus>,
}

/// A pipeline's place on the wall, over all its starts. Its figures begin anew with each.
#[derive(Debug)]
pub struct Place {
    name: String,
    need: Need,
    state: Mutex<State>,
    restarts: AtomicU64,
}

/// How a pipeline is.
#[derive(Clone, Debug)]
pub enum State {
    /// It is being started.
    Starting,
    /// It runs.
    Running(Board),
    /// It has ended as planned.
    Ended,
    /// It failed.
    Failed {
        /// Why.
        why: String,
        /// How long it waits before it is started again; none where it stays down.
        pause: Option<Duration>,
    },
}

/// The places of all pipelines of a process.
#[derive(Clone, Debug)]
pub struct Wall(pub Vec<Arc<Place>>);

impl Place {
    /// A place for the pipeline of this name, which needs so much.
    #[must_use]
    pub fn new(name: &str, need: Need) -> Self {
        Self {
            name: name.to_owned(),
            need,
            state: Mutex::new(State::Starting),
            restarts: AtomicU64::new(0),
        }
    }

    /// Says how it is now.
    pub fn say(&self, state: State) {
        *self.lock() = state;
    }

    /// Says that it is started again.
    pub fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
        self.say(State::Starting);
    }

    /// What it was planned to need.
    #[must_use]
    pub fn need(&self) -> Need {
        self.need
    }

    /// How often it was started again.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    fn board(&self) -> Option<Board> {
        match &*self.lock() {
            State::Running(board) => Some(board.clone()),
            State::Starting | State::Ended | State::Failed { .. } => None,
        }
    }

    fn is_running(&self) -> bool {
        matches!(&*self.lock(), State::Running(_))
    }

    /// What is not well, for people; nothing where all is.
    fn trouble(&self) -> Option<String> {
        match &*self.lock() {
            State::Starting => Some("starting".into()),
            State::Running(board) if board.feed.is_healthy() => None,
            State::Running(_) => Some("the source is not connected".into()),
            State::Ended => Some("ended".into()),
            State::Failed { why, pause: None } => Some(format!("failed: {why}")),
            State::Failed {
                why,
                pause: Some(pause),
            } => {
                let seconds = pause.as_secs();
                Some(format!(
                    "failed, to be started again after {seconds} s: {why}"
                ))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wall {
    /// A line for each pipeline that is not well; its name stands before it where there are several.
    fn troubles(&self) -> String {
        let line = |place: &Arc<Place>| {
            let trouble = place.trouble()?;
            Some(match self.0.len() {
                1 => format!("{trouble}\n"),
                _ => format!("{}: {trouble}\n", place.name),
            })
        };
        self.0.iter().filter_map(line).collect()
    }
}

/// A running server; it ends with its runtime.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
}

/// Why metrics cannot be served.
#[derive(Debug, thiserror::Error)]
#[error(
    "while serving metrics at `{listen}`: {cause}; choose another address by `[metrics] listen` or \
     `--set metrics.listen=127.0.0.1:0`, or none by an empty one"
)]
pub struct MetricsError {
    listen: String,
    cause: String,
}

impl Server {
    /// Serves until the runtime ends; nothing where `listen` is empty.
    ///
    /// # Errors
    /// [`MetricsError`] where the address is none or is taken.
    pub fn start(
        listen: &str,
        wall: Wall,
        runtime: &Runtime,
    ) -> Result<Option<Self>, MetricsError> {
        if listen.is_empty() {
            return Ok(None);
        }
        let failed = |cause: String| MetricsError {
            listen: listen.to_owned(),
            cause,
        };
        let address: SocketAddr = listen.parse().map_err(|_| failed("no address".into()))?;
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(address))
            .map_err(|cause| failed(cause.to_string()))?;
        let address = listener
            .local_addr()
            .map_err(|cause| failed(cause.to_string()))?;
        let router = router(wall);
        runtime.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::warn!(%error, "the metrics server ended");
            }
        });
        tracing::info!(%address, "metrics at /metrics, health at /healthz and /readyz");
        Ok(Some(Self { address }))
    }
}

fn router(wall: Wall) -> Router {
    let (alive, ready) = (wall.clone(), wall.clone());
    let mut registry = Registry::with_prefix("foretick");
    registry.register_collector(Box::new(wall));
    let registry = Arc::new(registry);
    Router::new()
        .route("/metrics", get(move || metrics(Arc::clone(&registry))))
        .route("/healthz", get(move || health(alive.clone())))
        .route("/readyz", get(move || readiness(ready.clone())))
}

type Answer = (StatusCode, [(header::HeaderName, &'static str); 1], String);

async fn metrics(registry: Arc<Registry>) -> Answer {
    let mut text = String::new();
    let status = match encode(&mut text, &registry) {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    (status, [(header::CONTENT_TYPE, kind)], text)
}

/// Alive is who answers: one pipeline that fails is no reason to end the others.
async fn health(wall: Wall) -> String {
    match wall.0.len() {
        1 => "ok\n".into(),
        _ => format!("ok\n{}", wall.troubles()),
    }
}

/// Ready is who has sources that all deliver.
async fn readiness(wall: Wall) -> (StatusCode, String) {
    let troubles = wall.troubles();
    if troubles.is_empty() {
        (StatusCode::OK, "ready\n".into())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, troubles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Board {
        Board {
            model_sha256: "00".into(),
            provider: "cpu".into(),
            windows: vec![Arc::default()],
            feed: Arc::default(),
        }
    }

    fn place(name: &str, state: State) -> Arc<Place> {
        let place = Place::new(name, Need::default());
        place.say(state);
        Arc::new(place)
    }

    #[test]
    fn one_alone_needs_no_name() {
        let wall = Wall(vec![place("a", State::Running(running()))]);
        assert_eq!(wall.troubles(), "the source is not connected\n");
        wall.0[0].say(State::Ended);
        assert_eq!(wall.troubles(), "ended\n");
    }

    #[test]
    fn of_several_those_that_are_not_well_are_named() {
        let board = running();
        board.feed.set_healthy(true);
        let failed = |pause| State::Failed {
            why: "no model".into(),
            pause,
        };
        let wall = Wall(vec![
            place("a", State::Running(board)),
            place("b", failed(Some(Duration::from_secs(4)))),
            place("c", failed(None)),
        ]);
        let told = "b: failed, to be started again after 4 s: no model\nc: failed: no model\n";
        assert_eq!(wall.troubles(), told);
    }

    #[test]
    fn every_series_says_of_which_pipeline_it_is() {
        let down = State::Failed {
            why: "no model".into(),
            pause: None,
        };
        let wall = Wall(vec![
            place("a", State::Running(running())),
            place("b", down),
        ]);
        let mut registry = Registry::with_prefix("foretick");
        registry.register_collector(Box::new(wall));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let series = |line: &&str| !line.starts_with('#');
        for line in text.lines().filter(series) {
            let of = ["a", "b"].map(|name| line.contains(&format!("pipeline=\"{name}\"")));
            assert_ne!(of[0], of[1], "{line}");
        }
        for line in [
            "foretick_pipeline_up{pipeline=\"a\"} 1.0",
            "foretick_pipeline_up{pipeline=\"b\"} 0.0",
            "foretick_events_total{kind=\"trade\",pipeline=\"a\"} 0",
        ] {
            assert!(text.lines().any(|told| told == line), "{text}");
        }
        let families = text.lines().filter(|line| line.starts_with("# TYPE"));
        let mut names: Vec<&str> = families.collect();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "each family once: {text}");
    }
}
