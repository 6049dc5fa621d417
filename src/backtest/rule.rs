//! The rule: what a signal means for a position.
//!
//! Knows no prices. Looks at one signal, the position at its time, and whether an order is under way.

use super::quantity::Quantity;
use crate::instrument::InstrumentId;
use crate::signal::quality::Quality;

/// What of a signal a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// The instrument.
    pub instrument: InstrumentId,
    /// The event time of the signal, in nanoseconds.
    pub ts: i64,
    /// The signal as one number.
    pub score: f64,
    /// How far its inputs can be trusted.
    pub quality: Quality,
}

/// Which positions may be held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sides {
    /// Long and short ones.
    #[default]
    Both,
    /// Long ones.
    Long,
    /// Short ones.
    Short,
}

impl Sides {
    /// Whether a position of this sign may be held.
    fn allow(self, sign: i8) -> bool {
        match self {
            Self::Both => true,
            Self::Long => sign > 0,
            Self::Short => sign < 0,
        }
    }
}

/// How signals become positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The least |score| of a signal that opens or adds to a position.
    pub enter: f64,
    /// A position is closed at a signal whose score towards it is below this; none: not by scores.
    pub exit: Option<f64>,
    /// A position is closed so long after its last fill that increased it, in nanoseconds; none: not by time.
    pub hold_ns: Option<i64>,
    /// Whether a signal that would enter the other way reverses a position.
    pub flip: bool,
    /// The quantity of an order.
    pub size: Quantity,
    /// Whether the quantity is multiplied by |score|, at most 1.
    pub by_confidence: bool,
    /// The largest position.
    pub max_position: Quantity,
    /// Whether signals towards an open position add to it, up to the largest; else it is kept as it was
    /// filled, wholly or in part.
    pub adds: bool,
    /// Orders are whole numbers of this; zero: of any size.
    pub lot: Quantity,
    /// Which positions may be held.
    pub sides: Sides,
    /// The qualities of signals that are acted on.
    pub act_on: Vec<Quality>,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// To buy (above zero) or sell so much, to open a position or add to it.
    Add(Quantity),
    /// To have this position, whatever it is then: zero closes it.
    Become(Quantity),
}

/// Why a signal asks for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PassedOver {
    /// Its quality is not acted on.
    Quality,
    /// Its score is no number.
    Undefined,
    /// An order is under way.
    Order,
    /// Its score is too weak to enter.
    Weak,
    /// A position is open, and is kept as it is.
    Held,
    /// It asks for a position of a side that must not be held.
    Side,
    /// Its order would be smaller than a lot.
    Small,
}

impl PassedOver {
    /// The word used in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Quality => "quality",
            Self::Undefined => "undefined_score",
            Self::Order => "order_under_way",
            Self::Weak => "below_enter",
            Self::Held => "position_held",
            Self::Side => "side_not_allowed",
            Self::Small => "below_lot_size",
        }
    }
}

impl Rule {
    /// What a signal asks for, given the position at its time and whether an order is under way.
    ///
    /// # Errors
    /// Why it asks for nothing.
    pub fn decide(
        &self,
        signal: &Decision,
        position: Quantity,
        has_order: bool,
    ) -> Result<Intent, PassedOver> {
        if !self.act_on.contains(&signal.quality) {
            return Err(PassedOver::Quality);
        }
        if !signal.score.is_finite() {
            return Err(PassedOver::Undefined);
        }
        if has_order {
            return Err(PassedOver::Order);
        }
        let sign = if signal.score > 0.0 { 1 } else { -1 };
        let enters = signal.score.abs() >= self.enter;
        if position.is_zero() {
            return match enters {
                true => self.open(sign, signal.score),
                false => Err(PassedOver::Weak),
            };
        }
        let towards = signal.score * f64::from(position.sign());
        if enters && sign == -position.sign() && self.flip {
            return Ok(Intent::Become(match self.open(sign, signal.score) {
                Ok(Intent::Add(quantity) | Intent::Become(quantity)) => quantity,
                Err(_) => Quantity::ZERO,
            }));
        }
        if self.exit.is_some_and(|exit| towards < exit) {
            return Ok(Intent::Become(Quantity::ZERO));
        }
        let room = self.max_position - position.abs();
        match self.adds && enters && sign == position.sign() && room > Quantity::ZERO {
            true => self.order(sign, self.quantity(signal.score).min(room)),
            false => Err(PassedOver::Held),
        }
    }

    fn open(&self, sign: i8, score: f64) -> Result<Intent, PassedOver> {
        if !self.sides.allow(sign) {
            return Err(PassedOver::Side);
        }
        self.order(sign, self.quantity(score).min(self.max_position))
    }

