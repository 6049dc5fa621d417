//! Files that Databento's own encoder wrote, read as rows.

mod searched;

use std::fs::File;
use std::path::PathBuf;

use dbn::encode::{DbnEncoder, EncodeRecord};
use dbn::record::str_to_c_chars;
use dbn::{
    BidAskPair, MappingInterval, Metadata, Publisher, Record, SType, SymbolMapping,
    SymbolMappingMsg, UNDEF_TIMESTAMP, flags,
};

use super::*;
use crate::event::{Quote, TradingStatus};
use crate::frame::packed::RowFault;
use crate::tests::scratch::Scratch;

const BEGIN: u64 = 1_609_160_400_000_000_000;
const NANO: i64 = 1_000_000_000;

fn metadata(schema: Option<Schema>) -> Metadata {
    let mut metadata = Metadata::builder()
        .dataset("XNAS.ITCH".to_owned())
        .schema(schema)
        .start(BEGIN)
        .stype_in(Some(SType::RawSymbol))
        .stype_out(SType::InstrumentId)
        .build();
    let first = metadata.start().date();
    let second = first.next_day().unwrap();
    let mapping = |symbol: &str, start_date| SymbolMapping {
        raw_symbol: symbol.into(),
        intervals: vec![MappingInterval {
            start_date,
            end_date: start_date.next_day().unwrap(),
            symbol: "7".into(),
        }],
    };
    metadata.mappings = vec![mapping("AAPL", first), mapping("MSFT", second)];
    metadata
}

/// A file in a folder of its own.
struct Written {
    scratch: Scratch,
    bytes: Vec<u8>,
}

impl Written {
    fn new(schema: Option<Schema>, write: impl FnOnce(&mut DbnEncoder<&mut Vec<u8>>)) -> Self {
        let mut bytes = vec![];
        let mut encoder = DbnEncoder::new(&mut bytes, &metadata(schema)).unwrap();
        write(&mut encoder);
        Self {
            scratch: Scratch::new(),
            bytes,
        }
    }

    fn path(&self) -> PathBuf {
        self.scratch.write("file.dbn", &self.bytes)
    }

    /// Its rows as text, and how reading ended.
    fn read(&self) -> (Vec<String>, io::Result<()>) {
        read(&self.path())
    }

    /// Its rows as text; it must be whole.
    fn rows(&self) -> Vec<String> {
        let (rows, end) = self.read();
        end.unwrap();
        rows
    }
}

fn read(path: &Path) -> (Vec<String>, io::Result<()>) {
    read_from(path, None)
}

fn read_from(path: &Path, begin: Option<Nanos>) -> (Vec<String>, io::Result<()>) {
    let mut rows = match DbnRows::open(File::open(path).unwrap(), &HistoryMapping::default(), begin)
    {
        Ok(rows) => rows,
        Err(error) => return (vec![], Err(error)),
    };
    let (mut row, mut read) = (HistoryRow::default(), vec![]);
    loop {
        match rows.next_row(&mut row) {
            Ok(true) => read.push(shown(&row)),
            Ok(false) => return (read, Ok(())),
            Err(error) => return (read, Err(error)),
        }
    }
}

/// Microseconds after the beginning at which it happened and was received, the instrument, and what happened.
fn shown(row: &HistoryRow) -> String {
    let since = |time: Nanos| match time {
        Nanos::UNDEFINED => "-".to_owned(),
        time => format!("{}", (time.0 - BEGIN as i64) / 1_000),
    };
    let levels = |levels: &[Level]| {
        let one = |level: &Level| format!(" {}x{}", level.size, level.price);
        levels.iter().map(one).collect::<String>()
    };
    let what = match row.body {
        RowBody::Trade(trade) => {
            let side = trade.side.map_or("-".into(), |side| format!("{side:?}"));
            format!("trade {}x{} {side}", trade.size, trade.price)
        }
        RowBody::Quote(Quote {
            bid_px,
            bid_sz,
            ask_px,
            ask_sz,
            ..
        }) => format!("quote {bid_sz}x{bid_px} {ask_sz}x{ask_px}"),
        RowBody::Depth(depth) => {
            let (bids, asks) = row.levels.split_at(depth.bids as usize);
            assert_eq!(asks.len(), depth.asks as usize);
            let what = depth.snapshot.map_or("change", |_| "book");
            format!("{what}{} /{}", levels(bids), levels(asks))
        }
        RowBody::Bar(bar) => {
            let crate::event::Bar {
                open,
                high,
                low,
                close,
                volume,
            } = bar;
            format!("bar {open} {high} {low} {close} {volume}")
        }
        RowBody::Status(TradingStatus::Halted) => "halted".into(),
        RowBody::Status(TradingStatus::Trading) => "trading".into(),
        RowBody::Gap(_) => "gap".into(),
        RowBody::Unreadable(fault) => format!("{fault:?}"),
    };
    let (event, received) = (since(row.ts_event), since(row.ts_recv));
    format!("{event} {received} {} {what}", row.instrument)
}

