//! The time of an event in a message that is not decoded, and whether it is far ahead of the messages
//! around it.
//!
//! Files without receive times, and several Kafka topics, are read in the order of these times.

use crate::decimal::whole;
use crate::decode::route::SymbolFinder;
use crate::decode::text::{Raw, members};
use crate::frame::packed::{is_packed, name_of, time_of};
use crate::frame::split_stamp;
use crate::time::{of_venue, parse_nanos};
use crate::units::Nanos;

/// The time of the event of a message: `ts_event`, or the venue's `T` or `E`, in every form that the decoder
/// reads; of a row of an archive its receive time, where it has one. None where it has no plausible one.
pub(super) fn event_time(message: &[u8]) -> Option<Nanos> {
    if is_packed(message) {
        return time_of(message);
    }
    if let Some(rest) = message.strip_prefix(b"{\"ts_event\":")
        && matches!(rest.get(NANOS_DIGITS), Some(b',' | b'}' | b' '))
        && let Some(nanos) = digits(&rest[..NANOS_DIGITS])
    {
        return Nanos::plausible(nanos).ok();
    }
    members(message).find_map(|(key, value)| match key.is("data") {
        true => members(value.0).find_map(|(key, value)| venue_time(key, value)),
        false if key.is("ts_event") => Some(written_time(value)),
        false => venue_time(key, value),
    })?
}

/// Digits of a time in nanoseconds since the year 2001.
const NANOS_DIGITS: usize = 19;

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0_i64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| value.checked_mul(10)?.checked_add(i64::from(digit)))?
    })
}

fn written_time(value: Raw<'_>) -> Option<Nanos> {
    Nanos::plausible(parse_nanos(&value.number()?).ok()?).ok()
}

/// Milliseconds or microseconds under `T` or `E`, whichever comes first; the inner option is none where
/// they are not plausible.
fn venue_time(key: Raw<'_>, value: Raw<'_>) -> Option<Option<Nanos>> {
    if !key.is("T") && !key.is("E") {
        return None;
    }
    let time = i64::try_from(whole(&value.number()?)?).ok()?;
    Some(of_venue(time).ok())
}

/// Finds lines whose time is far ahead of the lines around them.
#[derive(Debug, Default)]
pub(super) struct JumpCheck {
    /// How far ahead is too far; none where times are not compared.
    pub(super) max_jump_ns: Option<i64>,
    /// The time of the last line that was not too far ahead, or of a line that began like it.
    last: Option<Nanos>,
    /// The instrument of that line, as it is written there.
    symbol: Option<String>,
    /// How the last line began, if the time came first.
    beginning: [u8; BEGINNING],
    /// The receive time of the last line that has one and was not too far ahead.
    last_stamp: Option<Nanos>,
}

/// Bytes of `{"ts_event":` and eight of nineteen digits: lines that begin alike are within 10¹¹ ns, 100 s.
const BEGINNING: usize = b"{\"ts_event\":".len() + 8;
/// Where this is the limit or more, lines that begin alike need no further look.
const COARSE_NS: i64 = 100_000_000_000;
/// A jump of more than a day is doubted by any line that is back, and so is such a receive time.
const FAR_NS: i64 = 86_400_000_000_000;

impl JumpCheck {
    /// Whether the lines after a line must be asked about its time: it is far ahead of the line before, or no
    /// line before it has a time.
    pub(super) fn is_jump(&mut self, line: &[u8]) -> bool {
        let Some(max_jump) = self.max_jump_ns else {
            return false;
        };
        let beginning = line.first_chunk::<BEGINNING>();
        if beginning == Some(&self.beginning) {
            return false;
        }
        let Some(time) = event_time(line) else {
            return false;
        };
        if self.last.is_none_or(|last| time.since(last) > max_jump) {
            return !may_be_early(line);
        }
        self.note(time, line);
        false
    }

    /// The same about a receive time.
    pub(super) fn is_stamp_jump(&mut self, ts_recv: Nanos) -> bool {
        let is_jump = self
            .last_stamp
            .is_none_or(|last| ts_recv.since(last) > FAR_NS);
        if !is_jump {
            self.last_stamp = Some(ts_recv);
        }
        is_jump
    }

