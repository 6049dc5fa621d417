//! Which column of an archive is which field of a row.

use std::io;

use super::cells::RowCells;
use super::known::{FORMS, KnownForm, ZeroPrice};
use super::lacking::{self, Lack};
use super::mapping::{HistoryMapping, HistoryUnit, Role};
use super::naming::{Naming, naming};
use super::row_kind::{RowKind, is_of_kinds};
use super::time_form::TimeForm;
use super::told::ToldOfFile;
use crate::event::TradeIds;
use crate::frame::packed::RowFault;

/// Which column of an archive is which field of a row. Columns are named by their places in `used`.
#[derive(Debug)]
pub(super) struct Layout {
    /// The columns that are read: what each holds, and its place in the file.
    pub(super) used: Vec<(Role, usize)>,
    /// Their names.
    pub(super) columns: Vec<String>,
    pub(super) ts_event: usize,
    pub(super) ts_recv: Option<usize>,
    pub(super) times: TimeForm,
    pub(super) price_places: Option<i32>,
    pub(super) size_places: Option<i32>,
    pub(super) naming: Naming,
    pub(super) has_tick_rule: bool,
    kinds: RowKinds,
}

/// What the rows are.
#[derive(Debug)]
enum RowKinds {
    One(RowFields),
    /// As this column says.
    Several {
        event: usize,
        fields: Vec<RowFields>,
    },
}

/// The fields of a kind of row.
#[derive(Clone, Copy, Debug)]
pub(super) enum RowFields {
    Trade {
        price: usize,
        size: usize,
        side: SideFrom,
        trade_id: Option<usize>,
        /// Whether numbers of trades may be text, and then are none.
        has_text_ids: bool,
        ids: TradeIds,
        ids_at: Option<usize>,
        aggregate: bool,
        aggregate_at: Option<usize>,
    },
    /// Price and size of each side.
    Quote {
        bid: (usize, usize),
        ask: (usize, usize),
        sequence: Option<usize>,
        zero_price: ZeroPrice,
    },
    /// Open, high, low and close.
    Bar {
        prices: [usize; 4],
        volume: Option<usize>,
    },
    Book {
        first: usize,
        last: usize,
        snapshot: usize,
        bids: usize,
        asks: usize,
        splice: Option<usize>,
        link: Option<usize>,
        keep: Option<usize>,
    },
}

/// Where the side of a trade is from.
#[derive(Clone, Copy, Debug)]
pub(super) enum SideFrom {
    /// It is unknown.
    Nothing,
    /// A column that names the side that took.
    Taker(usize),
    /// A column that says whether the buyer was the maker.
    BuyerIsMaker(usize),
}

impl Layout {
    /// Finds the fields among these columns.
    ///
    /// # Errors
    /// Where a column that was named is not there, or no kind of row has all its columns.
    pub(super) fn find(names: &[String], told: &ToldOfFile<'_>) -> io::Result<Self> {
        let FoundColumns {
            used,
            form,
            missing,
        } = found_columns(names, told)?;
        check_once(names, used.iter().map(|(_, place)| *place))?;
        let at = |role: Role| used.iter().position(|(one, _)| *one == role);
        let Some(ts_event) = at(Role::TsEvent) else {
            return Err(lacking::refused(names));
        };
        let mapping = told.mapping;
        let later = form.map_or((0, 0), |form| form.later);
        // Our own fields are in nanoseconds, and another unit in them is a mistake, which the decoder names.
        let is_own = form.is_none() && names[used[ts_event].1] == Role::TsEvent.field();
        let own_unit = is_own.then_some(HistoryUnit::Nanoseconds);
        let times = TimeForm {
            unit: mapping.ts_unit.or(told.times.unit).or(own_unit),
            zone: mapping.zone.or(told.times.zone),
            day: told.times.day,
            later: (later.0, mapping.bar_ns.unwrap_or(later.1)),
            lateness_ns: told.lateness_ns.unwrap_or(0),
        };
        let fields = all_fields(&at, form, mapping);
        let lack = Lack {
            names,
            mapping,
            missing: &missing,
        };
        let kinds = kinds(fields, &at, &lack)?;
        Ok(Self {
            ts_event,
            ts_recv: at(Role::TsRecv),
            times,
            price_places: mapping
                .price_places
                .or(form.and_then(|form| form.price_places)),
            size_places: mapping.size_places,
            naming: naming(&used, form, told)?,
            has_tick_rule: mapping.tick_rule,
            kinds,
            columns: used.iter().map(|(_, at)| names[*at].clone()).collect(),
            used,
        })
    }

