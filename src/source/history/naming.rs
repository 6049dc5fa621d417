//! How the instruments of an archive's rows are found.

use std::io;

use super::known::{FormNaming, KnownForm};
use super::mapping::Role;
use super::told::ToldOfFile;

/// How the instrument of a row is found.
#[derive(Debug)]
pub(super) enum Naming {
    /// All rows have the same.
    Fixed(String),
    Column {
        symbol: usize,
        venue: VenueFrom,
    },
}

/// Where the venue of a symbol is from.
#[derive(Debug)]
pub(super) enum VenueFrom {
    /// The symbol is the whole name.
    Nothing,
    Fixed(String),
    Column(usize),
}

/// How the instruments are found, of columns that hold these.
pub(super) fn naming(
    used: &[(Role, usize)],
    form: Option<&KnownForm>,
    told: &ToldOfFile<'_>,
) -> io::Result<Naming> {
    let mapping = told.mapping;
    if let Some(instrument) = &mapping.instrument {
        return Ok(Naming::Fixed(instrument.clone()));
    }
    let at = |role: Role| used.iter().position(|(one, _)| *one == role);
    if let Some(symbol) = at(Role::Symbol) {
        let venue = match (at(Role::Venue), &mapping.venue) {
            (_, Some(venue)) => VenueFrom::Fixed(venue.clone()),
            (Some(at), None) => VenueFrom::Column(at),
            (None, None) => VenueFrom::Nothing,
        };
        return Ok(Naming::Column { symbol, venue });
    }
    let name = told.name;
    let (symbol, venue) = match form.map(|form| form.naming) {
        Some(FormNaming::FileUpToHyphen(venue)) => (Some(name.up_to_hyphen()), Some(venue)),
        Some(FormNaming::WholeFile) => (Some(name.stem.clone()), None),
        Some(FormNaming::Told) => (told.instrument.clone(), None),
        Some(FormNaming::Columns) | None => (name.folder_value("instrument"), None),
    };
    let venue = mapping.venue.as_deref().or(venue);
    match (symbol, venue) {
        (Some(symbol), Some(venue)) => Ok(Naming::Fixed(whole_name(&symbol, venue))),
        (Some(symbol), None) => Ok(Naming::Fixed(symbol)),
        (None, _) => Err(io::Error::other(
            "no column names the instrument: say in [source.history] which one is the `symbol`, or give all rows \
             one name, as `instrument = \"BTCUSDT.BINANCE\"`",
        )),
    }
}

/// The whole name of a symbol of a venue: a symbol that ends in the venue is one already.
pub(super) fn whole_name(symbol: &str, venue: &str) -> String {
    match symbol.is_empty() || venue.is_empty() || has_venue(symbol, venue) {
        true => symbol.to_owned(),
        false => format!("{symbol}.{venue}"),
    }
}

/// Whether a symbol ends in `.VENUE`, in upper or lower case.
fn has_venue(symbol: &str, venue: &str) -> bool {
    let parts = symbol.rsplit_once('.');
    parts.is_some_and(|(symbol, last)| !symbol.is_empty() && last.eq_ignore_ascii_case(venue))
}