    /// What the lines after a line that jumps are asked, about the time of its event, or about its receive
    /// time where it has one.
    pub(super) fn question(&self, line: &[u8]) -> Question {
        let (stamp, message) = split_stamp(line);
        let (time, before, max_jump_ns) = match stamp {
            Some(stamp) => (stamp.ts_recv, self.last_stamp, FAR_NS),
            None => {
                let time = event_time(message).unwrap_or_default();
                (time, self.last, self.max_jump_ns.unwrap_or(i64::MAX))
            }
        };
        let is_far = before.is_none_or(|before| time.since(before) > FAR_NS);
        Question {
            max_jump_ns,
            time,
            is_stamp: stamp.is_some(),
            is_far,
            symbols: [
                symbol_of(message),
                self.symbol.as_deref().map(str::to_ascii_uppercase),
            ],
            is_first: before.is_none(),
            before,
            jumped: 1,
            back: 0,
            seen: 0,
            is_same_back: false,
            answer: None,
        }
    }

    /// Takes the answer about a line: the time before it, where its own cannot be. Otherwise time has jumped,
    /// as it does over a night.
    pub(super) fn before_outlier(&mut self, line: &[u8], question: &Question) -> Option<Nanos> {
        match question.answer {
            Some(true) => question.before,
            _ if question.is_stamp => {
                self.last_stamp = Some(question.time);
                None
            }
            _ => {
                self.note(question.time, line);
                None
            }
        }
    }

    fn note_symbol(&mut self, line: &[u8]) {
        match (name_of(line), &mut self.symbol) {
            // A row of an archive, of which there are many: the text is used again.
            (Some(name), Some(symbol)) => {
                symbol.clear();
                symbol.push_str(name);
            }
            _ => self.symbol = symbol_of(line),
        }
    }

    fn note(&mut self, time: Nanos, line: &[u8]) {
        self.last = Some(time);
        self.note_symbol(line);
        if is_packed(line) {
            self.beginning = [0; BEGINNING];
            return;
        }
        let is_coarse = self
            .max_jump_ns
            .is_some_and(|max_jump| max_jump >= COARSE_NS);
        let beginning = line.first_chunk::<BEGINNING>().filter(|_| is_coarse);
        self.beginning = match beginning {
            Some(beginning) if beginning.starts_with(b"{\"ts_event\":") => *beginning,
            _ => [0; BEGINNING],
        };
    }
}

/// Whether a line jumps alone, or with a few others, while the lines after it are back where time was.
///
/// One line that is back is enough about one that jumped by more than a day. Of several that jumped, as many
/// must be back as jumped. One of these must be about the same instrument as the line, or as one before it:
/// in a file that is sorted by instrument the time goes back where another one begins. About the first line,
/// two must be back.
#[derive(Debug)]
pub(super) struct Question {
    max_jump_ns: i64,
    /// Of the line.
    time: Nanos,
    /// Whether that is a receive time.
    is_stamp: bool,
    /// Whether it jumps by more than a day.
    is_far: bool,
    /// The instruments of the line, and of one before it.
    symbols: [Option<String>; 2],
    is_first: bool,
    /// Where time was; for the first line, where it is behind it.
    before: Option<Nanos>,
    /// Lines that jumped, the one in question among them.
    jumped: usize,
    /// Lines that are back.
    back: usize,
    /// Lines with a time.
    seen: usize,
    /// Whether one that is back is about the same instrument.
    is_same_back: bool,
    /// Whether the line is an outlier.
    answer: Option<bool>,
}

/// Lines that may jump together and still be outliers.
const JUMPED_MAX: usize = 32;
/// Of up to so many, fewer may be back at the end of the file.
const FEW: usize = 4;
/// Lines with a time that are asked.
const SEEN_MAX: usize = 128;

