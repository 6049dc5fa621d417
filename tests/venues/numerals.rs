//! Prices, sizes and times of the made-up market as texts.

pub(crate) fn tenths(price: i64) -> String {
    format!("{}.{}", price / 10, price % 10)
}

pub(crate) fn thousandths(size: i64) -> String {
    format!("{}.{:03}", size / 1_000, size % 1_000)
}

/// The time so many milliseconds after the start.
pub(crate) fn rfc3339(ms: i64) -> String {
    let (seconds, millis) = (ms / 1_000, ms % 1_000);
    let (hours, minutes) = (14 + seconds / 3_600, seconds / 60 % 60);
    format!(
        "2026-02-03T{hours:02}:{minutes:02}:{:02}.{millis:03}Z",
        seconds % 60
    )
}

/// 2026-02-03 14:00 UTC, in milliseconds.
pub(crate) const START: i64 = 1_770_127_200_000;
