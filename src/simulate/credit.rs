//! Firms that report once a year and applicants for loans, all made up, as records of
//! `credit.statements.v1` and `credit.applications.v1`.
//!
//! A firm's assets are drawn log-normally (median 400 million, spread 1). It is sound, and its figures
//! differ from year to year by some percent, until in any year after its fifth it begins to decay, with a
//! chance of one in eight. Then debt grows and income and market value fall for four years, and it fails:
//! it reports no more, and another firm takes its place under a new name.
//!
//! Of applicants six in eight pay on time, one in eight has slipped by a month or two, one in eight is in
//! arrears by two to five. Limits are drawn log-normally (median 140,000, spread 0.7); between a tenth and
//! nine tenths of them are billed, and of that a tenth to all is paid, by those in arrears a twentieth.

use serde_json::{Value, json};

use super::random::Random;
use crate::units::Nanos;

/// Firms that report, each once a round.
#[derive(Clone, Debug)]
pub struct Firms {
    random: Random,
    firms: Vec<Firm>,
    founded: usize,
    year: i64,
}

#[derive(Clone, Debug)]
struct Firm {
    name: String,
    /// Total assets, in millions of US dollars.
    assets: f64,
    /// Years reported.
    age: u32,
    /// Years of decay; none while it is sound.
    decay: Option<u32>,
}

/// Applicants, one after the other.
#[derive(Clone, Debug)]
pub struct Applicants {
    random: Random,
    number: u64,
}

impl Firms {
    /// `count` firms.
    #[must_use]
    pub fn new(seed: u64, count: usize) -> Self {
        let mut all = Self {
            random: Random::new(seed, "firms"),
            firms: vec![],
            founded: 0,
            year: FIRST_YEAR,
        };
        all.firms = (0..count).map(|_| all.found()).collect();
        all
    }

    /// The statements of the next year, known at `ts`, each with its firm's name.
    pub fn report(&mut self, ts: Nanos) -> Vec<(String, Value)> {
        self.year += 1;
        let mut statements = vec![];
        for at in 0..self.firms.len() {
            if self.firms[at].decay > Some(YEARS_OF_DECAY) {
                self.firms[at] = self.found();
            }
            let firm = &mut self.firms[at];
            let statement = firm.statement(&mut self.random, self.year, ts);
            statements.push((firm.name.clone(), statement));
        }
        statements
    }

    fn found(&mut self) -> Firm {
        let name = NAMES[self.founded % NAMES.len()];
        self.founded += 1;
        Firm {
            name: format!("{name}-{}", self.founded),
            assets: self.random.log_normal(400.0, 1.0),
            age: 0,
            decay: None,
        }
    }
}

impl Firm {
    fn statement(&mut self, random: &mut Random, year: i64, ts: Nanos) -> Value {
        self.age += 1;
        self.decay = match self.decay {
            Some(years) => Some(years + 1),
            None if self.age > SOUND_YEARS && random.chance(DECAY_CHANCE) => Some(1),
            None => None,
        };
        let ill = f64::from(self.decay.unwrap_or(0)) / f64::from(YEARS_OF_DECAY);
        let ill = ill.min(1.0);
        let mut of_assets = |sound: f64, ruined: f64| {
            let share = sound + (ruined - sound) * ill;
            let spread = 0.03 * sound.abs().max(0.05);
            round(self.assets * (share + spread * random.normals().0))
        };
        let income = of_assets(0.08, -0.6);
        let debt = of_assets(0.3, 0.95).max(0.0);
        let value = of_assets(1.5, 0.02).max(0.1);
        let revenue = of_assets(0.9, 0.7).max(0.0);
        json!({
            "ts_event": ts.0, "obligor": self.name, "period": year,
            "items": {
                "total_assets": round(self.assets), "current_assets": of_assets(0.5, 0.3),
                "cost_of_goods_sold": of_assets(0.6, 0.65), "gross_profit": of_assets(0.3, 0.05),
                "total_long_term_debt": round(debt / 2.0), "total_current_liabilities": round(debt / 2.0),
                "total_liabilities": debt, "ebit": round(income * 1.2), "ebitda": round(income * 1.3),
                "net_income": income, "retained_earnings": round(income * 2.0),
                "inventory": of_assets(0.1, 0.12).max(0.0), "total_receivables": of_assets(0.12, 0.1),
                "total_revenue": revenue, "net_sales": revenue, "market_value": value,
                "total_operating_expenses": of_assets(0.8, 0.9),
                "depreciation_and_amortization": of_assets(0.04, 0.05),
            },
        })
    }
}

