//! The venues that are known. A new venue is one line here.

use super::alpaca::Alpaca;
use super::binance;
use super::bybit::Bybit;
use super::coinbase::Coinbase;
use super::control;
use super::kraken::Kraken;
use super::okx::Okx;
use super::venue::{BookUpdates, Venue};
use crate::frame::binary::is_binary;
use crate::frame::packed::is_packed;
use crate::frame::split_stamp;

/// All venues. Where several recognise a message, the first one reads it.
const REGISTERED: &[&dyn Venue] = &[
    &binance::SPOT,
    &binance::USDM,
    &Bybit,
    &Coinbase,
    &Kraken,
    &Okx,
    &Alpaca,
];

/// The venues that a decoder or a symbol finder knows.
#[derive(Clone, Debug)]
pub struct Venues(Vec<&'static dyn Venue>);

/// Whose a host is.
#[derive(Clone, Copy, Debug)]
pub enum HostOwner {
    /// It has the feed of this venue.
    Feed(&'static dyn Venue),
    /// It belongs to this venue and has something else, which is not read.
    Other(&'static dyn Venue, &'static str),
    /// Nobody's that is known.
    Unknown,
}

impl Default for Venues {
    /// The registered ones.
    fn default() -> Self {
        Self(REGISTERED.to_vec())
    }
}

impl Venues {
    /// The same, those with these names first.
    #[must_use]
    pub fn preferring<'n>(self, names: impl Iterator<Item = &'n str>) -> Self {
        let names: Vec<&str> = names.collect();
        let (mut first, others): (Vec<_>, Vec<_>) = self
            .0
            .into_iter()
            .partition(|venue| names.contains(&venue.name()));
        first.extend(others);
        Self(first)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &'static dyn Venue> {
        self.0.iter().copied()
    }

    /// These, and one more.
    #[must_use]
    pub fn with(mut self, venue: &'static dyn Venue) -> Self {
        self.0.push(venue);
        self
    }

    /// The venue with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&'static dyn Venue> {
        self.0.iter().copied().find(|venue| venue.name() == name)
    }

    /// Whose host this is: of the venue that knows the longest name that it ends in.
    #[must_use]
    pub fn owner_of(&self, host: &str) -> HostOwner {
        let mut owner = (0, HostOwner::Unknown);
        for venue in self.all() {
            let (own, other) = venue.hosts().matching(host);
            if own > owner.0 {
                owner = (own, HostOwner::Feed(venue));
            }
            if let Some((length, what)) = other
                && length > owner.0
            {
                owner = (length, HostOwner::Other(venue, what));
            }
        }
        owner.1
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|venue| venue.name())
    }

    /// The messages of which a frame is made, as [`Venue::split`] tells them, each behind the frame's receive
    /// time; empty where it is one message. A frame that a capture holds in base64 is seen as it came.
    #[must_use]
    pub fn split(&self, frame: &[u8]) -> Vec<Vec<u8>> {
        if is_packed(frame) {
            return vec![];
        }
        let message = split_stamp(frame).1;
        let head = &frame[..frame.len() - message.len()];
        if control::is_partly_lost(message) {
            return vec![];
        }
        let unwrapped = control::unwrapped(message).and_then(Result::ok);
        let message = unwrapped.as_deref().unwrap_or(message);
        if !message.trim_ascii_start().starts_with(b"[") && !is_binary(message) {
            return vec![];
        }
        let split = self.0.iter().map(|venue| venue.split(message));
        let mut messages = split.into_iter().find(|messages| !messages.is_empty());
        for message in messages.iter_mut().flatten() {
            message.splice(..0, head.iter().copied());
        }
        messages.unwrap_or_default()
    }

    /// The book updates in a message, and the venue whose message it is.
    pub(super) fn updates_of<'m>(
        &self,
        message: &'m [u8],
    ) -> Option<(&'static dyn Venue, BookUpdates<'m>)> {
        let mut venues = self.0.iter().copied();
        venues.find_map(|venue| Some((venue, venue.updates_of(message)?)))
    }

    /// Whether a message without a symbol is about several: see [`Venue::names_several`].
    #[must_use]
    pub fn name_several(&self, message: &[u8]) -> bool {
        self.0.iter().any(|venue| venue.names_several(message))
    }

    /// Why a message is none that is read, for people: see [`Venue::why_unknown`].
    #[must_use]
    pub fn why_unknown(&self, message: &[u8]) -> Option<String> {
        self.all().find_map(|venue| venue.why_unknown(message))
    }

    /// The venue whose message this is.
    #[must_use]
    pub fn recognise(&self, message: &[u8]) -> Option<&'static dyn Venue> {
        self.0
            .iter()
            .copied()
            .find(|venue| venue.recognises(message))
    }
}
