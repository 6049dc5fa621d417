//! Rows come back as they went in, and bytes that no row gave are refused.

use super::*;
use crate::event::{
    Bar, Depth, Gap, GapReason, Link, Quote, Splice, Trade, TradeIds, TradingStatus,
};
use crate::units::{Price, Side, Size};

fn price(text: &str) -> Price {
    Price::parse(text.as_bytes()).unwrap()
}

fn size(text: &str) -> Size {
    Size::parse(text.as_bytes()).unwrap()
}

fn bodies() -> Vec<RowBody> {
    let trade = Trade {
        price: price("0.00000000124"),
        size: size("146033283519"),
        trade_id: u64::MAX,
        ids: TradeIds::Distinct,
        side: Some(Side::Sell),
        aggregate: true,
    };
    let quote = Quote {
        bid_px: price("-3.5"),
        bid_sz: size("1"),
        ask_px: Price::UNDEFINED,
        ask_sz: Size::ZERO,
        sequence: 17,
    };
    let depth = Depth {
        first: 5,
        last: 9,
        bids: 1,
        asks: 1,
        snapshot: Some(Splice::InOrder),
        link: Link::Chain,
        keep: 25,
        overlaps: true,
        ..Depth::default()
    };
    let bar = Bar {
        open: price("1"),
        high: price("999999999999999999"),
        low: price("0.1"),
        close: price("1.25"),
        volume: Size::UNDEFINED,
    };
    vec![
        RowBody::Trade(trade),
        RowBody::Trade(Trade {
            side: None,
            aggregate: false,
            ..trade
        }),
        RowBody::Quote(quote),
        RowBody::Depth(depth),
        RowBody::Bar(bar),
        RowBody::Status(TradingStatus::Halted),
        RowBody::Status(TradingStatus::Trading),
        RowBody::Gap(Gap {
            reason: GapReason::Retention,
            missing: 17,
        }),
        RowBody::Unreadable(RowFault::TooPrecise("bid_px")),
    ]
}

const LEVELS: [Level; 2] = [
    Level {
        price: Price::UNDEFINED,
        size: Size::ZERO,
    },
    Level {
        price: Price::ZERO,
        size: Size::UNDEFINED,
    },
];

fn packed(body: RowBody) -> Vec<u8> {
    let mut out = b"of before".to_vec();
    let row = UnpackedRow {
        ts_event: Nanos(1_700_000_000_000_000_009),
        ts_recv: Nanos::UNDEFINED,
        instrument: "测试USDT.BINANCE",
        body,
        levels: &LEVELS,
        cell: "row 17: \"abc\"",
    };
    encode(&row, &mut out);
    out
}

#[test]
fn a_row_comes_back_as_it_went_in() {
    for body in bodies() {
        let frame = packed(body);
        let row = read(&frame).unwrap();
        assert!(is_packed(&frame) && crate::frame::binary::is_binary(&frame));
        assert_eq!(row.body, body);
        assert_eq!(row.ts_event, Nanos(1_700_000_000_000_000_009));
        assert_eq!(row.ts_recv, Nanos::UNDEFINED);
        assert_eq!(row.instrument, "测试USDT.BINANCE".as_bytes());
        assert_eq!(time_of(&frame), Some(row.ts_event));
        assert_eq!(name_of(&frame).map(str::as_bytes), Some(row.instrument));
        match body {
            RowBody::Depth(_) => {
                let levels: Vec<Level> = row.levels.iter().map(Option::unwrap).collect();
                assert_eq!(levels, LEVELS);
            }
            _ => assert!(row.levels.is_empty()),
        }
        let is_unreadable = matches!(body, RowBody::Unreadable(_));
        assert_eq!(!row.cell.is_empty(), is_unreadable);
    }
}

#[test]
fn every_cut_frame_is_refused() {
    for body in bodies() {
        let frame = packed(body);
        let text_from = frame.len() - "row 17: \"abc\"".len();
        for length in 0..frame.len() {
            let is_text = matches!(body, RowBody::Unreadable(_)) && length >= text_from;
            assert_eq!(
                read(&frame[..length]).is_some(),
                is_text,
                "{body:?} {length}"
            );
        }
        let longer = [&frame[..], b"x"].concat();
        assert_eq!(
            read(&longer).is_some(),
            matches!(body, RowBody::Unreadable(_))
        );
    }
}

/// Codes are numbers, or the frame is refused: a code that no number has would compare wrongly.
#[test]
fn no_flipped_bit_gives_a_code_of_no_number() {
    for body in bodies() {
        let frame = packed(body);
        for bit in 0..frame.len() * 8 {
            let mut other = frame.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            let Some(row) = read(&other) else { continue };
            let RowBody::Trade(trade) = row.body else {
                continue;
            };
            for code in [trade.price.to_string(), trade.size.to_string()] {
                let again = Price::parse(code.as_bytes());
                let undefined = code == "-";
                assert!(undefined || again.is_ok_and(|price| price.to_string() == code));
            }
        }
    }
}