    fn order(&self, sign: i8, quantity: Quantity) -> Result<Intent, PassedOver> {
        let quantity = quantity.in_lots(self.lot);
        match quantity.is_zero() {
            true => Err(PassedOver::Small),
            false => Ok(Intent::Add(quantity.towards(sign))),
        }
    }

    fn quantity(&self, score: f64) -> Quantity {
        match self.by_confidence {
            true => self.size.share(score.abs().min(1.0)),
            false => self.size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Size;

    fn quantity(text: &str) -> Quantity {
        Quantity::of(Size::parse(text.as_bytes()).unwrap())
    }

    fn rule() -> Rule {
        Rule {
            enter: 0.2,
            exit: None,
            hold_ns: Some(1),
            flip: false,
            size: quantity("2"),
            by_confidence: false,
            max_position: quantity("2"),
            adds: false,
            lot: Quantity::ZERO,
            sides: Sides::Both,
            act_on: vec![Quality::Ok],
        }
    }

    /// What `rule` says of a score while `position` is held.
    fn said(rule: &Rule, score: f64, position: &str) -> Result<Intent, PassedOver> {
        let signal = Decision {
            instrument: InstrumentId(0),
            ts: 0,
            score,
            quality: Quality::Ok,
        };
        rule.decide(&signal, quantity(position), false)
    }

    #[test]
    fn a_score_of_the_threshold_enters_and_a_weaker_one_does_not() {
        let add = |text| Ok(Intent::Add(quantity(text)));
        assert_eq!(said(&rule(), 0.2, "0"), add("2"));
        assert_eq!(said(&rule(), -0.2, "0"), add("-2"));
        assert_eq!(said(&rule(), 0.199, "0"), Err(PassedOver::Weak));
        assert_eq!(said(&rule(), f64::NAN, "0"), Err(PassedOver::Undefined));
        assert_eq!(said(&rule(), 0.9, "2"), Err(PassedOver::Held));
        assert_eq!(said(&rule(), -0.9, "2"), Err(PassedOver::Held));
    }

    #[test]
    fn a_position_is_reversed_or_closed_only_where_the_rule_says_so() {
        let become_ = |text| Ok(Intent::Become(quantity(text)));
        let flips = Rule {
            flip: true,
            ..rule()
        };
        assert_eq!(said(&flips, -0.2, "2"), become_("-2"));
        assert_eq!(said(&flips, -0.1, "2"), Err(PassedOver::Held));
        let long = Rule {
            sides: Sides::Long,
            ..flips
        };
        assert_eq!(said(&long, -0.2, "2"), become_("0"));
        assert_eq!(said(&long, -0.2, "0"), Err(PassedOver::Side));
        let exits = Rule {
            exit: Some(0.05),
            ..rule()
        };
        assert_eq!(said(&exits, 0.04, "2"), become_("0"));
        assert_eq!(said(&exits, 0.05, "2"), Err(PassedOver::Held));
        assert_eq!(said(&exits, -0.06, "-2"), Err(PassedOver::Held));
        assert_eq!(said(&exits, 0.06, "-2"), become_("0"));
    }

    #[test]
    fn a_position_that_is_filled_in_part_is_held_as_a_whole_one() {
        assert_eq!(said(&rule(), 0.9, "0.5"), Err(PassedOver::Held));
        let adds = Rule {
            adds: true,
            ..rule()
        };
        let rest = Ok(Intent::Add(quantity("1.5")));
        assert_eq!(said(&adds, 0.9, "0.5"), rest);
        assert_eq!(said(&adds, 0.1, "0.5"), Err(PassedOver::Held));
        assert_eq!(said(&adds, -0.9, "0.5"), Err(PassedOver::Held));
    }

    #[test]
    fn sizes_keep_to_confidence_lots_and_the_largest_position() {
        let add = |text| Ok(Intent::Add(quantity(text)));
        let confident = Rule {
            by_confidence: true,
            lot: quantity("0.3"),
            max_position: quantity("3"),
            adds: true,
            ..rule()
        };
        assert_eq!(said(&confident, 0.5, "0"), add("0.9"));
        assert_eq!(said(&confident, 5.0, "0"), add("1.8"));
        assert_eq!(said(&confident, 1.0, "2.5"), add("0.3"));
        assert_eq!(said(&confident, 1.0, "2.9"), Err(PassedOver::Small));
        assert_eq!(said(&confident, 1.0, "3"), Err(PassedOver::Held));
    }
}
