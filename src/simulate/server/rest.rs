//! The REST answers: ping, time and the snapshot of an order book.
//!
//! Errors have the venue's codes and texts. Counts no weights and bans no client.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::routing::get;
use serde::Deserialize;

use super::{ExchangeState, SnapshotFault, lock, millis};
use crate::clock;

/// The paths below `/api/v3`.
pub(super) fn routes() -> Router<Arc<ExchangeState>> {
    Router::new()
        .route("/api/v3/ping", get(async || json(StatusCode::OK, "{}")))
        .route("/api/v3/time", get(time))
        .route("/api/v3/depth", get(depth))
}

#[derive(Debug, Deserialize)]
struct DepthQuery {
    symbol: Option<String>,
    limit: Option<String>,
}

type Json = (StatusCode, [(HeaderName, &'static str); 1], String);

async fn time() -> Json {
    let now = millis(clock::now());
    json(StatusCode::OK, format!(r#"{{"serverTime":{now}}}"#))
}

async fn depth(State(state): State<Arc<ExchangeState>>, Query(query): Query<DepthQuery>) -> Json {
    let Some(symbol) = query.symbol.filter(|symbol| !symbol.is_empty()) else {
        return json(StatusCode::BAD_REQUEST, NO_SYMBOL);
    };
    let limit = query.limit.map_or(Ok(DEFAULT_LIMIT), |text| text.parse());
    let Ok(limit) = limit.map(|limit: usize| limit.min(LARGEST_LIMIT)) else {
        return json(StatusCode::BAD_REQUEST, BAD_LIMIT);
    };
    let Some(mut snapshot) = lock(&state.market).snapshot(&symbol, limit) else {
        return json(StatusCode::BAD_REQUEST, UNKNOWN_SYMBOL);
    };
    match state.next_fault(&symbol) {
        None => {}
        Some(SnapshotFault::Forbidden) => return json(StatusCode::FORBIDDEN, "{}"),
        Some(SnapshotFault::Padded(bytes)) => {
            let padding = format!(r#"{{"padding":"{}","#, "x".repeat(bytes));
            snapshot.replace_range(..1, &padding);
        }
    }
    json(StatusCode::OK, snapshot)
}

fn json(status: StatusCode, text: impl Into<String>) -> Json {
    (status, [(CONTENT_TYPE, "application/json")], text.into())
}

/// Levels a side, when the client does not say, and at most.
const DEFAULT_LIMIT: usize = 100;
const LARGEST_LIMIT: usize = 5_000;

const UNKNOWN_SYMBOL: &str = r#"{"code":-1121,"msg":"Invalid symbol."}"#;
const NO_SYMBOL: &str = r#"{"code":-1102,"msg":"Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."}"#;
const BAD_LIMIT: &str = r#"{"code":-1100,"msg":"Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'."}"#;
