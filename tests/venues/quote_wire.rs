//! Quotes as venues without books would send them: the best levels of a book.

use crate::cases::Form;
use crate::market::Truth;
use crate::numerals::{START, rfc3339, tenths, thousandths};

/// The best levels in one message. Alpaca sends another symbol's quote with them, in one list.
pub(crate) fn text_of(form: Form, name: &str, truth: &Truth) -> String {
    let [(bid, bid_size), (ask, ask_size)] =
        [truth.bids[0], truth.asks[0]].map(|(price, size)| (tenths(price), thousandths(size)));
    let (at, time) = (START + truth.ms, rfc3339(truth.ms));
    match form {
        Form::Alpaca => format!(
            r#"[{{"T":"q","S":"{name}","bx":"U","bp":{bid},"bs":{bid_size},"ax":"Q","ap":{ask},"as":{ask_size},"c":["R"],"t":"{time}","z":"C"}},{{"T":"q","S":"FIR","bx":"U","bp":1.5,"bs":1,"ax":"Q","ap":1.6,"as":1,"c":["R"],"t":"{time}","z":"C"}}]"#
        ),
        _ => format!(
            r#"{{"kind":"quote","market":"{name}","bid":"{bid}","bid_size":"{bid_size}","ask":"{ask}","ask_size":"{ask_size}","at":{at}}}"#
        ),
    }
}