impl Applicants {
    /// Applicants of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed, "applicants"),
            number: 0,
        }
    }

    /// The next application, made at `ts`, with the applicant's identifier.
    pub fn apply(&mut self, ts: Nanos) -> (String, Value) {
        self.number += 1;
        let random = &mut self.random;
        let limit = (random.log_normal(140_000.0, 0.7) / 10_000.0)
            .round()
            .max(1.0)
            * 10_000.0;
        let kind = random.below(8);
        let mut fields = json!({"limit_bal": limit, "education": 1 + random.below(4)});
        let used = 0.1 + 0.8 * random.uniform();
        for (at, month) in MONTHS.iter().enumerate() {
            let behind = match kind {
                0 => 2 + random.below(4) as i64,
                1 => random.below(3) as i64,
                _ => -1 + random.below(2) as i64,
            };
            let bill = (limit * used * (0.9 + 0.2 * random.uniform())).round();
            let share = if kind == 0 {
                0.05
            } else {
                0.1 + 0.9 * random.uniform()
            };
            fields[format!("pay_{month}")] = json!(behind);
            fields[format!("bill_amt{}", at + 1)] = json!(bill);
            fields[format!("pay_amt{}", at + 1)] = json!((bill * share).round());
        }
        let applicant = format!("made-up-applicant-{}", self.number);
        let application =
            json!({"ts_event": ts.0, "applicant": applicant, "product": "card", "fields": fields});
        (applicant, application)
    }
}

fn round(millions: f64) -> f64 {
    (millions * 1e3).round() / 1e3
}

/// The years before the first that is reported.
const FIRST_YEAR: i64 = 2_000;
const SOUND_YEARS: u32 = 5;
const DECAY_CHANCE: f64 = 0.125;
const YEARS_OF_DECAY: u32 = 4;
/// The numbers of the fields of the last six months, newest first.
const MONTHS: [u8; 6] = [0, 2, 3, 4, 5, 6];
const NAMES: [&str; 8] = [
    "Madeup-Mills",
    "Sample-Shipping",
    "Fictive-Foods",
    "Placeholder-Power",
    "Example-Engines",
    "Nowhere-Networks",
    "Imaginary-Ironworks",
    "Pretend-Paper",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firms_decay_fail_and_are_followed_by_others() {
        let mut firms = Firms::new(1, 8);
        let (mut names, mut worst) = (std::collections::BTreeSet::new(), 0.0_f64);
        for year in 0..40 {
            let statements = firms.report(Nanos(year));
            assert_eq!(statements.len(), 8);
            for (name, statement) in statements {
                assert_eq!(statement["obligor"], name);
                let items = &statement["items"];
                let of_assets = |item: &str| {
                    items[item].as_f64().unwrap() / items["total_assets"].as_f64().unwrap()
                };
                worst = worst.min(of_assets("net_income"));
                names.insert(name);
            }
        }
        assert!((20..80).contains(&names.len()), "{names:?}");
        assert!((-0.7..-0.5).contains(&worst), "{worst}");
    }

    #[test]
    fn applicants_differ_and_keep_to_the_fields_ranges() {
        let mut applicants = Applicants::new(1);
        let mut behind = 0;
        for number in 1..=800 {
            let (name, application) = applicants.apply(Nanos(0));
            assert_eq!(name, format!("made-up-applicant-{number}"));
            let field = |name: &str| application["fields"][name].as_f64().unwrap();
            assert!(field("limit_bal") >= 10_000.0 && field("pay_amt6") >= 0.0);
            assert!((1.0..=4.0).contains(&field("education")));
            assert!((-2.0..=24.0).contains(&field("pay_0")));
            behind += i32::from(field("pay_0") >= 2.0);
        }
        // One in eight is in arrears, and a third of another eighth is two months behind.
        assert!((100..170).contains(&behind), "{behind}");
    }
}
