//! The settings of a pipeline's source: websocket, Kafka, tables.

use std::collections::BTreeMap;
use std::time::Duration;

use super::addresses;
use super::credentials::credentials;
use super::hours;
use crate::config::{
    ConfigFault, KafkaConfig, PipelineFile, RowOn, SourceConfig, SourceKind, StartOffset,
    TableConfig,
};
use crate::decode::AHEAD_NS;
use crate::decode::venue::Venue;
use crate::decode::venues::Venues;
use crate::source::kafka::KafkaSourceSettings;
use crate::source::table::ColumnNames;
use crate::source::websocket::WebsocketSettings;

/// The names of the streams that frames come from: the address of a websocket, or the topics.
///
/// # Errors
/// Where the instruments of a websocket are not of one known venue, or those of topics are not spelt as
/// their venue spells them.
pub(super) fn stream_names(
    source: &SourceConfig,
    venues: &Venues,
) -> Result<Vec<String>, ConfigFault> {
    match source.kind {
        SourceKind::Websocket => Ok(vec![websocket(source, venues)?.url]),
        SourceKind::Kafka => {
            check_spelling(source, venues)?;
            Ok(source.topics.clone())
        }
    }
}

/// The settings of the venue's feed.
///
/// # Errors
/// Where the instruments are not of one known venue.
pub(super) fn websocket(
    source: &SourceConfig,
    venues: &Venues,
) -> Result<WebsocketSettings, ConfigFault> {
    let (venue, symbols) = venue_and_symbols(&source.instruments, venues)?;
    if let Some(described) = &source.websocket.json
        && described.venue != venue.name()
    {
        let what = format!(
            "the feed that `json` describes is of `{}`, and the instruments are of `{}`",
            described.venue,
            venue.name()
        );
        return Err(ConfigFault::at("source.instruments", what));
    }
    let hours = source.websocket.hours.as_ref().map(hours::hours);
    let mut settings = WebsocketSettings {
        hours: hours.transpose()?,
        symbols,
        credentials: credentials(&source.websocket)?,
        binary: source.websocket.binary,
        message_bytes_max: source.max_frame_bytes,
        idle: Duration::from_millis(source.websocket.idle_ms),
        silent: Some(Duration::from_millis(source.websocket.silent_ms))
            .filter(|max| !max.is_zero()),
        ..WebsocketSettings::new(venue)
    };
    let written = [
        ("url", &source.websocket.url, ["wss", "ws"]),
        ("rest", &source.websocket.rest, ["https", "http"]),
    ];
    for (key, address, schemes) in written {
        // An empty REST address requests no snapshots.
        let Some(address) = address
            .as_deref()
            .filter(|text| key == "url" || !text.is_empty())
        else {
            continue;
        };
        if let Some(what) = addresses::fault(address, schemes) {
            let what = format!("the address `{address}` {what}");
            return Err(ConfigFault::at(format!("source.websocket.{key}"), what));
        }
    }
    if let Some(url) = &source.websocket.url {
        settings.url.clone_from(url);
    }
    if let Some(rest) = &source.websocket.rest {
        settings.rest = Some(rest.clone()).filter(|rest| !rest.is_empty());
    }
    if !source.websocket.streams.is_empty() {
        settings.streams.clone_from(&source.websocket.streams);
    }
    if let Some(what) = venue.refusal(&settings.streams) {
        return Err(ConfigFault::at("source.websocket.streams", what));
    }
    Ok(settings)
}

/// All venues, first those that the listed instruments are of, and the one that the pipeline describes.
pub(super) fn venues_of(source: &SourceConfig, described: Option<&'static dyn Venue>) -> Venues {
    let names = source.instruments.iter();
    let listed = names.filter_map(|name| Some(name.rsplit_once('.')?.1));
    let venues = match described {
        Some(venue) => Venues::default().with(venue),
        None => Venues::default(),
    };
    venues.preferring(listed.chain(described.map(Venue::name)))
}