fn header<T: HasRType>(rtype: u8, micros: u64) -> RecordHeader {
    let publisher = Publisher::XnasItchXnas as u16;
    RecordHeader::new::<T>(rtype, publisher, 7, BEGIN + micros * 1_000)
}

fn letter(letter: u8) -> std::ffi::c_char {
    letter as std::ffi::c_char
}

fn trade(micros: u64, price: i64, size: u32, side: u8) -> TradeMsg {
    TradeMsg {
        hd: header::<TradeMsg>(dbn::rtype::MBP_0, micros),
        price,
        size,
        action: letter(b'T'),
        side: letter(side),
        flags: FlagSet::new(flags::LAST),
        ts_recv: BEGIN + micros * 1_000 + 5_000,
        ..TradeMsg::default()
    }
}

#[test]
fn trades_have_exact_prices_sides_and_the_symbol_of_their_day() {
    let day = 86_400_000_000;
    let file = Written::new(Some(Schema::Trades), |encoder| {
        encoder
            .encode_record(&trade(0, 3_720_250_000_001, 5, b'A'))
            .unwrap();
        encoder.encode_record(&trade(day, 1, 21, b'B')).unwrap();
        encoder
            .encode_record(&trade(2 * day, NANO, 1, b'N'))
            .unwrap();
        encoder
            .encode_record(&trade(0, dbn::UNDEF_PRICE, dbn::UNDEF_ORDER_SIZE, b'N'))
            .unwrap();
    });
    let expected = [
        "0 5 AAPL.XNAS trade 5x3720.250000001 Sell",
        "86400000000 86400000005 MSFT.XNAS trade 21x0.000000001 Buy",
        // No symbol is told of that day.
        "172800000000 172800000005 7.XNAS trade 1x1 -",
        "0 5 AAPL.XNAS trade -x- -",
    ];
    assert_eq!(file.rows(), expected);
}

fn best(micros: u64, action: u8, flags: u8, bid: (i64, u32), ask: (i64, u32)) -> Mbp1Msg {
    Mbp1Msg {
        hd: header::<Mbp1Msg>(dbn::rtype::MBP_1, micros),
        price: 100 * NANO,
        size: 2,
        action: letter(action),
        side: letter(b'A'),
        flags: FlagSet::new(flags),
        ts_recv: UNDEF_TIMESTAMP,
        levels: [pair(bid, ask)],
        ..Mbp1Msg::default()
    }
}

fn pair(bid: (i64, u32), ask: (i64, u32)) -> BidAskPair {
    BidAskPair {
        bid_px: bid.0,
        bid_sz: bid.1,
        ask_px: ask.0,
        ask_sz: ask.1,
        ..BidAskPair::default()
    }
}

#[test]
fn a_book_state_is_told_at_the_end_of_an_event_alone() {
    let none = (dbn::UNDEF_PRICE, 0);
    let write = |encoder: &mut DbnEncoder<&mut Vec<u8>>| {
        let (bid, ask) = ((99 * NANO, 4), (101 * NANO, 6));
        encoder.encode_record(&best(1, b'T', 0, bid, ask)).unwrap();
        encoder
            .encode_record(&best(1, b'C', flags::LAST, bid, none))
            .unwrap();
        let bad = flags::LAST | flags::MAYBE_BAD_BOOK;
        encoder
            .encode_record(&best(2, b'A', bad, bid, ask))
            .unwrap();
    };
    let expected = [
        "1 - AAPL.XNAS trade 2x100 Sell",
        "1 - AAPL.XNAS quote 4x99 0x-",
        "2 - AAPL.XNAS gap",
        "2 - AAPL.XNAS quote 4x99 6x101",
    ];
    assert_eq!(Written::new(Some(Schema::Mbp1), write).rows(), expected);
    // With `tbbo` the quote is that before the trade, whatever the flags.
    let tbbo = Written::new(Some(Schema::Tbbo), |encoder| {
        let record = best(1, b'T', 0, (99 * NANO, 4), none);
        encoder.encode_record(&record).unwrap();
    });
    let expected = [
        "1 - AAPL.XNAS quote 4x99 0x-",
        "1 - AAPL.XNAS trade 2x100 Sell",
    ];
    assert_eq!(tbbo.rows(), expected);
}

