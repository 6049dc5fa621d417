//! Headlines about the simulated instruments, and what they do to prices: one that is good or bad moves its
//! instrument's efficient price over the seconds after it.
//!
//! Every house, survey and board in them is made up. Headlines of one instrument come once every
//! [`MarketSettings::news_s`] seconds on average, with waits drawn exponentially; two in five are good, two
//! in five bad, one in five neither. A good one moves the price up by [`MOVE`] times the deviation of a
//! one-second return, in shares that decay over [`LASTS_S`] seconds; a bad one moves it down as far. Takers
//! trade in its direction, too.

use std::fmt;

use super::random::Random;
use super::{Listing, MarketSettings, NANOS_PER_SECOND};
use crate::units::Nanos;

/// A headline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// When it is published.
    pub ts: Nanos,
    /// Its number among those of its instrument, from 0.
    pub number: u64,
    /// The instrument's symbol.
    pub symbol: String,
    /// The headline itself.
    pub text: String,
    /// Whether it is good or bad.
    pub tone: Tone,
}

/// What a headline means for the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Bad.
    Bearish,
    /// Neither.
    Neutral,
    /// Good.
    Bullish,
}

/// The headlines of one instrument, one after the other. Equal settings give equal headlines, so that the
/// market and the publisher of the headlines share no state.
#[derive(Clone, Debug)]
pub(super) struct HeadlineSource {
    random: Random,
    symbol: String,
    mean_s: f64,
    number: u64,
    next: Nanos,
}

/// The headlines of all instruments, in the order of their times.
#[derive(Clone, Debug)]
pub struct Newsroom {
    of_instruments: Vec<HeadlineSource>,
}

impl Newsroom {
    /// The headlines that move the market of these settings; none without `news_s`.
    #[must_use]
    pub fn new(settings: &MarketSettings) -> Self {
        let listings = settings.instruments.iter();
        Self {
            of_instruments: listings
                .filter_map(|l| HeadlineSource::of(l, settings))
                .collect(),
        }
    }

    /// The next headline of all instruments, if it is due by `until`.
    pub fn next_by(&mut self, until: Nanos) -> Option<Headline> {
        let next = self.of_instruments.iter_mut().min_by_key(|of| of.next)?;
        next.next_by(until)
    }
}

impl HeadlineSource {
    /// The headlines of an instrument; none without `news_s`.
    pub(super) fn of(listing: &Listing, settings: &MarketSettings) -> Option<Self> {
        let mut random = Random::new(settings.seed, &format!("{} news", listing.symbol));
        let mean_s = settings.news_s?;
        let first = wait(&mut random, mean_s);
        Some(Self {
            random,
            symbol: listing.symbol.clone(),
            mean_s,
            number: 0,
            next: Nanos(settings.start.0 + first),
        })
    }

    /// The next headline, if it is due by `until`.
    pub(super) fn next_by(&mut self, until: Nanos) -> Option<Headline> {
        if self.next > until {
            return None;
        }
        let (ts, number) = (self.next, self.number);
        let tone = match self.random.below(5) {
            0 | 1 => Tone::Bullish,
            2 | 3 => Tone::Bearish,
            _ => Tone::Neutral,
        };
        let texts: &[&str] = match tone {
            Tone::Bearish => &BEARISH,
            Tone::Neutral => &NEUTRAL,
            Tone::Bullish => &BULLISH,
        };
        let text = texts[self.random.below(texts.len())].replace("{}", &self.symbol);
        self.next = Nanos(ts.0 + wait(&mut self.random, self.mean_s));
        self.number += 1;
        Some(Headline {
            ts,
            number,
            symbol: self.symbol.clone(),
            text,
            tone,
        })
    }
}

fn wait(random: &mut Random, mean_s: f64) -> i64 {
    1 + (random.exponential(mean_s) * NANOS_PER_SECOND) as i64
}

impl Tone {
    /// The sign of the move.
    pub(super) fn sign(self) -> f64 {
        match self {
            Self::Bearish => -1.0,
            Self::Neutral => 0.0,
            Self::Bullish => 1.0,
        }
    }
}

/// The label that a classifier of sentiment gives it.
impl fmt::Display for Tone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearish => "bearish",
            Self::Neutral => "neutral",
            Self::Bullish => "bullish",
        })
    }
}

/// How far a headline moves the price in all, in deviations of a one-second return.
pub(super) const MOVE: f64 = 25.0;
/// The time in which two thirds of that have come.
pub(super) const LASTS_S: f64 = 8.0;