impl Question {
    /// Asks the next line. Says whether more must be asked.
    pub(super) fn ask(&mut self, line: &[u8]) -> bool {
        let (stamp, message) = split_stamp(line);
        let time = match (self.is_stamp, stamp) {
            (true, stamp) => stamp.map(|stamp| stamp.ts_recv),
            (false, None) if !may_be_early(message) => event_time(message),
            (false, _) => None,
        };
        if let Some(time) = time {
            self.seen += 1;
            self.answer = self.answer_of(time, message);
            if self.answer.is_none() && self.seen == SEEN_MAX {
                self.answer = Some(false);
            }
        }
        self.answer.is_none()
    }

    /// There is no further line.
    pub(super) fn end(&mut self) {
        let needed = match self.jumped {
            ..=FEW => 1 + usize::from(self.is_first),
            jumped => jumped,
        };
        let is_enough = self.back >= needed && self.is_of_same();
        self.answer = self.answer.or(Some(is_enough));
    }

    fn answer_of(&mut self, time: Nanos, line: &[u8]) -> Option<bool> {
        let is_back = match self.before {
            Some(before) if time.since(before) > self.max_jump_ns => false,
            Some(before) if before.since(time) > self.max_jump_ns => return Some(false),
            Some(_) => true,
            None if time.since(self.time) > self.max_jump_ns => return Some(false),
            None => self.time.since(time) > self.max_jump_ns,
        };
        if !is_back {
            // A line that jumps behind one that is back is asked about in its turn.
            self.jumped += usize::from(self.back == 0);
            return (self.jumped > JUMPED_MAX).then_some(false);
        }
        self.before = self.before.or(Some(time));
        self.back += 1;
        self.is_same_back = self.is_same_back || self.symbols.contains(&symbol_of(line));
        let needed = self.jumped.max(1 + usize::from(self.is_first));
        (self.back >= needed && self.is_of_same()).then_some(true)
    }

    fn is_of_same(&self) -> bool {
        self.is_stamp || self.is_same_back || self.jumped == 1 && self.is_far
    }
}

fn symbol_of(line: &[u8]) -> Option<String> {
    let symbol = SymbolFinder::default().symbol_of(0, line).map(String::from);
    symbol.map(|symbol| symbol.to_ascii_uppercase())
}

