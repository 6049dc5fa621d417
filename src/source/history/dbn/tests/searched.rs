//! Files that are searched for a time, and fragments.

use super::*;

#[test]
fn a_file_of_one_schema_is_searched_for_a_time() {
    let records: u64 = 10_000;
    let file = Written::new(Some(Schema::Trades), |encoder| {
        for at in 0..records {
            // Some are received at one time.
            encoder
                .encode_record(&trade(at / 3, NANO, 1, b'N'))
                .unwrap();
        }
    });
    let path = file.path();
    let (all, _) = read(&path);
    for (after, before) in [
        (-1, 0),
        (0, 0),
        (1, 3),
        (2_000, 6_000),
        (3_333, 9_999),
        (3_334, records),
    ] {
        let begin = Nanos(BEGIN as i64 + 5_000 + after * 1_000);
        let place = seek::place_of(&File::open(&path).unwrap(), 0, begin);
        assert!(place.unwrap().is_none(), "no record begins there");
        let (rows, end) = read_from(&path, Some(begin));
        end.unwrap();
        assert_eq!(rows, all[before as usize..], "{after}");
        let opened = DbnRows::open(
            File::open(&path).unwrap(),
            &HistoryMapping::default(),
            Some(begin),
        );
        assert_eq!(
            opened.unwrap().records.number(),
            before,
            "{after}: passed over unread"
        );
    }
}

#[test]
fn a_fragment_is_told_from_a_file() {
    let scratch = Scratch::new();
    let fragment = scratch.write("a.dbn.frag", [0x0c, 0, 1, 0, 0, 0, 0, 0]);
    let options = HistoryOptions::default();
    let file = File::open(&fragment).unwrap();
    let opened = crate::source::history::open(&fragment, &file, &options, None);
    let error = opened.err().unwrap().to_string();
    assert!(
        error.contains("a fragment") && error.contains("whole file"),
        "{error}"
    );
}