#[test]
fn a_sampled_quote_is_of_the_end_of_its_interval() {
    let file = Written::new(Some(Schema::Bbo1S), |encoder| {
        let mut record = BboMsg::default_for_schema(Schema::Bbo1S);
        record.hd = header::<BboMsg>(dbn::rtype::BBO_1S, 3);
        record.ts_recv = BEGIN + 1_000_000_000;
        record.levels = [pair((99 * NANO, 4), (101 * NANO, 6))];
        encoder.encode_record(&record).unwrap();
    });
    assert_eq!(file.rows(), ["1000000 1000000 AAPL.XNAS quote 4x99 6x101"]);
}

#[test]
fn ten_levels_are_a_whole_book() {
    let file = Written::new(Some(Schema::Mbp10), |encoder| {
        let mut record = Mbp10Msg {
            hd: header::<Mbp10Msg>(dbn::rtype::MBP_10, 1),
            action: letter(b'A'),
            flags: FlagSet::new(flags::LAST),
            ..Mbp10Msg::default()
        };
        record.levels[0] = pair((99 * NANO, 4), (101 * NANO, 6));
        record.levels[1] = pair((98 * NANO, 1), (dbn::UNDEF_PRICE, 0));
        encoder.encode_record(&record).unwrap();
    });
    assert_eq!(file.rows(), ["1 - AAPL.XNAS book 4x99 1x98 / 6x101"]);
}

fn order(micros: u64, action: u8, side: u8, order_id: u64, price: i64, size: u32) -> MboMsg {
    MboMsg {
        hd: header::<MboMsg>(dbn::rtype::MBO, micros),
        order_id,
        price: if price == 0 {
            dbn::UNDEF_PRICE
        } else {
            price * NANO
        },
        size,
        action: letter(action),
        side: letter(side),
        flags: FlagSet::new(flags::LAST),
        ts_recv: BEGIN + micros * 1_000,
        ..MboMsg::default()
    }
}

#[test]
fn orders_become_levels() {
    let midway = |record: MboMsg| MboMsg {
        flags: FlagSet::empty(),
        ..record
    };
    let file = Written::new(Some(Schema::Mbo), |encoder| {
        for record in [
            // Of an order of before: what rests at its level now is not known.
            order(0, b'C', b'A', 99, 105, 1),
            midway(order(1, b'R', b'N', 0, 0, 0)),
            midway(order(1, b'A', b'B', 1, 99, 4)),
            midway(order(1, b'A', b'B', 2, 99, 3)),
            order(1, b'A', b'A', 3, 101, 6),
            // A trade takes from order 3, and tells so twice before the book changes.
            midway(order(2, b'T', b'B', 0, 101, 2)),
            midway(order(2, b'F', b'A', 3, 101, 2)),
            order(2, b'C', b'A', 3, 101, 2),
            order(3, b'M', b'B', 1, 98, 5),
            order(4, b'M', b'A', 8, 102, 1),
            order(5, b'A', b'N', 9, 102, 1),
            order(6, b'N', b'N', 9, 102, 1),
        ] {
            encoder.encode_record(&record).unwrap();
        }
    });
    let expected = [
        "0 0 AAPL.XNAS change /",
        "1 1 AAPL.XNAS book 7x99 / 6x101",
        "2 2 AAPL.XNAS trade 2x101 Buy",
        "2 2 AAPL.XNAS change / 4x101",
        "3 3 AAPL.XNAS change 3x99 5x98 /",
        "4 4 AAPL.XNAS change / 1x102",
        &format!("5 5 AAPL.XNAS {:?}", RowFault::Missing("side")),
    ];
    assert_eq!(file.rows(), expected);
    // From a time on the first change is the whole book.
    let begin = Nanos(BEGIN as i64 + 3_000);
    let (rows, _) = read_from(&file.path(), Some(begin));
    let mut from_there = expected.to_vec();
    from_there.drain(..4);
    from_there[0] = "3 3 AAPL.XNAS book 3x99 5x98 / 4x101";
    assert_eq!(rows, from_there);
}

#[test]
fn bars_are_of_their_ends() {
    let file = Written::new(None, |encoder| {
        for (schema, rtype) in [
            (Schema::Ohlcv1S, dbn::rtype::OHLCV_1S),
            (Schema::Ohlcv1D, dbn::rtype::OHLCV_1D),
            (Schema::OhlcvEod, dbn::rtype::OHLCV_EOD),
        ] {
            let mut bar = OhlcvMsg::default_for_schema(schema);
            bar.hd = header::<OhlcvMsg>(rtype, 0);
            (bar.open, bar.high) = (NANO, 4 * NANO);
            (bar.low, bar.close) = (NANO / 2, 2 * NANO);
            bar.volume = 77;
            encoder.encode_record(&bar).unwrap();
        }
    });
    let expected = [
        "1000000 - AAPL.XNAS bar 1 4 0.5 2 77",
        "86400000000 - AAPL.XNAS bar 1 4 0.5 2 77",
    ];
    assert_eq!(
        file.rows(),
        expected,
        "the end of a session's bar is not known"
    );
}

