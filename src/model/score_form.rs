//! What the numbers of a graph are: probabilities of classes, one probability, or a score of any size.
//!
//! Turns logits into probabilities where the configuration asks for it, and holds probabilities to what they
//! must be. Runs no model.

use std::fmt;

use super::softmax;
use crate::signal::MAX_OUTPUTS;

/// What turns the numbers of a graph into probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// Nothing: they are probabilities already, or the score is none.
    #[default]
    None,
    /// e^(x − max) / Σ over the classes.
    Softmax,
    /// 1 / (1 + e^−x) of the one number.
    Sigmoid,
}

/// How the numbers that a model gives for a window become its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreForm {
    /// Numbers that the model gives for a window, reasons not counted.
    pub given: usize,
    /// Classes; 0 for a single score. Of two classes a model may give one number, the probability of the
    /// second.
    pub classes: usize,
    /// What turns the numbers into probabilities.
    pub activation: Activation,
    /// Whether a single score must be a probability, as alerts need it.
    pub probability: bool,
}

/// Why numbers are no outputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScoreFault {
    /// One is not finite.
    Undefined,
    /// One is below 0 or above 1.
    Range(f64),
    /// They lie in 0..1, but their sum is not 1.
    Sum(f64),
}

/// How far a probability may lie outside of 0..1 because of rounding.
pub const RANGE_ROUNDING: f64 = 1e-5;
/// How far a sum may lie from 1: that of four probabilities with three decimals, or in 16-bit floats.
pub const SUM_ROUNDING: f64 = 2e-3;

impl ScoreForm {
    /// A single score of any size.
    pub const SCORE: Self = Self {
        given: 1,
        classes: 0,
        activation: Activation::None,
        probability: false,
    };

    /// Probabilities of so many classes, one number for each; a single score for none.
    #[must_use]
    pub fn of_classes(classes: usize) -> Self {
        Self {
            given: classes.max(1),
            classes,
            ..Self::SCORE
        }
    }

    /// The outputs of a window, from the numbers that the model gave for it.
    ///
    /// # Errors
    /// [`ScoreFault`] where a number is not finite, or what must be a probability is none.
    pub fn outputs(&self, given: &[f64]) -> Result<[f64; MAX_OUTPUTS], ScoreFault> {
        if !given.iter().all(|number| number.is_finite()) {
            return Err(ScoreFault::Undefined);
        }
        let mut all = [0.0; MAX_OUTPUTS];
        let outputs = &mut all[..self.classes.max(1)];
        let numbers = &mut outputs[..given.len()];
        numbers.copy_from_slice(given);
        match self.activation {
            Activation::None => {}
            Activation::Softmax => softmax(numbers),
            Activation::Sigmoid => {
                for number in &mut *numbers {
                    *number = 1.0 / (1.0 + libm::exp(-*number));
                }
            }
        }
        if self.classes == 0 && !self.probability {
            return Ok(all);
        }
        for number in &mut *numbers {
            if !(-RANGE_ROUNDING..=1.0 + RANGE_ROUNDING).contains(number) {
                return Err(ScoreFault::Range(*number));
            }
            *number = number.clamp(0.0, 1.0);
        }
        if self.classes == 2 && self.given == 1 {
            let second = all[0];
            all[..2].copy_from_slice(&[1.0 - second, second]);
            return Ok(all);
        }
        if self.classes > 0 {
            let sum = outputs.iter().fold(0.0, |sum, output| sum + output);
            if (sum - 1.0).abs() > SUM_ROUNDING {
                return Err(ScoreFault::Sum(sum));
            }
        }
        Ok(all)
    }

