//! Economic figures, and the sentiment of headlines, of a topic record.

use super::wire::{TopicAverage, TopicRecord};
use crate::decode::error::DecodeError;
use crate::event::{Figure, Sentiment};

pub(super) fn figure(
    name: &str,
    record: &TopicRecord<'_>,
    figures: &[String],
) -> Result<Figure, DecodeError> {
    let value = record.value.ok_or(DecodeError::WrongShape)?;
    let index = figures.iter().position(|known| known == name);
    let figure = index.ok_or(DecodeError::OtherFigure)? as u16;
    Ok(Figure { figure, value })
}

pub(super) fn sentiment(average: &TopicAverage) -> Result<Sentiment, DecodeError> {
    if !(-1.0..=1.0).contains(&average.average) {
        return Err(DecodeError::OutOfRange("average"));
    }
    if !(average.weight >= 0.0 && average.weight.is_finite()) {
        return Err(DecodeError::OutOfRange("weight"));
    }
    if average.half_life_ms <= 0 {
        return Err(DecodeError::OutOfRange("half_life_ms"));
    }
    Ok(Sentiment {
        average: average.average,
        weight: average.weight,
        half_life: average.half_life_ms.saturating_mul(1_000_000),
    })
}
