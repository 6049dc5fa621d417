//! Snapshots for books whose changes come from topics: of which venue, and from where.

use super::addresses;
use super::addresses::Address;
use crate::config::{ConfigFault, PipelineFile, SourceConfig, SourceKind};
use crate::decode::venue::Venue;
use crate::decode::venues::{HostOwner, Venues};
use crate::engine::feature::FeaturePlan;
use crate::source::websocket::WebsocketSettings;

/// How they are fetched; none where no feature needs a book, or no REST address is written.
///
/// # Errors
/// An address that can never work, and one of which is not known whose it is.
pub(super) fn of_topics(
    file: &PipelineFile,
    plan: &FeaturePlan,
    venues: &Venues,
) -> Result<Option<WebsocketSettings>, ConfigFault> {
    match file.source.kind == SourceKind::Kafka && plan.uses_book() {
        true => settings(&file.source, venues),
        false => Ok(None),
    }
}

fn settings(
    source: &SourceConfig,
    venues: &Venues,
) -> Result<Option<WebsocketSettings>, ConfigFault> {
    let Some((key, rest)) = source.written_rest().filter(|rest| !rest.1.is_empty()) else {
        return Ok(None);
    };
    let refused = |what: String| Err(ConfigFault::at(key, what));
    if let Some(what) = addresses::fault(rest, ["https", "http"]) {
        return refused(format!("the address `{rest}` {what}"));
    }
    let address = Address::of(rest);
    let owner = match venues.owner_of(address.host) {
        HostOwner::Feed(venue) => Some(venue),
        _ => None,
    };
    let Some(venue) = owner.or_else(|| venue_listed(source, venues)) else {
        // The key of a websocket may have been left where the pipeline reads other topics.
        return match source.rest {
            None => Ok(None),
            Some(_) => refused(format!(
                "of which venue is the REST address `{rest}`? List `instruments` of one that has snapshots over \
                 REST, as BTCUSDT.BINANCE"
            )),
        };
    };
    if let Some(what) = address.foreign(venue, venues) {
        return refused(format!(
            "the address `{rest}`: {what} (as `{}`)",
            venue.addresses().rest
        ));
    }
    Ok(Some(WebsocketSettings {
        rest: Some(rest.to_owned()),
        ..WebsocketSettings::new(venue)
    }))
}

/// The first venue of the listed instruments that has snapshots over REST.
fn venue_listed(source: &SourceConfig, venues: &Venues) -> Option<&'static dyn Venue> {
    let named = source.instruments.iter().filter_map(|name| {
        let (_, venue) = name.rsplit_once('.')?;
        venues.named(venue)
    });
    named
        .into_iter()
        .find(|venue| !venue.addresses().rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_says_whose_it_is_or_the_instruments_do() {
        let of = |rest: &str, instruments: &[&str]| {
            let source = SourceConfig {
                rest: Some(rest.to_owned()),
                instruments: instruments.iter().map(|&name| name.to_owned()).collect(),
                ..SourceConfig::default()
            };
            let settings = settings(&source, &Venues::default());
            settings.map(|settings| settings.map(|settings| settings.venue.name()))
        };
        assert_eq!(of("", &[]), Ok(None));
        assert_eq!(
            of("https://fapi.binance.com", &[]),
            Ok(Some("BINANCE_USDM"))
        );
        let local = "http://127.0.0.1:9443";
        assert_eq!(of(local, &["BTCUSDT.BINANCE"]), Ok(Some("BINANCE")));
        for (rest, instruments, said) in [
            (local, vec![], "of which venue"),
            (local, vec!["BTC/USD.KRAKEN"], "of which venue"),
            ("127.0.0.1:9443", vec!["BTCUSDT.BINANCE"], "https"),
        ] {
            let fault = of(rest, &instruments).unwrap_err();
            assert_eq!(fault.key, "source.rest");
            assert!(fault.what.contains(said), "{}", fault.what);
        }
    }
}