/// The venue that the names of the instruments end in, and their symbols there.
fn venue_and_symbols(
    instruments: &[String],
    venues: &Venues,
) -> Result<(&'static dyn Venue, Vec<String>), ConfigFault> {
    let mut found: BTreeMap<&str, &'static dyn Venue> = BTreeMap::new();
    let mut symbols = vec![];
    for (at, name) in instruments.iter().enumerate() {
        let (venue, symbol) = venue_and_symbol(name, venues)
            .map_err(|what| ConfigFault::at(format!("source.instruments[{at}]"), what))?;
        found.insert(venue.name(), venue);
        symbols.push(symbol.to_owned());
    }
    let refused = |what: String| Err(ConfigFault::at("source.instruments", what));
    match found.values().collect::<Vec<_>>().as_slice() {
        [venue] => Ok((**venue, symbols)),
        [] => refused(NO_INSTRUMENTS.into()),
        _ => {
            let names = found.keys().copied().collect::<Vec<_>>().join(", ");
            refused(format!(
                "a websocket reads one venue, but `instruments` names several ({names}); make a pipeline for each"
            ))
        }
    }
}

/// The venue of an instrument, and its symbol there.
///
/// # Errors
/// What is wrong with the name, and the names that are probably meant.
fn venue_and_symbol<'n>(
    name: &'n str,
    venues: &Venues,
) -> Result<(&'static dyn Venue, &'n str), String> {
    let (symbol, written) = name.rsplit_once('.').unwrap_or((name, ""));
    let wrong = match venues.named(written) {
        Some(venue) if name == name_at(venue, symbol) => return Ok((venue, symbol)),
        Some(_) => "is not how its venue spells the symbol",
        None if written.is_empty() => "names no venue",
        None => "names a venue that has no websocket here",
    };
    let all = venues.names().filter_map(|name| venues.named(name));
    // Of a venue that is known, or written in another case, only that one is meant.
    let (same, others): (Vec<_>, Vec<_>) =
        all.partition(|venue| venue.name().eq_ignore_ascii_case(written));
    let likely = if same.is_empty() { others } else { same };
    let likely: Vec<String> = likely
        .into_iter()
        .map(|venue| name_at(venue, symbol))
        .collect();
    Err(format!(
        "the instrument `{name}` {wrong}; did you mean {}?",
        likely.join(" or ")
    ))
}

const NO_INSTRUMENTS: &str =
    "a websocket needs `instruments`: the symbols to subscribe to, as BTCUSDT.BINANCE";

/// How far the time of an event may be ahead of its receive time, in nanoseconds.
pub(super) fn max_ahead_ns(file: &PipelineFile) -> i64 {
    let default = match file.row.on {
        RowOn::Trade | RowOn::Quote | RowOn::Book => CLOCKS_DIFFER_NS,
        RowOn::Bar | RowOn::Application | RowOn::Statement | RowOn::News => AHEAD_NS,
    };
    file.source.max_ahead_ms.map_or(default, nanos_of)
}

/// How far a line of a file without receive time may be ahead of the lines around it, in nanoseconds; none
/// where lines are not in the order of time.
pub(super) fn max_jump_ns(file: &PipelineFile) -> Option<i64> {
    match file.row.on {
        RowOn::Trade | RowOn::Quote | RowOn::Book => Some(max_ahead_ns(file)),
        RowOn::Bar | RowOn::Application | RowOn::Statement | RowOn::News => {
            file.source.max_ahead_ms.map(nanos_of)
        }
    }
}

fn nanos_of(millis: u64) -> i64 {
    i64::try_from(millis.saturating_mul(1_000_000)).unwrap_or(i64::MAX)
}

/// Clocks without synchronisation differ by minutes; local times that were written as UTC by half an hour
/// or more.
const CLOCKS_DIFFER_NS: i64 = 600_000_000_000;

