//! Files of funding and borrowing: rates by instrument and time.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::backtest::RateTable;
use crate::time::parse_time;

/// A row of a file.
#[derive(Debug, Deserialize)]
struct RateRow {
    ts_event: String,
    instrument: String,
    bps: f64,
}

/// Reads a CSV file with the columns `ts_event`, `instrument` and `bps`, in any order of rows.
///
/// # Errors
/// A sentence with the file, the line and what to write.
pub(super) fn read_rates(path: &Path) -> Result<RateTable, String> {
    let shown = path.display();
    let form = "write columns ts_event,instrument,bps, as 2024-08-08T00:00:00Z,BTCUSDT.BINANCE,1.0";
    let reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path);
    let mut reader = reader.map_err(|cause| format!("while reading {shown}: {cause}"))?;
    let mut rates: BTreeMap<String, Vec<(i64, f64)>> = BTreeMap::new();
    for (number, row) in reader.deserialize::<RateRow>().enumerate() {
        let at =
            |what: String| format!("while reading {shown}, row {}: {what}; {form}", number + 1);
        let row = row.map_err(|error| at(error.to_string()))?;
        let ts = parse_time(&row.ts_event).map_err(&at)?;
        if !row.bps.is_finite() {
            return Err(at("bps is no finite number".into()));
        }
        rates
            .entry(row.instrument)
            .or_default()
            .push((ts.0, row.bps));
    }
    if rates.is_empty() {
        return Err(format!("while reading {shown}: it has no rates; {form}"));
    }
    let mut table = RateTable::new();
    for (name, mut of) in rates {
        of.sort_by_key(|rate| rate.0);
        if let Some(pair) = of.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let ts = pair[0].0;
            return Err(format!(
                "while reading {shown}: {name} has two rates of one time ({ts}); leave one out"
            ));
        }
        table.insert(name, of.into());
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backtest::EVERY;
    use crate::tests::scratch::Scratch;

    #[test]
    fn rates_are_by_instrument_and_in_order_of_time() {
        let scratch = Scratch::new();
        let text = "instrument,ts_event,bps\nBTC,2024-01-01T08:00:00Z,2\nBTC,2024-01-01,-1.5\n*,1704067200000000000,3\n";
        let table = read_rates(&scratch.write("sound.csv", text)).unwrap();
        let day = 1_704_067_200_000_000_000;
        assert_eq!(
            *table["BTC"],
            [(day, -1.5), (day + 8 * 3_600_000_000_000, 2.0)]
        );
        assert_eq!(*table[EVERY], [(day, 3.0)]);
        for (text, words) in [
            ("ts_event,instrument,bps\n", "it has no rates"),
            ("time,instrument,bps\n1,A,2\n", "row 1: "),
            ("ts_event,instrument,bps\nsoon,A,2\n", "row 1: "),
            (
                "ts_event,instrument,bps\n2024-01-01,A,NaN\n",
                "no finite number",
            ),
            (
                "ts_event,instrument,bps\n2024-01-01,A,1\n2024-01-01,A,2\n",
                "two rates of one time",
            ),
        ] {
            let said = read_rates(&scratch.write("bad.csv", text)).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
