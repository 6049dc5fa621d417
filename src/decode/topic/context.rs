//! Economic figures, and the sentiment of headlines, of a topic record.

use super::wire::{AVERAGE_NAMES, TopicAverage, TopicRecord};
use crate::decode::error::DecodeError;
use crate::decode::field::parse_fields;
use crate::event::{Figure, Sentiment};

pub(super) fn figure(record: &TopicRecord<'_>, figures: &[String]) -> Result<Figure, DecodeError> {
    let name = record.figure.text("figure")?;
    let value = record.value.float("value")?;
    let index = figures.iter().position(|known| known == name);
    let figure = index.ok_or(DecodeError::OtherFigure)? as u16;
    Ok(Figure { figure, value })
}

pub(super) fn sentiment(record: &TopicRecord<'_>) -> Result<Sentiment, DecodeError> {
    let raw = record.sentiment.needed("sentiment")?.as_raw_str();
    if !raw.starts_with('{') {
        return Err(DecodeError::WrongType("sentiment"));
    }
    let wire: TopicAverage<'_> = parse_fields(raw.as_bytes(), &AVERAGE_NAMES)?;
    let (average, weight) = (wire.average.float("average")?, wire.weight.float("weight")?);
    let half_life_ms = wire.half_life_ms.integer("half_life_ms")?;
    if !(-1.0..=1.0).contains(&average) {
        return Err(DecodeError::OutOfRange("average"));
    }
    if weight < 0.0 {
        return Err(DecodeError::OutOfRange("weight"));
    }
    if half_life_ms <= 0 {
        return Err(DecodeError::OutOfRange("half_life_ms"));
    }
    Ok(Sentiment {
        average,
        weight,
        half_life: half_life_ms.saturating_mul(1_000_000),
    })
}