#[test]
fn a_status_is_halted_or_trading() {
    let file = Written::new(Some(Schema::Status), |encoder| {
        for (micros, is_trading, action) in [(1, b'N', 1), (2, b'Y', 6), (3, b'~', 8), (4, b'~', 3)]
        {
            let record = StatusMsg {
                hd: header::<StatusMsg>(dbn::rtype::STATUS, micros),
                is_trading: letter(is_trading),
                action,
                ..StatusMsg::default()
            };
            encoder.encode_record(&record).unwrap();
        }
    });
    let expected = [
        "1 - AAPL.XNAS halted",
        "2 - AAPL.XNAS trading",
        "3 - AAPL.XNAS halted",
    ];
    assert_eq!(file.rows(), expected);
}

#[test]
fn a_live_session_maps_symbols_as_it_goes() {
    let file = Written::new(None, |encoder| {
        encoder.encode_record(&trade(0, NANO, 1, b'N')).unwrap();
        let mapping = SymbolMappingMsg {
            hd: header::<SymbolMappingMsg>(dbn::rtype::SYMBOL_MAPPING, 0),
            stype_out_symbol: str_to_c_chars("NVDA").unwrap(),
            start_ts: BEGIN,
            end_ts: UNDEF_TIMESTAMP,
            ..SymbolMappingMsg::default()
        };
        encoder.encode_record(&mapping).unwrap();
        encoder.encode_record(&trade(1, NANO, 1, b'N')).unwrap();
    });
    let expected = ["0 5 AAPL.XNAS trade 1x1 -", "1 6 NVDA.XNAS trade 1x1 -"];
    assert_eq!(file.rows(), expected);
}

#[test]
fn a_cut_file_gives_what_is_before_and_names_the_record() {
    let mut file = Written::new(Some(Schema::Trades), |encoder| {
        for micros in 0..3 {
            encoder
                .encode_record(&trade(micros, NANO, 1, b'N'))
                .unwrap();
        }
    });
    let length = trade(0, 0, 0, b'N').record_size();
    let whole = file.bytes.clone();
    for cut in [1, length - 1] {
        file.bytes.truncate(whole.len() - cut);
        let (rows, end) = file.read();
        let error = end.unwrap_err();
        assert_eq!(rows.len(), 2);
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(error.to_string().contains("within record 3"), "{error}");
    }
    file.bytes.truncate(whole.len() - length);
    assert_eq!(file.rows().len(), 2);
    for cut in [3, 8, 40] {
        file.bytes.truncate(cut);
        let error = file.read().1.unwrap_err().to_string();
        assert!(error.contains("its "), "{error}");
    }
    // A record of no length.
    file.bytes.clone_from(&whole);
    let second = whole.len() - 2 * length;
    file.bytes[second] = 0;
    let (rows, end) = file.read();
    assert_eq!(rows.len(), 1);
    assert!(end.unwrap_err().to_string().contains("record 2"));
    // One too short for its kind.
    file.bytes.clone_from(&whole);
    file.bytes[second + 1] = dbn::rtype::MBP_10;
    assert!(file.read().1.unwrap_err().to_string().contains("record 2"));
}

/// A flipped bit is read as something else, or refused: nothing panics.
#[test]
fn no_flipped_bit_stops_the_reader_otherwise_than_by_an_error() {
    let mut file = Written::new(None, |encoder| {
        encoder.encode_record(&trade(1, NANO, 1, b'N')).unwrap();
        let bid = (99 * NANO, 4);
        encoder
            .encode_record(&best(1, b'C', flags::LAST, bid, bid))
            .unwrap();
        encoder
            .encode_record(&order(1, b'A', b'B', 1, 99, 4))
            .unwrap();
    });
    let whole = file.bytes.clone();
    let mut refused = 0;
    for bit in (0..whole.len() * 8).step_by(7) {
        file.bytes.clone_from(&whole);
        file.bytes[bit / 8] ^= 1 << (bit % 8);
        refused += usize::from(file.read().1.is_err());
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn schemas_that_carry_nothing_of_a_market_are_refused() {
    for schema in [
        Schema::Definition,
        Schema::Statistics,
        Schema::Imbalance,
        Schema::OhlcvEod,
    ] {
        let error = Written::new(Some(schema), |_| {}).read().1.unwrap_err();
        assert!(
            error.to_string().contains(&format!("`{schema}`")),
            "{error}"
        );
    }
}