    /// How the times of a column are written.
    pub(super) fn times_of(&self, role: Role) -> TimeForm {
        match role {
            Role::TsRecv => TimeForm {
                later: (0, 0),
                ..self.times
            },
            _ => self.times,
        }
    }

    /// Whether numbers of trades may be text, and then are none.
    pub(super) fn has_text_ids(&self) -> bool {
        self.trade().is_some_and(|(_, has_text_ids)| has_text_ids)
    }

    /// Whether the column of the side says whether the buyer was the maker.
    pub(super) fn is_maker_flag(&self) -> bool {
        let side = self.trade().map(|(side, _)| side);
        matches!(side, Some(SideFrom::BuyerIsMaker(_)))
    }

    fn trade(&self) -> Option<(SideFrom, bool)> {
        let fields = match &self.kinds {
            RowKinds::One(fields) => std::slice::from_ref(fields),
            RowKinds::Several { fields, .. } => fields,
        };
        fields.iter().find_map(|fields| match fields {
            RowFields::Trade {
                side, has_text_ids, ..
            } => Some((*side, *has_text_ids)),
            _ => None,
        })
    }

    /// The fields of the row that these cells are of.
    pub(super) fn fields_of(&self, cells: &impl RowCells) -> Result<&RowFields, (RowFault, usize)> {
        let (event, fields) = match &self.kinds {
            RowKinds::One(fields) => return Ok(fields),
            RowKinds::Several { event, fields } => (*event, fields),
        };
        let word = cells.text(event);
        let of_word = fields.iter().find(|fields| fields.kind().word() == word);
        of_word.ok_or((RowFault::OutOfRange("row"), event))
    }
}

impl RowFields {
    fn kind(&self) -> RowKind {
        match self {
            Self::Trade { .. } => RowKind::Trade,
            Self::Quote { .. } => RowKind::Quote,
            Self::Bar { .. } => RowKind::Bar,
            Self::Book { .. } => RowKind::Book,
        }
    }

    /// Whether a column of this role is one that tells such a row from others.
    fn has(&self, role: Role) -> bool {
        match self {
            Self::Trade { .. } => matches!(role, Role::Price | Role::Size),
            Self::Quote { .. } => matches!(role, Role::BidPx | Role::AskPx),
            Self::Bar { .. } => matches!(role, Role::Open | Role::Close),
            Self::Book { .. } => matches!(role, Role::Bids | Role::Asks),
        }
    }
}

/// The columns that were found.
struct FoundColumns {
    used: Vec<(Role, usize)>,
    form: Option<&'static KnownForm>,
    /// What was told to be in a column that is not there; it belongs to some kinds of row alone.
    missing: Vec<Role>,
}

/// What the columns hold: as they were told, then as a form has them, then by our own names.
fn found_columns(names: &[String], told: &ToldOfFile<'_>) -> io::Result<FoundColumns> {
    let mapping = told.mapping;
    let (mut used, mut missing) = (vec![], vec![]);
    for (role, written) in &mapping.columns {
        let exact = names.iter().position(|name| name == written);
        let loose = || {
            names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(written))
        };
        match exact.or_else(loose) {
            Some(place) => used.push((*role, place)),
            // One mapping may serve files of several kinds of row.
            None if is_of_kinds(*role) => missing.push(*role),
            None => return Err(lacking::no_column(*role, written, names)),
        }
    }
    let is_own = names.iter().any(|name| name == Role::TsEvent.field());
    let is_wanted = |form: &&KnownForm| mapping.preset.is_none_or(|preset| form.preset == preset);
    let found = match told.form {
        Some(form) => Some(form).zip(form.find(names)),
        None if is_own && mapping.preset.is_none() => None,
        None => {
            let forms = FORMS.iter().filter(is_wanted);
            let mut found = forms.filter_map(|form| Some((form, form.find(names)?)));
            found.next()
        }
    };
    let form = found.as_ref().map(|(form, _)| *form);
    let own = Role::ALL.iter().filter_map(|role| {
        let is_own =
            |name: &String| name == role.field() || *role == Role::Symbol && name == "instrument";
        Some((*role, names.iter().position(is_own)?))
    });
    // Our symbols are whole names, whatever stands beside them.
    let own = own.filter(|(role, _)| form.is_none() && *role != Role::Venue);
    for (role, place) in found.into_iter().flat_map(|(_, roles)| roles).chain(own) {
        if !used.iter().any(|(one, _)| *one == role) && !missing.contains(&role) {
            used.push((role, place));
        }
    }
    if mapping.instrument.is_some() {
        used.retain(|(role, _)| !matches!(role, Role::Symbol | Role::Venue));
    }
    Ok(FoundColumns {
        used,
        form,
        missing,
    })
}