const BULLISH: [&str; 8] = [
    "{} upgraded to buy from hold at Examplebank, price target raised",
    "{} rallies as Made-Up Survey shows demand at a record high",
    "{} jumps after Fictional Holdings reports earnings far above estimates",
    "{} soars to all-time high on strong growth",
    "Placeholder Capital raises its outlook for {} and adds to its position",
    "{} gains as Board of Nowhere approves it, analysts turn bullish",
    "{} surges: profit beats expectations, guidance raised",
    "Imaginary Partners starts {} at outperform, sees 40% upside",
];
const BEARISH: [&str; 8] = [
    "{} downgraded to sell at Examplebank, price target cut",
    "{} slumps as Made-Up Survey shows demand at a record low",
    "{} plunges after Fictional Holdings misses earnings estimates and cuts its guidance",
    "{} falls to 52-week low on weak outlook",
    "Placeholder Capital warns of losses in {} and sells its position",
    "{} drops as Board of Nowhere opens an investigation, analysts turn bearish",
    "{} tumbles: loss widens, guidance withdrawn",
    "Imaginary Partners cuts {} to underperform, sees 40% downside",
];
const NEUTRAL: [&str; 4] = [
    "{} to be discussed at the annual meeting of Examplebank on Tuesday",
    "Made-Up Survey on {} will be published next week",
    "Fictional Holdings names a new head of its {} desk",
    "{}: a look at the week ahead",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::Market;

    fn settings(news_s: Option<f64>) -> MarketSettings {
        MarketSettings {
            news_s,
            ..MarketSettings::default()
        }
    }

    #[test]
    fn headlines_come_in_order_and_at_the_configured_rate() {
        let settings = settings(Some(10.0));
        let until = Nanos(settings.start.0 + 10_000 * NANOS_PER_SECOND as i64);
        let mut room = Newsroom::new(&settings);
        let all: Vec<Headline> = std::iter::from_fn(|| room.next_by(until)).collect();
        // Four instruments, once in ten seconds each.
        assert!((3_800..4_200).contains(&all.len()), "{}", all.len());
        assert!(all.is_sorted_by_key(|headline| headline.ts));
        for (tone, share) in [
            (Tone::Bullish, 0.4),
            (Tone::Bearish, 0.4),
            (Tone::Neutral, 0.2),
        ] {
            let found = all.iter().filter(|one| one.tone == tone).count() as f64;
            assert!(
                (found / all.len() as f64 - share).abs() < 0.03,
                "{tone}: {found}"
            );
        }
        assert!(all.iter().all(|one| one.text.contains(&one.symbol)));
    }

    /// Mean move of the price in the twenty seconds after headlines, in basis points, by their tone.
    #[test]
    fn prices_follow_headlines() {
        let settings = settings(Some(60.0));
        let (mut market, mut messages) = (Market::new(&settings).unwrap(), vec![]);
        let mut room = Newsroom::new(&settings);
        let end = Nanos(settings.start.0 + 600 * NANOS_PER_SECOND as i64);
        let heard: Vec<Headline> = std::iter::from_fn(|| room.next_by(end)).collect();
        market.advance(end, &mut messages);
        let price = |symbol: &str, at: i64| -> f64 {
            let of = settings.instruments.iter().position(|l| l.symbol == symbol);
            let of_trade = |m: &&crate::simulate::Message| {
                Some(m.instrument) == of && m.ts.0 <= at && m.data().contains("\"e\":\"trade\"")
            };
            let last = messages.iter().rfind(of_trade).expect("there was a trade");
            let data: serde_json::Value = serde_json::from_str(last.data()).unwrap();
            data["p"].as_str().unwrap().parse().unwrap()
        };
        let mut moves = [(0.0, 0.0); 2];
        let second = NANOS_PER_SECOND as i64;
        for one in heard.iter().filter(|one| one.tone != Tone::Neutral) {
            let (from, to) = (one.ts.0, one.ts.0 + 20 * second);
            if from < settings.start.0 + 5 * second || to > end.0 {
                continue;
            }
            let change = (price(&one.symbol, to) / price(&one.symbol, from) - 1.0) * 1e4;
            let of = &mut moves[usize::from(one.tone == Tone::Bullish)];
            *of = (of.0 + change, of.1 + 1.0);
        }
        let [bad, good] = moves.map(|(sum, count)| sum / count);
        assert!(
            good > 8.0 && bad < -8.0,
            "{good} bp after good, {bad} bp after bad"
        );
    }
}
