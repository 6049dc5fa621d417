//! Texts and their codes, by hand and by property.

use proptest::prelude::*;

use super::*;

struct Shown(i64);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0)
    }
}

fn code(text: &str) -> i64 {
    parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

#[test]
fn decimals_are_exact_from_meme_coins_to_daily_volumes() {
    for text in [
        "61837.63",
        "0.00000000124",
        "0.000000000001",
        "0.0000000000000000000001",
        "146033283519",
        "146033283519.123456",
        "999999999999999.999",
        "999999999999999999",
        "123456.123456789012",
        "0.30000000000000004",
        "43.064998626708984",
        "-37.63",
        "0.5",
        "0",
    ] {
        assert_eq!(Shown(code(text)).to_string(), text);
        assert_eq!(to_f64(code(text)), text.parse::<f64>().unwrap(), "{text}");
    }
}

#[test]
fn one_value_has_one_code() {
    for (text, other) in [
        ("1.50", "1.5"),
        ("1e-05", "0.00001"),
        ("1.5E3", "1500"),
        ("1500.000000000000000000000000", "1500"),
        ("0.1e+2", "10"),
        ("-0.0", "0"),
        ("0e999999999999", "0"),
        ("000", "0"),
    ] {
        assert_eq!(code(text), code(other), "{text}");
    }
}

#[test]
fn a_number_that_would_have_to_be_rounded_is_refused() {
    for text in [
        "1e-23",
        "1e-400",
        "0.00000000000000000000012",
        "1234.12345678901234",
        "999999999999999.9999",
        "1.1234567890123456789",
    ] {
        assert_eq!(
            parse(text.as_bytes()),
            Err(NumberError::TooPrecise),
            "{text}"
        );
    }
    // 2^64 is zero in 64 bits.
    for text in [
        "1000000000000000000",
        "18446744073709551616",
        "1e300",
        "-1e18",
        "1e99999999999999",
    ] {
        assert_eq!(
            parse(text.as_bytes()),
            Err(NumberError::OutOfRange),
            "{text}"
        );
    }
}

#[test]
fn the_last_digit_of_a_float_is_rounded_and_that_of_text_is_not() {
    for (float, kept) in [
        ("1.2345678901234567", "1.234567890123457"),
        ("1234.5678901234567", "1234.567890123457"),
        ("9.9999999999999996", "10"),
    ] {
        let rounded = parse_float(float.as_bytes()).unwrap();
        assert_eq!(Shown(rounded).to_string(), kept, "{float}");
        assert_eq!(
            parse(float.as_bytes()),
            Err(NumberError::TooPrecise),
            "{float}"
        );
    }
    // Where all digits are kept there is nothing to round.
    let kept = "0.30000000000000004";
    assert_eq!(parse_float(kept.as_bytes()), Ok(code(kept)));
}

#[test]
fn text_that_is_no_number_is_refused() {
    for text in [
        "",
        "-",
        ".",
        "1.",
        ".5",
        "1.2.3",
        "NaN",
        "inf",
        "1e",
        "1e5e",
        "0x10",
        " 1",
        "1,5",
        "+1",
        "1.e5",
        "1e5.5",
        "1111111111111111111111x",
        "e5",
    ] {
        assert_eq!(
            parse(text.as_bytes()),
            Err(NumberError::NotANumber),
            "{text:?}"
        );
    }
}

#[test]
fn the_largest_integer_is_undefined() {
    for text in [
        "9223372036854775807",
        "9223372036.854775807",
        "9223372036.854776",
        "9223372036.8547760",
        "9.223372036854776e9",
        "9.223372036854776e18",
        "9223372036854776000",
    ] {
        assert_eq!(code(text), UNDEFINED, "{text}");
    }
    for text in [
        "9223372036.854775",
        "922337203.6854776",
        "-9223372036.854776",
    ] {
        assert_ne!(code(text), UNDEFINED, "{text}");
    }
}

#[test]
fn a_whole_number_may_be_written_in_many_ways() {
    for (text, value) in [
        ("7", Some(7)),
        ("-7.00", Some(-7)),
        ("1790000001100000000.0", Some(1_790_000_001_100_000_000)),
        ("1.7900000011e18", Some(1_790_000_001_100_000_000)),
        ("17900E+2", Some(1_790_000)),
        ("1200e-2", Some(12)),
        ("0.0e9", Some(0)),
        ("1.5", None),
        ("1e-1", None),
        ("1e99", None),
        ("1e99999999999999999999", None),
        ("1.", None),
        (".5", None),
        ("+5", None),
        ("noon", None),
        ("", None),
    ] {
        assert_eq!(whole(text), value, "{text}");
    }
}

#[test]
fn a_float_is_written_as_json_writes_numbers() {
    for (text, value) in [
        ("5", 5.0),
        ("-0.5e-3", -0.0005),
        ("1E+2", 100.0),
        ("007", 7.0),
    ] {
        assert_eq!(float(text), Ok(value), "{text}");
    }
    for text in [
        "+5", ".5", "5.", "-", "1e", "inf", "NaN", "1_000", "", "1.e5",
    ] {
        assert_eq!(float(text), Err(NumberError::NotANumber), "{text}");
    }
    assert_eq!(float("1e999"), Err(NumberError::OutOfRange));
}

#[test]
fn scaled_integers_come_back() {
    assert_eq!(from_scaled(6_183_763, 2), Some(code("61837.63")));
    assert_eq!(scaled(code("61837.63"), 8), Some(6_183_763_000_000));
    assert_eq!(
        scaled(code("0.125"), 2),
        None,
        "it would have to be rounded"
    );
    assert_eq!(scaled(code("-2.5"), 1), Some(-25));
    assert_eq!(from_scaled(i64::MAX, 0), None);
}

proptest! {
    #[test]
    fn the_short_way_and_the_long_way_agree(
        text in "[0-9]{0,20}(\\.[0-9]{0,20})?(e-?[0-9]{1,2})?",
    ) {
        let text = text.as_bytes();
        let long = match text {
            [] => Err(NumberError::NotANumber),
            text => parse_long(text, false),
        };
        prop_assert_eq!(parse(text), long);
    }

    #[test]
    fn codes_are_exact_and_ordered(
        numbers in prop::array::uniform2((any::<bool>(), 0_u64..1_000_000_000_000_000, -4_i32..22)),
    ) {
        // At most fifteen digits: every such number below 10^18 is kept, and the float of its text is exact.
        let texts = numbers.map(|(negative, value, places)| {
            format!("{}{value}e{}", if negative { "-" } else { "" }, -places)
        });
        let read = |text: &String| parse(text.as_bytes());
        let float = |text: &String| text.parse::<f64>().unwrap();
        for text in &texts {
            match read(text) {
                Ok(code) => {
                    prop_assert_eq!(to_f64(code), float(text));
                    prop_assert_eq!(read(&Shown(code).to_string()), Ok(code));
                }
                Err(error) => {
                    let right = match error {
                        NumberError::OutOfRange => float(text).abs() >= 1e18,
                        NumberError::TooPrecise => float(text).abs() < 1e-6,
                        NumberError::NotANumber => false,
                    };
                    prop_assert!(right, "{text}: {error:?}");
                }
            }
        }
        if let [Ok(left), Ok(right)] = [read(&texts[0]), read(&texts[1])] {
            prop_assert_eq!(Some(left.cmp(&right)), float(&texts[0]).partial_cmp(&float(&texts[1])));
        }
    }

    #[test]
    fn what_is_read_can_be_written(text in "[-+]?[0-9.eE]{0,30}") {
        if let Ok(code) = parse(text.as_bytes()) {
            prop_assert_eq!(parse(Shown(code).to_string().as_bytes()), Ok(code));
        }
    }
}