/// The fields of each kind of row that has all its columns.
fn all_fields(
    at: &impl Fn(Role) -> Option<usize>,
    form: Option<&KnownForm>,
    mapping: &HistoryMapping,
) -> Vec<RowFields> {
    let trade = || {
        let is_maker = form.is_some_and(|form| form.buyer_is_maker);
        let side = match at(Role::Side) {
            None => SideFrom::Nothing,
            Some(at) if is_maker => SideFrom::BuyerIsMaker(at),
            Some(at) => SideFrom::Taker(at),
        };
        let is_mapped = mapping
            .columns
            .iter()
            .any(|(role, _)| *role == Role::TradeId);
        let usual = match form {
            Some(form) => form.ids,
            None if is_mapped => TradeIds::Distinct,
            None => TradeIds::Successive,
        };
        Some(RowFields::Trade {
            price: at(Role::Price)?,
            size: at(Role::Size)?,
            side,
            trade_id: at(Role::TradeId),
            has_text_ids: form.is_some_and(|form| !form.buyer_is_maker),
            ids: mapping.trade_ids.unwrap_or(usual),
            ids_at: at(Role::TradeIds),
            aggregate: form.is_some_and(|form| form.aggregate),
            aggregate_at: at(Role::Aggregate),
        })
    };
    let quote = || {
        Some(RowFields::Quote {
            bid: (at(Role::BidPx)?, at(Role::BidSz)?),
            ask: (at(Role::AskPx)?, at(Role::AskSz)?),
            sequence: at(Role::Sequence),
            zero_price: form.map_or(ZeroPrice::Price, |form| form.zero_price),
        })
    };
    let bar = || {
        Some(RowFields::Bar {
            prices: [
                at(Role::Open)?,
                at(Role::High)?,
                at(Role::Low)?,
                at(Role::Close)?,
            ],
            volume: at(Role::Volume),
        })
    };
    let book = || {
        Some(RowFields::Book {
            first: at(Role::FirstSequence)?,
            last: at(Role::Sequence)?,
            snapshot: at(Role::Snapshot)?,
            bids: at(Role::Bids)?,
            asks: at(Role::Asks)?,
            splice: at(Role::Splice),
            link: at(Role::Link),
            keep: at(Role::Keep),
        })
    };
    [book(), bar(), quote(), trade()]
        .into_iter()
        .flatten()
        .collect()
}

/// What the rows are, of the kinds whose columns are all there.
fn kinds(
    mut fields: Vec<RowFields>,
    at: &impl Fn(Role) -> Option<usize>,
    lack: &Lack<'_>,
) -> io::Result<RowKinds> {
    if fields.is_empty() {
        return Err(lack.no_kind(|role| at(role).is_some()));
    }
    let event = at(Role::Event);
    if fields.len() > 1 && event.is_none() {
        fields.retain(|fields| lack.found().any(|role| fields.has(role)));
    }
    let kinds: Vec<RowKind> = fields.iter().map(RowFields::kind).collect();
    match (event, &fields[..]) {
        (Some(event), _) => {
            lack.check(&kinds)?;
            Ok(RowKinds::Several { event, fields })
        }
        (None, [one]) => {
            lack.check(&kinds)?;
            Ok(RowKinds::One(*one))
        }
        (None, _) => Err(lack.several_kinds(&kinds)),
    }
}

/// Refuses two columns of one name, of which one is read.
///
/// # Errors
/// With the places of both.
pub(super) fn check_once(names: &[String], used: impl Iterator<Item = usize>) -> io::Result<()> {
    for place in used {
        let name = &names[place];
        let is_twin = |at: &usize| *at != place && names[*at] == *name && !name.is_empty();
        if let Some(twin) = (0..names.len()).find(is_twin) {
            let (one, other) = (place.min(twin) + 1, place.max(twin) + 1);
            return Err(io::Error::other(format!(
                "it has two columns `{name}`, the {one}. and the {other}., and nothing tells which one is meant: \
                 rename one of them"
            )));
        }
    }
    Ok(())
}