/// Figures and sentiment may come before their time.
fn may_be_early(line: &[u8]) -> bool {
    members(line).any(|(key, _)| key.is("figure") || key.is("sentiment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_event_is_found() {
        let time = Some(Nanos(1_700_000_000_123_000_000));
        for message in [
            r#"{"ts_event":1700000000123000000,"x":1}"#,
            r#"{ "x":{"ts_event":5}, "ts_event" : "1700000000123000000" }"#,
            r#"{"x":"\"ts_event\":5","ts_event":"2023-11-14T22:13:20.123Z"}"#,
            r#"{"e":"trade","E":1700000000123,"T":1700000000122}"#,
            r#"{"stream":"x@trade","data":{"T":1700000000123000,"E":1700000000999}}"#,
            r#"{"ts_event":1.700000000123e18,"x":1}"#,
            r#"{"ts_event":1700000000123000000.0,"x":1}"#,
            r#"{"ts_event":"1.700000000123e18"}"#,
            r#"{"e":"trade","T":"1700000000123"}"#,
            r#"{"e":"trade","T":1.700000000123e12}"#,
            r#"{"e":"trade","T":1700000000123.0}"#,
        ] {
            assert_eq!(event_time(message.as_bytes()), time, "{message}");
        }
        for message in [
            r#"{"ts_event":1700000000123,"x":1}"#,
            r#"{"ts_event":17000000001230000000,"x":1}"#,
            r#"{"ts_event":null}"#,
            r#"{"ts_event":"noon"}"#,
            r#"{"E":7}"#,
            r#"{"ts_event":"#,
            "",
        ] {
            assert_eq!(event_time(message.as_bytes()), None, "{message}");
        }
    }

    /// The places of the outliers among lines. A line without a digit at its beginning has no time.
    fn outliers_by(max_jump_ns: i64, lines: &[String]) -> Vec<usize> {
        let mut check = JumpCheck {
            max_jump_ns: Some(max_jump_ns),
            ..JumpCheck::default()
        };
        let mut found = vec![];
        for (at, line) in lines.iter().enumerate() {
            let line = line.as_bytes();
            if !check.is_jump(line) {
                continue;
            }
            let mut question = check.question(line);
            for next in &lines[at + 1..] {
                if !question.ask(next.as_bytes()) {
                    break;
                }
            }
            question.end();
            if check.before_outlier(line, &question).is_some() {
                found.push(at);
            }
        }
        found
    }

    /// A line of this instrument, so many seconds after the start.
    fn line_of(symbol: &str, second: i64) -> String {
        let ts = (1_700_000_000 + second) * 1_000_000_000;
        format!(r#"{{"ts_event":{ts},"symbol":"{symbol}"}}"#)
    }

    const MINUTE: i64 = 60_000_000_000;

    #[test]
    fn a_line_is_an_outlier_where_the_next_ones_are_back() {
        let outliers_by = |max_jump_ns: i64, seconds: &[i64]| {
            let lines: Vec<String> = seconds.iter().map(|&second| line_of("A", second)).collect();
            outliers_by(max_jump_ns, &lines)
        };
        let outliers = |seconds: &[i64]| outliers_by(MINUTE, seconds);
        assert_eq!(outliers(&[0, 1, 9_000, 2, 3]), [2]);
        assert_eq!(outliers_by(COARSE_NS, &[0, 1, 9_000, 2, 3]), [2]);
        assert_eq!(outliers_by(COARSE_NS, &[0, 1, 90, 2, 3]), [0; 0]);
        assert_eq!(outliers(&[0, 1, 9_000, 9_001, 9_002]), [0; 0], "a night");
        assert_eq!(outliers(&[0, 1, 9_000, 9_001, 2, 3]), [2, 3], "two");
        assert_eq!(outliers(&[0, 9_000, 500, 9_001, 1, 2, 3]), [1, 2, 3]);
        assert_eq!(outliers(&[0, 9_000, 1, 9_001, 2, 9_002, 3]), [1, 3, 5]);
        assert_eq!(
            outliers(&[0, 900, 901, 902, 903, 904, 1, 2]),
            [0; 0],
            "many"
        );
        assert_eq!(outliers(&[9_000, 0, 1]), [0], "the first line");
        assert_eq!(outliers(&[9_000, 9_001, 0, 1, 2]), [0, 1], "the first two");
        assert_eq!(outliers(&[9_000, 0]), [0; 0], "one against one");
        assert_eq!(outliers(&[0, 9_000, 9_001]), [0; 0], "then a night");
        assert_eq!(
            outliers(&[5_000, 9_000, 0, 4_000]),
            [0; 0],
            "another instrument"
        );
        assert_eq!(outliers(&[0, 1, 9_000]), [0; 0], "the last line");
    }

    #[test]
    fn lines_without_a_time_and_figures_are_passed_over() {
        let beat = || r#"{"type":"heartbeat"}"#.to_owned();
        let line = |second| line_of("A", second);
        let lines = [line(0), line(9_000), beat(), "{".into(), line(1), line(2)];
        assert_eq!(outliers_by(MINUTE, &lines), [1]);
        let lines = [beat(), line(9_000), beat(), line(1), beat(), line(2)];
        assert_eq!(outliers_by(MINUTE, &lines), [1]);
        let figure = r#"{"ts_event":1700009000000000000,"figure":"cpi"}"#;
        let lines = [line(0), figure.to_owned(), line(1), line(2)];
        assert_eq!(outliers_by(MINUTE, &lines), [0; 0]);
        let text = r#"{"ts_event":1.700009e18,"symbol":"A"}"#;
        let lines = [line(0), text.to_owned(), line(1), line(2)];
        assert_eq!(outliers_by(MINUTE, &lines), [1], "an exponent");
    }

    #[test]
    fn time_goes_back_where_another_instrument_begins() {
        let of = |symbol: &str, seconds: [i64; 4]| seconds.map(|second| line_of(symbol, second));
        let sorted = [of("A", [0, 1, 9_000, 9_001]), of("B", [0, 1, 9_000, 9_001])].concat();
        assert_eq!(outliers_by(MINUTE, &sorted), [0; 0]);
    }
}