/// Refuses a listed instrument that no message can be about: one without a name, with blanks or dots
/// around it, or of a venue that spells the symbol otherwise, or has no such symbol. Records of topics may
/// name any other venue, or none, and their symbols may have blanks inside.
///
/// # Errors
/// The first of them, with the name that is probably meant.
pub(super) fn check_spelling(source: &SourceConfig, venues: &Venues) -> Result<(), ConfigFault> {
    for (at, name) in source.instruments.iter().enumerate() {
        if let Some(likely) = likely_name(name, venues) {
            let what = format!(
                "no message can be about the instrument `{name}`; did you mean `{likely}`? Write it as its venue \
                 or its topic does"
            );
            return Err(ConfigFault::at(format!("source.instruments[{at}]"), what));
        }
    }
    Ok(())
}

/// The name that is probably meant by one that no message can be about; none where one can.
fn likely_name(name: &str, venues: &Venues) -> Option<String> {
    let trimmed = name.trim();
    let likely = match trimmed.rsplit_once('.') {
        _ if trimmed.trim_matches(['.', ' ']).is_empty() => "SYMBOL.VENUE".into(),
        Some((symbol, written)) => match venue_of(written, venues) {
            Some(venue) => name_at(venue, symbol),
            None => without_empty_parts(trimmed),
        },
        None => trimmed.to_owned(),
    };
    (likely != name).then_some(likely)
}

/// A name without the dot of a venue that is not named, and with a word for a symbol that is not.
fn without_empty_parts(name: &str) -> String {
    let is_outside = |letter: char| letter == '.' || letter.is_whitespace();
    let whole = name.trim_matches(is_outside);
    match name.starts_with('.') {
        true => format!("SYMBOL.{whole}"),
        false => whole.to_owned(),
    }
}

/// The name of a symbol of a venue, as the venue spells it, without blanks.
fn name_at(venue: &dyn Venue, symbol: &str) -> String {
    let symbol: String = symbol.split_whitespace().collect();
    match venue.spelling(&symbol).as_str() {
        "" => format!("SYMBOL.{}", venue.name()),
        symbol => format!("{symbol}.{}", venue.name()),
    }
}

