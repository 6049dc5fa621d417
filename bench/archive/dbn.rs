//! DBN records to events, against Databento's own decoder, which makes no events of them.
//!
//! Each schema is a file that this writes and removes, of four instruments in turns.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::{fs, process};

use dbn::decode::{DbnDecoder, DecodeRecordRef};
use dbn::encode::{DbnEncoder, EncodeRecord};
use dbn::{
    BidAskPair, FlagSet, HasRType, MboMsg, Mbp1Msg, Mbp10Msg, Metadata, RecordHeader, SType,
    Schema, TradeMsg, flags, rtype,
};
use divan::Bencher;
use divan::counter::ItemsCount;

use super::{RECORDS, events_of};

/// The cost of reading: Databento's decoder alone.
#[divan::bench(args = SCHEMAS)]
fn databento(bencher: Bencher<'_, '_>, schema: &str) {
    let file = Written::new(schema);
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        let mut decoder = DbnDecoder::from_file(&file.0).expect("the file was written");
        let mut records = 0;
        while let Some(record) = decoder.decode_record_ref().expect("the file is whole") {
            records += usize::from(record.header().instrument_id > 0);
        }
        records
    });
}

/// Records to rows, to packed frames, to events.
#[divan::bench(args = SCHEMAS)]
fn foretick(bencher: Bencher<'_, '_>, schema: &str) {
    let file = Written::new(schema);
    bencher
        .counter(ItemsCount::new(RECORDS))
        .bench_local(|| events_of(&file.0));
}

/// A file, which is removed when this is dropped.
struct Written(PathBuf);

impl Written {
    fn new(schema: &str) -> Self {
        let name = format!("foretick-bench-{schema}-{}.dbn", process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let metadata = Metadata::builder()
            .dataset("XNAS.ITCH".to_owned())
            .schema(Some(schema.parse::<Schema>().expect("a schema")))
            .start(BEGIN)
            .stype_in(Some(SType::RawSymbol))
            .stype_out(SType::InstrumentId)
            .build();
        let file = std::io::BufWriter::new(File::create(&path).expect("the folder takes files"));
        let mut encoder = DbnEncoder::new(file, &metadata).expect("the metadata is sound");
        for number in 0..RECORDS as u64 {
            let written = match schema {
                "trades" => encoder.encode_record(&trade(number)),
                "mbp-1" => encoder.encode_record(&best(number)),
                "mbp-10" => encoder.encode_record(&ten(number)),
                _ => encoder.encode_record(&order(number)),
            };
            written.expect("the folder takes files");
        }
        Self(path)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

fn header<T: HasRType>(rtype: u8, number: u64) -> RecordHeader {
    RecordHeader::new::<T>(rtype, 2, 1 + number as u32 % 4, BEGIN + number * 1_000)
}

/// A price that wanders by cents.
fn price(number: u64) -> i64 {
    let away = ((number * 2_654_435_761) >> 20) % 200;
    (10_000 + away.cast_signed()) * 10_000_000
}

fn letter(letter: u8) -> std::ffi::c_char {
    letter as std::ffi::c_char
}

fn trade(number: u64) -> TradeMsg {
    TradeMsg {
        hd: header::<TradeMsg>(rtype::MBP_0, number),
        price: price(number),
        size: 1 + number as u32 % 100,
        action: letter(b'T'),
        side: letter(b'A'),
        flags: FlagSet::new(flags::LAST),
        ts_recv: BEGIN + number * 1_000 + 500,
        ..TradeMsg::default()
    }
}

fn pair(number: u64, level: i64) -> BidAskPair {
    BidAskPair {
        bid_px: price(number) - (level + 1) * 10_000_000,
        ask_px: price(number) + level * 10_000_000,
        bid_sz: 1 + number as u32 % 77,
        ask_sz: 1 + number as u32 % 99,
        ..BidAskPair::default()
    }
}

fn best(number: u64) -> Mbp1Msg {
    Mbp1Msg {
        hd: header::<Mbp1Msg>(rtype::MBP_1, number),
        action: letter(b'A'),
        side: letter(b'A'),
        flags: FlagSet::new(flags::LAST),
        ts_recv: BEGIN + number * 1_000 + 500,
        levels: [pair(number, 0)],
        ..Mbp1Msg::default()
    }
}

fn ten(number: u64) -> Mbp10Msg {
    let mut record = Mbp10Msg {
        hd: header::<Mbp10Msg>(rtype::MBP_10, number),
        action: letter(b'A'),
        side: letter(b'A'),
        flags: FlagSet::new(flags::LAST),
        ts_recv: BEGIN + number * 1_000 + 500,
        ..Mbp10Msg::default()
    };
    for (level, levels) in (0..).zip(&mut record.levels) {
        *levels = pair(number, level);
    }
    record
}

/// Orders that come, and go a thousand orders later; at first a clear for each instrument.
fn order(number: u64) -> MboMsg {
    let (action, id) = match number {
        0..4 => (b'R', 0),
        _ if number < 4_000 || (number / 4).is_multiple_of(2) => (b'A', number),
        _ => (b'C', number - 4_000 + 4),
    };
    let of = if action == b'C' { id } else { number };
    MboMsg {
        hd: header::<MboMsg>(rtype::MBO, number),
        order_id: id,
        price: price(of),
        size: 1 + of as u32 % 100,
        action: letter(action),
        side: letter(if of / 4 % 4 < 2 { b'B' } else { b'A' }),
        flags: FlagSet::new(flags::LAST),
        ts_recv: BEGIN + number * 1_000 + 500,
        ..MboMsg::default()
    }
}

const SCHEMAS: [&str; 4] = ["trades", "mbp-1", "mbp-10", "mbo"];
const BEGIN: u64 = 1_609_160_400_000_000_000;
