//! All labels of the rows of one instrument.

use std::sync::Arc;

use super::barrier::Barriers;
use super::default_within::Failures;
use super::moved::Moved;
use super::next_session::NextSession;
use super::point::LabelPoint;
use super::resolution::{Resolution, Resolved};
use super::smoothed::Smoothed;
use super::spec::{LabelKind, LabelSpec};
use super::volatility::Volatility;

/// The labels of an instrument's rows, which are numbered from 0 as they come. Each row gets one resolution
/// of each label, or none before the data end.
#[derive(Debug)]
pub struct Labels {
    name: Box<str>,
    states: Vec<State>,
}

#[derive(Debug)]
enum State {
    Moved(Moved),
    Smoothed(Smoothed),
    Barriers(Barriers),
    NextSession(NextSession),
    Volatility(Volatility),
    DefaultWithin(i64, Arc<Failures>),
}

impl Labels {
    /// No rows of an instrument yet. `failures` are those of each label of the kind
    /// [`LabelKind::DefaultWithin`], in their order.
    #[must_use]
    pub fn new(specs: &[LabelSpec], name: &str, failures: &[Arc<Failures>]) -> Self {
        let mut failures = failures.iter();
        let state = |spec: &LabelSpec| match spec.kind {
            LabelKind::Move {
                price,
                horizon,
                threshold_bps,
            } => State::Moved(Moved::new(price, horizon, threshold_bps)),
            LabelKind::Smoothed {
                price,
                horizon,
                compared,
                threshold_bps,
            } => State::Smoothed(Smoothed::new(price, horizon, compared, threshold_bps)),
            LabelKind::Barriers {
                price,
                horizon_ns,
                upper,
                lower,
            } => State::Barriers(Barriers::new(price, horizon_ns, upper, lower)),
            LabelKind::NextSession {
                price,
                session,
                threshold_bps,
            } => State::NextSession(NextSession::new(price, session, threshold_bps)),
            LabelKind::Volatility { price, horizon_ns } => {
                State::Volatility(Volatility::new(price, horizon_ns))
            }
            LabelKind::DefaultWithin { horizon_ns, .. } => {
                let failures = failures.next().map(Arc::clone);
                State::DefaultWithin(horizon_ns, failures.unwrap_or_default())
            }
        };
        Self {
            name: name.into(),
            states: specs.iter().map(state).collect(),
        }
    }

    /// Takes what an event has left; appends what is known by it of the rows before it.
    pub fn point(&mut self, point: &LabelPoint, resolutions: &mut Vec<Resolution>) {
        for (label, state) in self.states.iter_mut().enumerate() {
            let resolved = &mut Resolved::of(label, resolutions);
            match state {
                State::Moved(state) => state.point(point, resolved),
                State::Smoothed(state) => state.point(point, resolved),
                State::Barriers(state) => state.point(point, resolved),
                State::NextSession(state) => state.point(point, resolved),
                State::Volatility(state) => state.point(point, resolved),
                State::DefaultWithin(..) => {}
            }
        }
    }

    /// Takes a row with its columns, after the point of its event.
    pub fn row(
        &mut self,
        row: u64,
        point: &LabelPoint,
        cells: &[f64],
        resolutions: &mut Vec<Resolution>,
    ) {
        for (label, state) in self.states.iter_mut().enumerate() {
            let resolved = &mut Resolved::of(label, resolutions);
            match state {
                State::Moved(state) => state.row(row, point, resolved),
                State::Smoothed(state) => state.row(row, point, resolved),
                State::Barriers(state) => state.row(row, point, cells, resolved),
                State::NextSession(state) => state.row(row, point, resolved),
                State::Volatility(state) => state.row(row, point, resolved),
                State::DefaultWithin(horizon_ns, failures) => {
                    let outcome = failures.after(&self.name, point.now.0, *horizon_ns);
                    resolved.push(row, outcome);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
