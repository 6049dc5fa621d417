//! Why a message of a described feed is none of the kinds that are described, for people.

use super::mapping::{EventMapping, Fields, Mapping};
use super::pointer::EventPlace;

/// The beginning of a message, and of each kind of event the first thing that it is not.
pub(super) fn why_unknown(mapping: &Mapping, place: EventPlace<'_>) -> Option<String> {
    let shown = String::from_utf8_lossy(place.message.0);
    let kinds = mapping.kinds.iter();
    let kinds: Vec<String> = kinds.filter_map(|kind| why_not(kind, place)).collect();
    (!kinds.is_empty()).then(|| {
        let shown: String = shown.chars().take(SHOWN).collect();
        format!("{shown}\n  {}", kinds.join("\n  "))
    })
}

/// Why no event of this kind is in a message.
fn why_not(kind: &EventMapping, place: EventPlace<'_>) -> Option<String> {
    let name = match kind.fields {
        Fields::Trade(_) => "trade",
        Fields::Quote(_) => "quote",
        Fields::Book(_) => "book",
    };
    let mut events = vec![];
    match &kind.events {
        Some(pointer) => pointer.collect(place.message, &mut events),
        None => events.push(place.message),
    }
    let why = match (&kind.events, events.first()) {
        (Some(pointer), None) => format!("`{}` holds no events", pointer.written()),
        (None, None) => return None,
        (_, Some(&event)) => kind.when.unmet(EventPlace { event, ..place })?,
    };
    Some(format!("it is no {name}: {why}"))
}

/// Letters of a message that are shown.
const SHOWN: usize = 200;