    /// What is wrong with the activation for a model of this form, and what to write.
    #[must_use]
    pub fn wrong_activation(&self) -> Option<String> {
        match (self.activation, self.given) {
            (Activation::Softmax, 1) => Some(
                "`softmax` needs one number for each label, but the model gives one number: write \
                 `activation = \"sigmoid\"`"
                    .into(),
            ),
            (Activation::Sigmoid, given) if given > 1 => Some(format!(
                "`sigmoid` is for a model that gives one number, but this one gives {given}: write \
                 `activation = \"softmax\"`"
            )),
            _ => None,
        }
    }

    /// The activation to propose where the numbers are no probabilities.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        if self.given > 1 { "softmax" } else { "sigmoid" }
    }
}

impl fmt::Display for ScoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undefined => f.write_str("a number is not finite"),
            Self::Range(number) => write!(f, "{number} is not between 0 and 1"),
            Self::Sum(sum) => write!(f, "their sum is {sum}, not 1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: ScoreForm = ScoreForm {
        given: 3,
        classes: 3,
        ..ScoreForm::SCORE
    };
    const TWO_OF_ONE: ScoreForm = ScoreForm {
        given: 1,
        classes: 2,
        ..ScoreForm::SCORE
    };

    #[test]
    fn probabilities_are_held_to_range_and_sum() {
        let of = |given: &[f64]| THREE.outputs(given).map(|all| all[..3].to_vec());
        assert_eq!(of(&[0.2, 0.3, 0.5]), Ok(vec![0.2, 0.3, 0.5]));
        assert_eq!(of(&[1.0, 0.0, -1e-7]), Ok(vec![1.0, 0.0, 0.0]), "rounding");
        assert_eq!(of(&[2.0, -3.0, 0.5]), Err(ScoreFault::Range(2.0)));
        assert_eq!(of(&[0.5, -0.5, 1.0]), Err(ScoreFault::Range(-0.5)));
        assert_eq!(of(&[0.5, 0.5, 0.5]), Err(ScoreFault::Sum(1.5)));
        assert!(of(&[0.1, 0.1, 0.1]).is_err());
        assert_eq!(of(&[f64::NAN, 0.5, 0.5]), Err(ScoreFault::Undefined));
    }

    #[test]
    fn a_score_of_any_size_is_one_unless_it_must_be_a_probability() {
        assert_eq!(ScoreForm::SCORE.outputs(&[-7.5]).unwrap()[0], -7.5);
        let pd = ScoreForm {
            probability: true,
            ..ScoreForm::SCORE
        };
        assert_eq!(pd.outputs(&[1.5]), Err(ScoreFault::Range(1.5)));
        assert_eq!(pd.outputs(&[0.25]).unwrap()[0], 0.25);
    }

    #[test]
    fn one_number_is_the_probability_of_the_second_of_two() {
        assert_eq!(TWO_OF_ONE.outputs(&[0.25]).unwrap()[..2], [0.75, 0.25]);
        let logit = ScoreForm {
            activation: Activation::Sigmoid,
            ..TWO_OF_ONE
        };
        let of = logit.outputs(&[3.0]).unwrap();
        assert!((of[1] - 1.0 / (1.0 + libm::exp(-3.0))).abs() < 1e-15);
        assert_eq!(of[0] + of[1], 1.0);
        assert_eq!(TWO_OF_ONE.outputs(&[3.0]), Err(ScoreFault::Range(3.0)));
    }

    #[test]
    fn logits_become_probabilities() {
        let logits = ScoreForm {
            activation: Activation::Softmax,
            ..THREE
        };
        let of = logits.outputs(&[1.0, 2.0, 4.0]).unwrap();
        let sum: f64 = [1.0, 2.0, 4.0].map(libm::exp).iter().sum();
        for (output, logit) in of.iter().zip([1.0, 2.0, 4.0]) {
            assert!((output - libm::exp(logit) / sum).abs() < 1e-15);
        }
        let one = ScoreForm {
            given: 1,
            classes: 2,
            ..logits
        };
        assert!(one.wrong_activation().unwrap().contains("\"sigmoid\""));
        assert_eq!(logits.wrong_activation(), None);
    }
}
