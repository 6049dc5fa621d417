//! D: prices and sizes of meme coins, of decentralised exchanges and of daily volumes are exact, or refused
//! with the field named.

use crate::replayed::{START, depth, replay};

fn trade(at: i64, price: &str, size: &str) -> String {
    let ts = START + at * 1_000_000;
    format!(
        r#"{{"ts_event":{ts},"symbol":"DUST.X","price":{price},"size":{size},"side":"buy","trade_id":{}}}"#,
        at + 1
    )
}

#[test]
fn tiny_prices_stay_different_numbers() {
    let prices = [
        "1.24e-9",
        "0.00000000126",
        "1.34e-9",
        "6e-10",
        "0.000000000001",
    ];
    let lines: Vec<String> = (0..)
        .zip(prices)
        .map(|(at, price)| trade(at, price, "1000"))
        .collect();
    let run = replay("price", "trade", &lines);
    assert_eq!(run.scores(), [1.24e-9, 1.26e-9, 1.34e-9, 6e-10, 1e-12]);
}

#[test]
fn large_sizes_are_exact() {
    let sizes = ["146033283519", "999999999999999", "1.5e14", "7.000000001"];
    let lines: Vec<String> = (0..)
        .zip(sizes)
        .map(|(at, size)| trade(at, "2", size))
        .collect();
    let run = replay("size", "trade", &lines);
    assert_eq!(
        run.scores(),
        [
            146_033_283_519.0,
            999_999_999_999_999.0,
            1.5e14,
            7.000_000_001
        ]
    );
}

#[test]
fn a_number_that_cannot_be_kept_is_refused_with_its_field() {
    let run = replay(
        "price",
        "trade",
        &[
            trade(0, "1", "1"),
            trade(1, "1e-23", "1"),
            trade(2, "1", "123456789012345.123456789"),
            trade(3, "1", "1e18"),
            trade(4, "9223372036854775807", "1"),
            trade(5, "3", "1"),
        ],
    );
    assert_eq!(run.scores(), [1.0, 3.0]);
    assert_eq!(
        run.refusals(),
        [
            "too_precise price",
            "too_precise size",
            "out_of_range size",
            "missing_field price",
        ]
    );
}

#[test]
fn a_book_with_billions_of_units_is_read() {
    let run = replay(
        "queue_imbalance",
        "book",
        &[
            depth(
                0,
                1,
                true,
                r#"[["0.00000051","146033283519.00"],["9223372036854775807","0"]]"#,
                r#"[["0.00000052","48677761173"]]"#,
            ),
            depth(
                100_000_000,
                2,
                false,
                r#"[["0.00000051","48677761173"]]"#,
                "[]",
            ),
        ],
    );
    assert_eq!(run.scores(), [0.5, 0.0]);
}

#[test]
fn an_undefined_price_is_an_empty_side() {
    let quote = |at: i64, bid: &str| {
        let ts = START + at * 1_000_000;
        format!(
            r#"{{"ts_event":{ts},"symbol":"A.X","bid_px":{bid},"bid_sz":1,"ask_px":12,"ask_sz":1}}"#
        )
    };
    for undefined in [
        "9223372036854775807",
        "9223372036.854776",
        "9.223372036854776e18",
        "\"9223372036.854775807\"",
    ] {
        let lines = [quote(0, "10"), quote(1, undefined), quote(2, "11")];
        let run = replay("mid", "quote", &lines);
        assert_eq!(run.scores(), [11.0, 11.5], "{undefined}");
        assert!(run.dead_letters.is_empty(), "{:?}", run.dead_letters);
    }
}

#[test]
fn a_side_of_size_zero_or_without_a_price_is_empty() {
    let quote = |at: i64, px: &str, sz: &str| {
        let ts = START + at * 1_000_000;
        format!(
            r#"{{"ts_event":{ts},"symbol":"A.X","bid_px":{px},"bid_sz":{sz},"ask_px":12,"ask_sz":1}}"#
        )
    };
    for (px, sz) in [
        ("0", "0"),
        ("\"0\"", "\"0.00\""),
        ("9223372036854775807", "null"),
    ] {
        let lines = [quote(0, "10", "1"), quote(1, px, sz), quote(2, "11", "1")];
        let run = replay("mid", "quote", &lines);
        assert!(run.dead_letters.is_empty(), "{px}: {:?}", run.dead_letters);
        // The old bid must not stay.
        assert_eq!(run.scores(), [11.0, 11.5], "{px}");
    }
    let run = replay("mid", "quote", &[quote(0, "0", "1"), quote(1, "5", "null")]);
    assert_eq!(
        run.refusals(),
        ["out_of_range bid_px", "missing_field bid_sz"]
    );
}

#[test]
fn a_level_of_price_and_size_zero_pads_the_book() {
    let lines = [
        depth(
            0,
            1,
            true,
            r#"[["99","1"],["0","0"]]"#,
            r#"[["101","1"],[0,0]]"#,
        ),
        depth(100_000_000, 2, false, r#"[["0","1"]]"#, "[]"),
    ];
    let run = replay("mid", "book", &lines);
    assert_eq!(run.scores(), [100.0]);
    assert_eq!(run.refusals(), ["out_of_range price"]);
}

#[test]
fn text_of_seventeen_digits_is_never_rounded() {
    let numbers = [
        "1234.5678901234567",
        "1234.5678901234568",
        "1234.5678901234569",
    ];
    let text = numbers.map(|number| format!("\"{number}\""));
    let lines: Vec<String> = (0..)
        .zip(&text)
        .map(|(at, price)| trade(at, price, "1"))
        .collect();
    let run = replay("price", "trade", &lines);
    assert_eq!(run.refusals(), ["too_precise price"; 3]);
    // A float is printed with seventeen digits, of which the last is noise.
    let lines: Vec<String> = (0..)
        .zip(numbers)
        .map(|(at, price)| trade(at, price, "1"))
        .collect();
    let run = replay("price", "trade", &lines);
    assert_eq!(run.scores(), [1234.567890123457; 3]);
}
