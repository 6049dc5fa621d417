//! What an operator watches: `/metrics` for Prometheus, `/healthz`, `/readyz`, on loopback by default.
//!
//! Reads the figures of workers and sources; changes nothing. Names are in base units. One server serves all
//! pipelines of the process.

mod figures;
mod frame_counts;
mod frames;
mod histograms;
mod pipelines;
mod running;
mod source_figures;
mod text_format;
mod totals;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::runtime::Runtime;

pub use self::frame_counts::LastFrameCounts;
pub use self::pipelines::{PipelineState, PipelineStatus, ProcessStatus};
pub use self::running::RunningPipeline;
use self::text_format::{CONTENT_TYPE, text_format};

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
     `--set metrics.listen=127.0.0.1:0`, or serve no metrics with an empty one"
)]
pub struct MetricsError {
    listen: String,
    cause: String,
}

impl Server {
    /// Serves until the runtime ends. Serves nothing where `listen` is empty.
    ///
    /// # Errors
    /// [`MetricsError`] where `listen` is no address, or the address is taken.
    pub fn start(
        listen: &str,
        statuses: ProcessStatus,
        runtime: &Runtime,
    ) -> Result<Option<Self>, MetricsError> {
        if listen.is_empty() {
            return Ok(None);
        }
        let failed = |cause: String| MetricsError {
            listen: listen.to_owned(),
            cause,
        };
        let address: SocketAddr = listen
            .parse()
            .map_err(|_| failed("this is no address".into()))?;
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(address))
            .map_err(|cause| failed(cause.to_string()))?;
        let address = listener
            .local_addr()
            .map_err(|cause| failed(cause.to_string()))?;
        let router = router(statuses);
        runtime.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::warn!(%error, "the metrics server ended");
            }
        });
        tracing::info!(%address, "metrics at /metrics, health at /healthz and /readyz");
        Ok(Some(Self { address }))
    }
}

fn router(statuses: ProcessStatus) -> Router {
    let (alive, ready) = (statuses.clone(), statuses.clone());
    let mut registry = Registry::with_prefix("foretick");
    registry.register_collector(Box::new(statuses));
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
    (
        status,
        [(header::CONTENT_TYPE, CONTENT_TYPE)],
        text_format(&text),
    )
}

/// Healthy while the process answers: the failure of one pipeline must not end the others.
async fn health(statuses: ProcessStatus) -> String {
    match statuses.0.len() {
        1 => "ok\n".into(),
        _ => format!("ok\n{}", statuses.problems()),
    }
}

/// Ready while the sources and the sinks of all pipelines deliver.
async fn readiness(statuses: ProcessStatus) -> (StatusCode, String) {
    let problems = statuses.problems();
    if problems.is_empty() {
        (StatusCode::OK, "ready\n".into())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, problems)
    }
}
