//! All that the engine holds: one state an instrument, and what instruments share.
//!
//! A state is plain data. Written out and read back it goes on as if nothing had happened; it must be read
//! with the same features, the same model, and the same rules for late events.

use serde::{Deserialize, Serialize};

use super::feature::{FeaturePlan, FeatureState};
use super::past::{Published, RecentPast, RowState};
use super::period::CompanyState;
use super::row::{Figures, MarketState};
use super::row_window::RowWindow;
use crate::instrument::InstrumentId;
use crate::model::normalise::Expanding;
use crate::model::slide::state::{SlideState, SlideStates};
use crate::news::average::ItemScores;

/// The state of an engine.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct EngineState {
    /// One state an instrument.
    pub instruments: InstrumentStates,
    /// Economic figures, which all instruments share.
    pub(super) figures: Figures,
}

/// The states of all instruments of a shard, by their numbers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct InstrumentStates {
    states: Vec<Option<Box<InstrumentState>>>,
    held: usize,
}

/// All that one instrument, company or applicant holds.
///
/// What every event touches comes first.
#[derive(Debug, Serialize, Deserialize)]
#[repr(C)]
pub struct InstrumentState {
    /// Windows and values of its features.
    pub(super) features: FeatureState,
    /// Running mean and variance of its rows.
    pub(super) normaliser: Expanding,
    /// Its last rows and their qualities.
    pub(super) window: RowWindow,
    /// Where windows are slid: those in flight.
    pub(super) slide: Option<Box<SlideState>>,
    /// Its book, its best bid and offer, and its time.
    pub(super) market: MarketState,
    /// Of a company: its last reporting periods.
    pub(super) company: CompanyState,
    /// Of news: the scores of its headlines.
    pub(super) scores: ItemScores,
    /// Where signals are corrected: its last events.
    pub(super) past: Option<Box<RecentPast>>,
}

impl InstrumentState {
    fn new(plan: &FeaturePlan) -> Self {
        Self {
            features: FeatureState::new(plan),
            normaliser: Expanding::default(),
            window: RowWindow::default(),
            slide: None,
            market: MarketState::default(),
            company: CompanyState::default(),
            scores: ItemScores::default(),
            past: None,
        }
    }

    /// What rows and windows are made of.
    pub(super) fn row_state(&self) -> RowState {
        RowState {
            market: self.market.clone(),
            features: self.features.clone(),
            normaliser: self.normaliser.clone(),
            window: self.window.clone(),
        }
    }

    /// Goes on from another state.
    pub(super) fn set_row_state(&mut self, state: RowState) {
        RowState {
            market: self.market,
            features: self.features,
            normaliser: self.normaliser,
            window: self.window,
        } = state;
    }

    /// What was published last of an event of the past.
    pub(super) fn published(&mut self, slot: u32) -> Option<&mut Option<Published>> {
        self.past.as_mut().map(|past| past.published(slot))
    }
}

/// For [`super::cache`]: each reads from cache lines that the one before has named.
impl InstrumentState {
    pub(super) fn touch(&self) -> u64 {
        self.features.touch() ^ self.window.rows() ^ self.market.touch()
    }

    pub(super) fn touch_parts(&self) -> u64 {
        self.features.touch_parts() ^ self.normaliser.touch() ^ self.window.touch()
    }

    pub(super) fn touch_entries(&self) -> u64 {
        self.features.touch_entries()
    }
}

impl InstrumentStates {
    /// Instruments that hold a state.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held
    }

    /// Whether no instrument holds a state.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Frees the state of an instrument. Its next event finds it without any past.
    pub fn evict(&mut self, instrument: InstrumentId) {
        let state = self.states.get_mut(instrument.index());
        self.held -= usize::from(state.and_then(Option::take).is_some());
    }

    /// The instruments that hold a state.
    pub fn ids(&self) -> impl Iterator<Item = InstrumentId> {
        let numbered = self.states.iter().enumerate();
        numbered.filter_map(|(at, state)| state.as_ref().map(|_| InstrumentId(at as u32)))
    }

    /// Gives an instrument a state that was saved, in place of the one that it has.
    pub(super) fn adopt(&mut self, instrument: InstrumentId, state: Box<InstrumentState>) {
        let at = instrument.index();
        if at >= self.states.len() {
            self.states.resize_with(at + 1, || None);
        }
        self.held += usize::from(self.states[at].is_none());
        self.states[at] = Some(state);
    }

    pub(super) fn state(&self, instrument: InstrumentId) -> Option<&InstrumentState> {
        self.states.get(instrument.index())?.as_deref()
    }

    pub(super) fn state_mut(&mut self, instrument: InstrumentId) -> Option<&mut InstrumentState> {
        self.states.get_mut(instrument.index())?.as_deref_mut()
    }

    /// The state of an instrument, made if it has none.
    pub(super) fn state_or_new(
        &mut self,
        instrument: InstrumentId,
        plan: &FeaturePlan,
    ) -> &mut InstrumentState {
        let at = instrument.index();
        if at >= self.states.len() {
            self.states.resize_with(at + 1, || None);
        }
        let state = &mut self.states[at];
        if state.is_none() {
            self.held += 1;
        }
        state.get_or_insert_with(|| Box::new(InstrumentState::new(plan)))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &InstrumentState> {
        self.states.iter().filter_map(Option::as_deref)
    }

    pub(super) fn iter_mut(
        &mut self,
    ) -> impl Iterator<Item = (InstrumentId, &mut InstrumentState)> {
        let numbered = self.states.iter_mut().enumerate();
        numbered.filter_map(|(at, state)| Some((InstrumentId(at as u32), state.as_deref_mut()?)))
    }
}

/// The engine makes an instrument's state before it requests a window of it.
impl SlideStates for InstrumentStates {
    fn slot(&mut self, key: usize) -> &mut Option<Box<SlideState>> {
        let state = self.states[key].as_deref_mut();
        &mut state.expect("its row made the state").slide
    }

    fn find(&mut self, key: usize) -> Option<&mut SlideState> {
        let state = self.states.get_mut(key)?.as_deref_mut()?;
        state.slide.as_deref_mut()
    }
}
