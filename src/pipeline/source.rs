//! The settings of a pipeline's source: websocket, Kafka, tables.

use std::time::Duration;

use crate::config::{
    ConfigFault, KafkaConfig, PipelineFile, SourceConfig, SourceKind, StartOffset, TableConfig,
};
use crate::decode::venue::Venue;
use crate::decode::venues::Venues;
use crate::source::kafka::KafkaSourceSettings;
use crate::source::table::ColumnNames;
use crate::source::websocket::WebsocketSettings;

/// The names of the streams that frames come from: the address of a websocket, or the topics.
pub(super) fn stream_names(source: &SourceConfig) -> Vec<String> {
    match source.kind {
        SourceKind::Websocket => {
            let settings = websocket(source);
            vec![settings.map_or(String::new(), |settings| settings.url)]
        }
        SourceKind::Kafka => source.topics.clone(),
    }
}

/// The settings of the venue's feed.
///
/// # Errors
/// Where the instruments are not of one known venue.
pub(super) fn websocket(source: &SourceConfig) -> Result<WebsocketSettings, ConfigFault> {
    let (venue, symbols) = venue_and_symbols(&source.instruments, &Venues::default())
        .map_err(|what| ConfigFault::at("source.instruments", what))?;
    let mut settings = WebsocketSettings {
        symbols,
        message_bytes_max: source.max_frame_bytes,
        idle: Duration::from_millis(source.websocket.idle_ms),
        ..WebsocketSettings::new(venue)
    };
    if let Some(url) = &source.websocket.url {
        settings.url.clone_from(url);
    }
    if let Some(rest) = &source.websocket.rest {
        settings.rest = Some(rest.clone()).filter(|rest| !rest.is_empty());
    }
    if !source.websocket.streams.is_empty() {
        settings.streams.clone_from(&source.websocket.streams);
    }
    Ok(settings)
}

/// The venue that the names of the instruments end in, and their symbols there.
fn venue_and_symbols(
    instruments: &[String],
    venues: &Venues,
) -> Result<(&'static dyn Venue, Vec<String>), String> {
    let split = |name: &String| {
        let (symbol, venue) = name.split_once('.').unwrap_or((name, ""));
        (symbol.to_owned(), venue.to_owned())
    };
    let (symbols, mut names): (Vec<_>, Vec<_>) = instruments.iter().map(split).unzip();
    names.dedup();
    let [name] = names.as_slice() else {
        return Err(match names.first() {
            None => {
                "a websocket needs `instruments`: the symbols to subscribe to, as BTCUSDT.BINANCE"
                    .into()
            }
            Some(_) => format!(
                "a websocket reads one venue, but `instruments` names several ({}); make a pipeline for each",
                names.join(", ")
            ),
        });
    };
    let Some(venue) = venues.named(name) else {
        let known: Vec<&str> = venues.names().collect();
        return Err(format!(
            "`instruments` names the venue `{name}`, which has no websocket here; write SYMBOL.VENUE with one \
             of: {}",
            known.join(", ")
        ));
    };
    Ok((venue, symbols))
}

/// The settings of the Kafka consumer; with `until_end` it ends where the topics ended at the start.
pub(super) fn kafka(file: &PipelineFile, until_end: bool) -> KafkaSourceSettings {
    let (source, kafka) = (&file.source, &file.kafka);
    KafkaSourceSettings {
        bootstrap: bootstrap(kafka),
        topics: source.topics.clone(),
        group: kafka.group.clone().unwrap_or_else(|| file.name.clone()),
        from_beginning: source.start == StartOffset::Earliest || until_end,
        // The embedded broker keeps no timestamps.
        rebuild: (source.rebuild_ms > 0 && !kafka.embedded)
            .then(|| Duration::from_millis(source.rebuild_ms)),
        stop_at_end: until_end,
        embedded: kafka.embedded,
        properties: kafka.properties.clone(),
        ..KafkaSourceSettings::default()
    }
}

/// Kafka's address: of the configuration, else of the environment, else the default.
pub(super) fn bootstrap(kafka: &KafkaConfig) -> String {
    let environment = || {
        std::env::var("KAFKA_BOOTSTRAP")
            .ok()
            .filter(|text| !text.is_empty())
    };
    let written = kafka.bootstrap.clone();
    written
        .or_else(environment)
        .unwrap_or_else(|| "127.0.0.1:9092".into())
}

/// The columns of a table that are no fields of a record.
pub(super) fn column_names(table: &TableConfig) -> ColumnNames {
    ColumnNames {
        key: table.key.clone(),
        period: table.period.clone(),
        ts_event: table.ts_event.clone(),
        outcome: table.outcome.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_websocket_reads_one_known_venue() {
        let of = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            venue_and_symbols(&names, &Venues::default())
                .map(|(venue, symbols)| (venue.name(), symbols))
        };
        let (venue, symbols) = of(&["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"]).unwrap();
        assert_eq!(
            (venue, symbols.join(" ")),
            ("BINANCE", "BTCUSDT ETHUSDT".into())
        );
        for (names, word) in [
            (&[][..], "needs `instruments`"),
            (&["BTCUSDT"], "one of: BINANCE"),
            (&["BTCUSDT.NOWHERE"], "`NOWHERE`"),
            (&["BTCUSDT.BINANCE", "X.OTHER"], "BINANCE, OTHER"),
        ] {
            let error = of(names).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
