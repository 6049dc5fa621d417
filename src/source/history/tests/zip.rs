//! Zip archives, sound and damaged.

use std::io::Write;

use super::read;
use crate::source::history::mapping::HistoryMapping;
use crate::tests::scratch::Scratch;

/// A zip archive of these files, by the layout of PKWARE's APPNOTE.TXT.
fn zip(files: &[(&str, &str)], method: u16) -> Vec<u8> {
    let (mut out, mut directory) = (vec![], vec![]);
    for (name, text) in files {
        let data = match method {
            8 => {
                let mut deflate =
                    flate2::write::DeflateEncoder::new(vec![], flate2::Compression::fast());
                deflate.write_all(text.as_bytes()).unwrap();
                deflate.finish().unwrap()
            }
            _ => text.as_bytes().to_vec(),
        };
        let start = out.len() as u32;
        let mut common = vec![];
        common.extend(20_u16.to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        common.extend(method.to_le_bytes());
        common.extend([0; 4]);
        common.extend(crc32fast::hash(text.as_bytes()).to_le_bytes());
        common.extend((data.len() as u32).to_le_bytes());
        common.extend((text.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(&data);
        directory.extend(b"PK\x01\x02");
        directory.extend(20_u16.to_le_bytes());
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(start.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend((files.len() as u16).to_le_bytes());
    out.extend((files.len() as u16).to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend(0_u16.to_le_bytes());
    out
}

const TRADE: &str = "ts_event,symbol,price,size,side\n1700000000000000000,A,1,2,buy\n";

fn read_bytes(bytes: &[u8]) -> Result<Vec<String>, String> {
    let scratch = Scratch::new();
    let path = scratch.path().join("x.zip");
    std::fs::write(&path, bytes).unwrap();
    read(&[path], HistoryMapping::default())
}

#[test]
fn the_files_in_an_archive_are_read_one_behind_the_other_by_name() {
    let later = TRADE.replace("000,A", "001,A");
    let files = [("b.csv", later.as_str()), ("a.csv", TRADE), ("x/", "")];
    for method in [0, 8] {
        let files = if method == 0 { &files[..] } else { &files[..2] };
        assert_eq!(
            read_bytes(&zip(files, method)).unwrap(),
            [
                "1700000000000000000 A trade 1 2 Some(Buy) 0 Successive",
                "1700000000000000001 A trade 1 2 Some(Buy) 0 Successive",
            ]
        );
    }
    let backwards = [("a.csv", later.as_str()), ("b.csv", TRADE)];
    let scratch = Scratch::new();
    let path = scratch.write("both.zip", zip(&backwards, 8));
    let names = crate::source::history::files_in_zip(&path)
        .unwrap()
        .unwrap();
    assert!(names.len() == 2 && names.is_sorted(), "{names:?}");
    let error = read_bytes(&zip(&backwards, 8)).unwrap_err();
    assert!(error.contains("line 2 of `b.csv`"), "{error}");
}

#[test]
fn what_is_no_table_and_what_is_damaged_is_refused() {
    let error = read_bytes(&zip(&[("a.xml", "<x/>")], 8)).unwrap_err();
    assert!(
        error.contains("a.xml") && error.contains("unpack"),
        "{error}"
    );
    let error = read_bytes(&zip(&[("a.csv", TRADE)], 9)).unwrap_err();
    assert!(error.contains("method"), "{error}");
    let whole = zip(&[("a.csv", TRADE)], 8);
    for length in 4..whole.len() {
        assert!(read_bytes(&whole[..length]).is_err(), "{length}");
    }
    // The data begin behind 30 bytes and the name.
    for at in 35..35 + 30 {
        let mut other = whole.clone();
        other[at] ^= 1;
        assert!(read_bytes(&other).is_err(), "byte {at}");
    }
}
