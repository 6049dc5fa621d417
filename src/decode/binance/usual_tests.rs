//! The quick reader against the general one.

use super::market::BinanceMarket;
use super::output::Output;
use super::*;
use crate::decode::stream_state::StreamState;
use crate::frame::Origin;

const FRAMES: [(BinanceMarket, &str); 8] = [
    (
        BinanceMarket::Spot,
        r#"{"stream":"abcusdt@trade","data":{"e":"trade","E":1700000000124,"s":"ABCUSDT","t":41,"p":"20.50000000","q":"3.00000000","T":1700000000123,"m":true,"M":true}}"#,
    ),
    (
        BinanceMarket::Spot,
        r#"{"u":14,"s":"ABCUSDT","b":"20.40","B":"1.00","a":"20.60","A":"2.50"}"#,
    ),
    (
        BinanceMarket::Spot,
        r#"{"stream":"!bookTicker","data":{"u":14,"s":"ABCUSDT","b":"20.40","B":"1.00","a":"20.60","A":"0"}}"#,
    ),
    (
        BinanceMarket::Spot,
        r#"{"stream":"abcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000200,"s":"ABCUSDT","U":11,"u":14,"b":[["20.40","1"],["20.30","0.00000000"]],"a":[["20.60","2.5"]]}}"#,
    ),
    (
        BinanceMarket::UsdMargined,
        r#"{"e":"trade","E":1700000000124,"T":1700000000123,"s":"ABCUSDT","t":41,"p":"20.50","q":"3.000","X":"MARKET","m":true}"#,
    ),
    (
        BinanceMarket::UsdMargined,
        r#"{"e":"bookTicker","u":90,"s":"ABCUSDT","b":"20.40","B":"1","a":"20.60","A":"2","T":1700000000200,"E":1700000000201}"#,
    ),
    (
        BinanceMarket::UsdMargined,
        r#"{"stream":"abcusdt@depth@0ms","data":{"e":"depthUpdate","E":1700000000202,"T":1700000000200,"s":"ABCUSDT","U":60,"u":90,"pu":50,"b":[["20.40","1"]],"a":[["20.60","0"]]}}"#,
    ),
    (
        BinanceMarket::UsdMargined,
        r#"{"stream":"abcusdt@depth5@100ms","data":{"e":"depthUpdate","E":1700000000202,"T":1700000000200,"s":"ABCUSDT","U":60,"u":90,"pu":50,"b":[["20.40","1"]],"a":[["20.60","3"]]}}"#,
    ),
];

/// What a reader makes of a message: its events and levels, its answer, and the newest updates.
type BinanceRead = (Batch, Option<Result<Decoded, DecodeError>>);

fn read(market: BinanceMarket, frame: &[u8], quick: bool) -> BinanceRead {
    let mut batch = Batch::default();
    batch.begin_frame(Origin::of_test());
    let (mut stream, mut instruments) = (StreamState::default(), Instruments::new(&[], 16));
    let mut out = Output {
        market,
        updates: &mut stream.updates,
        instruments: &mut instruments,
        batch: &mut batch,
    };
    let answer = match quick {
        true => usual::read(frame, &mut out).map(|()| Ok(Decoded::Events)),
        false => Some(mapping::any(frame, &mut out)),
    };
    (batch, answer)
}

#[test]
fn the_quick_reader_agrees_with_the_general_one_on_all_that_it_reads() {
    let mut count = 0;
    for (market, frame) in FRAMES {
        assert!(read(market, frame.as_bytes(), true).1.is_some(), "{frame}");
        let mut compare = |frame: &[u8]| {
            for market in [BinanceMarket::Spot, BinanceMarket::UsdMargined] {
                let quick = read(market, frame, true);
                if quick.1.is_some() {
                    let general = read(market, frame, false);
                    let frame = String::from_utf8_lossy(frame);
                    assert_eq!(quick.1, general.1, "{frame}");
                    assert_eq!(quick.0.events, general.0.events, "{frame}");
                    assert_eq!(quick.0.levels, general.0.levels, "{frame}");
                    count += 1;
                }
            }
        };
        for at in 0..frame.len() {
            compare(&frame.as_bytes()[..at]);
            for byte in *b"\"\\{}[],:. -0159eEnxZauTM@!\0\xff" {
                let mut other = frame.as_bytes().to_vec();
                other[at] = byte;
                compare(&other);
                other.insert(at, byte);
                compare(&other);
            }
        }
    }
    assert!(count > 1_000, "{count}");
}
