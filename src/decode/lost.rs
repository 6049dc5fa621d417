//! A message that cannot be read, though something of it is known: that its venue has counted it, or whose
//! book or quote it told.

use super::venue::Venue;
use super::venues::Venues;
use crate::event::{Batch, Body, Gap, GapReason};
use crate::frame::Origin;
use crate::instrument::{InstrumentId, Instruments};
use crate::units::Nanos;

/// Notes a gap. Of a venue that counts the messages of a connection all instruments have it: no number will
/// show that this one is missing. Elsewhere the one has it whose book or quote is not known any more.
pub(super) fn note_lost(
    venues: &Venues,
    instruments: &Instruments,
    origin: Origin,
    message: &[u8],
    batch: &mut Batch,
) {
    let counts = |venue: &&dyn Venue| venue.connection_number(message).is_some();
    let told = |venue: &'static dyn Venue| {
        let symbol = venue.book_or_quote_of(message)?;
        instruments.known(venue.spelling(&symbol).as_bytes(), venue.name())
    };
    let instrument = match venues.all().find(counts) {
        Some(_) => Some(InstrumentId::ALL),
        None => venues.all().find_map(told),
    };
    let Some(instrument) = instrument else {
        return;
    };
    batch.begin_frame(origin);
    let gap = Gap {
        reason: GapReason::Sequence,
        missing: 1,
    };
    batch.push(instrument, Nanos::UNDEFINED, Body::Gap(gap));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Decoder;

    #[test]
    fn a_book_or_quote_that_cannot_be_read_is_a_gap_of_its_instrument() {
        let okx = |channel: &str, data: &str| {
            format!(r#"{{"arg":{{"channel":"{channel}","instId":"OAK-ELM"}},{data}}}"#)
        };
        let levels = r#""data":[{"asks":[["2","1"]],"bids":[["1","1"]],"ts":"1700000000000","seqId":9,"prevSeqId":-1}]"#;
        let okx_book = okx("books", &format!(r#""action":"snapshot",{levels}"#));
        let okx_quote = okx("bbo-tbt", levels);
        let bybit = |topic: &str, kind: &str| {
            format!(
                r#"{{"topic":"{topic}.OAKELM","type":"{kind}","ts":1700000000000,"data":{{"s":"OAKELM","b":[["1","1"]],"a":[["2","1"]],"u":7,"seq":8}},"cts":1700000000000}}"#
            )
        };
        let (bybit_book, bybit_quote) = (
            bybit("orderbook.50", "snapshot"),
            bybit("orderbook.1", "snapshot"),
        );
        let binance = r#"{"stream":"oakelm@depth@100ms","data":{"e":"depthUpdate","E":1700000000000,"s":"OAKELM","U":1,"u":2,"b":[["1","1"]],"a":[["2","1"]]}}"#;
        let kraken = r#"{"channel":"ticker","type":"update","data":[{"symbol":"OAK/ELM","bid":1,"bid_qty":1,"ask":2,"ask_qty":1,"timestamp":"2023-11-14T22:13:20Z"}]}"#;
        for (sound, from, to) in [
            (okx_book.as_str(), r#"["1","1"]"#, r#"["NaN","1"]"#),
            (&okx_book, r#""prevSeqId":-1"#, r#""prevSeqId":{}"#),
            (&okx_quote, r#"["1","1"]"#, r#"["1"]"#),
            (&bybit_book, r#""u":7"#, r#""u":"seven""#),
            (&bybit_quote, r#"["2","1"]"#, r#"["2",{}]"#),
            (binance, r#"["1","1"]"#, r#"["1","NaN"]"#),
            (kraken, r#""bid":1,"#, r#""bid":"one","#),
        ] {
            let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
            let mut batch = Batch::default();
            let mut read =
                |text: &str| decoder.decode(Origin::of_test(), text.as_bytes(), &mut batch);
            let broken = sound.replacen(from, to, 1);
            assert_ne!(broken, sound, "{from}");
            assert!(read(&broken).is_err(), "{broken}");
            assert!(read(sound).is_ok(), "{sound}");
            assert!(read(&broken).is_err(), "{broken}");
            let gaps: Vec<bool> = batch
                .events
                .iter()
                .map(|event| matches!(event.body, Body::Gap(gap) if gap.missing == 1))
                .collect();
            assert_eq!(gaps, [false, true], "of what is known alone: {broken}");
            assert_eq!(batch.events[0].instrument, batch.events[1].instrument);
        }
    }
}