/// The venue of this name, in whatever case.
fn venue_of(written: &str, venues: &Venues) -> Option<&'static dyn Venue> {
    let mut names = venues.names();
    let name = names.find(|name| name.eq_ignore_ascii_case(written))?;
    venues.named(name)
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
        max_ahead_ns: max_ahead_ns(file),
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
    use crate::config::WebsocketConfig;

    #[test]
    fn a_listed_instrument_is_spelt_as_its_venue_spells_it() {
        let check = |name: &str| {
            let instruments = vec!["AAPL.XNAS".to_owned(), name.to_owned()];
            let source = SourceConfig {
                instruments,
                ..SourceConfig::default()
            };
            check_spelling(&source, &Venues::default()).map_err(|fault| (fault.key, fault.what))
        };
        for name in [
            "BTCUSDT.BINANCE",
            "BTCUSDT_240329.BINANCE",
            "btcusdt",
            "brk.b",
            "btcusdt.OTHER",
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in ["btcusdt.BINANCE", "BTCUSDT.Binance", "btcusdt.binance"] {
            let (key, what) = check(name).unwrap_err();
            assert_eq!(key, "source.instruments[1]");
            assert!(what.contains("did you mean `BTCUSDT.BINANCE`?"), "{what}");
        }
        assert!(
            check(" AAPL.XNAS")
                .unwrap_err()
                .1
                .contains("did you mean `AAPL.XNAS`?")
        );
        assert!(check("").unwrap_err().1.contains("SYMBOL.VENUE"));
        assert_eq!(check("AAPL US Equity"), Ok(()), "of a topic");
        for (name, likely) in [
            (".BINANCE", "`SYMBOL.BINANCE`"),
            (" BTCUSDT.BINANCE", "`BTCUSDT.BINANCE`"),
            ("BTC USDT.BINANCE", "`BTCUSDT.BINANCE`"),
            ("BTCUSDT .binance", "`BTCUSDT.BINANCE`"),
            ("BTC/USDT.BINANCE", "`BTCUSDT.BINANCE`"),
            ("btc-usdt.BINANCE", "`BTCUSDT.BINANCE`"),
            ("..BINANCE", "`SYMBOL.BINANCE`"),
            ("BTCUSDT.", "`BTCUSDT`"),
            ("BTCUSDT..", "`BTCUSDT`"),
            (".X", "`SYMBOL.X`"),
            (".", "`SYMBOL.VENUE`"),
            (". .", "`SYMBOL.VENUE`"),
        ] {
            let (_, what) = check(name).unwrap_err();
            assert!(what.contains(likely), "{name}: {what}");
        }
    }

    #[test]
    fn streams_that_no_connection_can_have_together_are_refused() {
        let streams = |words: &[&str]| {
            let streams = words.iter().map(|&word| word.to_owned()).collect();
            let source = SourceConfig {
                instruments: vec!["BTCUSDT.BINANCE_USDM".into()],
                websocket: WebsocketConfig {
                    streams,
                    ..WebsocketConfig::default()
                },
                ..SourceConfig::default()
            };
            websocket(&source, &Venues::default()).map(|settings| settings.streams.len())
        };
        assert_eq!(streams(&[]), Ok(3));
        assert_eq!(streams(&["aggTrade"]), Ok(1));
        let fault = streams(&["aggTrade", "bookTicker"]).unwrap_err();
        assert_eq!(fault.key, "source.websocket.streams");
    }

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
        for (names, key, said) in [
            (&[][..], "", "needs `instruments`"),
            (
                &["BTCUSDT.BINANCE", "ETHUSDT"],
                "[1]",
                "the instrument `ETHUSDT` names no venue; did you mean ETHUSDT.BINANCE",
            ),
            (
                &["BTCUSDT."],
                "[0]",
                "names no venue; did you mean BTCUSDT.BINANCE",
            ),
            (
                &["BTCUSDT.NOWHERE"],
                "[0]",
                "`BTCUSDT.NOWHERE` names a venue that has no websocket here; did you mean BTCUSDT.BINANCE",
            ),
            (
                &["BTC/USDT.BINANCE_USDM"],
                "[0]",
                "is not how its venue spells the symbol; did you mean BTCUSDT.BINANCE_USDM?",
            ),
            (
                &["btcusdt.binance"],
                "[0]",
                "names a venue that has no websocket here; did you mean BTCUSDT.BINANCE",
            ),
            (
                &["btcusdt.BINANCE"],
                "[0]",
                "is not how its venue spells the symbol; did you mean BTCUSDT.BINANCE?",
            ),
            (
                &["BTCUSDT.BINANCE", " ETHUSDT.BINANCE"],
                "[1]",
                "is not how its venue spells the symbol; did you mean ETHUSDT.BINANCE?",
            ),
            (
                &["BTC USDT.BINANCE"],
                "[0]",
                "is not how its venue spells the symbol; did you mean BTCUSDT.BINANCE?",
            ),
            (
                &["BTC/USDT.BINANCE"],
                "[0]",
                "is not how its venue spells the symbol; did you mean BTCUSDT.BINANCE?",
            ),
            (
                &["BTC-USDT.BINANCE"],
                "[0]",
                "is not how its venue spells the symbol; did you mean BTCUSDT.BINANCE?",
            ),
            (
                &[".BINANCE"],
                "[0]",
                "is not how its venue spells the symbol; did you mean SYMBOL.BINANCE?",
            ),
        ] {
            let fault = of(names).unwrap_err();
            assert_eq!(fault.key, format!("source.instruments{key}"), "{names:?}");
            assert!(fault.what.contains(said), "{}", fault.what);
        }
    }
}
