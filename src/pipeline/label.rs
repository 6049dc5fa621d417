//! `[label]`, checked.

use crate::config::{
    self, Against, ConfigFault, LabelConfig, LabelKindName, PipelineFile, PriceName, RowOn,
};
use crate::engine::feature::FeaturePlan;
use crate::label::{Barrier, Compared, Horizon, LabelKind, LabelSpec, PriceOf};
use crate::time::parse_time;
use crate::time::session::Session;

/// The labels of a pipeline.
///
/// # Errors
/// The key whose value makes no sense.
pub(super) fn labels(
    file: &PipelineFile,
    plan: &FeaturePlan,
) -> Result<Vec<LabelSpec>, ConfigFault> {
    let mut specs: Vec<LabelSpec> = vec![];
    let single = file.labels.len() == 1;
    for (at, config) in file.labels.iter().enumerate() {
        let table = LabelTable {
            config,
            path: match single {
                true => "label".to_owned(),
                false => format!("label[{at}]"),
            },
            on: file.row.on,
        };
        let spec = table.spec(plan, single)?;
        if let Some(other) = specs.iter().find(|other| other.name == spec.name) {
            let what = format!("two labels are named `{}`; give each a `name`", other.name);
            return Err(table.fault("name", what));
        }
        specs.push(spec);
    }
    Ok(specs)
}

/// A table and where it stands.
struct LabelTable<'a> {
    config: &'a LabelConfig,
    path: String,
    on: RowOn,
}

impl LabelTable<'_> {
    fn spec(&self, plan: &FeaturePlan, single: bool) -> Result<LabelSpec, ConfigFault> {
        if !single && (self.config.test_from.is_some() || self.config.steps.is_some()) {
            let key = match self.config.test_from {
                Some(_) => "test_from",
                None => "steps",
            };
            let what = format!("`{key}` is one for all labels; write it in [split]");
            return Err(self.fault(key, what));
        }
        let name = match &self.config.name {
            Some(name) if name.is_empty() => {
                return Err(self.fault("name", "`name` must not be empty"));
            }
            Some(name) => name.clone(),
            None if single => "label".to_owned(),
            None => return Err(self.fault("name", "each of several labels needs a `name`")),
        };
        let unnamed = self.config.name.is_none();
        let (kind_name, kind) = self.kind(plan)?;
        let value_column = match unnamed && is_move(&kind) {
            true => "move_bps".to_owned(),
            false => format!("{name}_value"),
        };
        Ok(LabelSpec {
            value_column,
            end_column: format!("{name}_end"),
            name,
            kind_name,
            kind,
        })
    }

    fn kind(&self, plan: &FeaturePlan) -> Result<(&'static str, LabelKind), ConfigFault> {
        use LabelKindName as Name;
        let kind = self.config.kind;
        self.check_rows()?;
        self.refuse_others()?;
        Ok(match kind {
            Name::MidMove => ("mid_move", self.moved(PriceOf::Mid, None)?),
            Name::TradeMove => ("trade_move", self.moved(PriceOf::Trade, None)?),
            Name::NextBar => ("next_bar", self.moved(PriceOf::Trade, Some(1))?),
            Name::SmoothedMove => (
                "smoothed_move",
                LabelKind::Smoothed {
                    price: self.price(),
                    horizon: self.horizon(None)?,
                    compared: match self.config.against {
                        Against::Now => Compared::Now,
                        Against::Past => Compared::Past,
                    },
                    threshold_bps: self.threshold()?,
                },
            ),
            Name::TripleBarrier => ("triple_barrier", self.barriers(plan)?),
            Name::NextSession => (
                "next_session",
                LabelKind::NextSession {
                    price: self.price(),
                    session: self.session()?,
                    threshold_bps: self.threshold()?,
                },
            ),
            Name::Volatility => (
                "volatility",
                LabelKind::Volatility {
                    price: self.price(),
                    horizon_ns: self.horizon_ns()?,
                },
            ),
            Name::DefaultWithin => ("default_within", self.default_within()?),
        })
    }

    /// Refuses a kind that rows of this event cannot have.
    fn check_rows(&self) -> Result<(), ConfigFault> {
        let kind = self.config.kind;
        let what = match (kind, self.on) {
            (LabelKindName::DefaultWithin, RowOn::Statement) => return Ok(()),
            (LabelKindName::DefaultWithin, _) => {
                "`default_within` is a label of statements; set `row.on = \"statement\"`"
            }
            (_, RowOn::Statement) => "rows of statements have `kind = \"default_within\"` alone",
            (_, RowOn::Application | RowOn::News) => {
                "rows of applications and headlines have no market to be labelled by; take [label] out, and \
                 join outcomes by `evaluate --labels`"
            }
            (LabelKindName::NextBar, RowOn::Trade | RowOn::Quote | RowOn::Book) => {
                "`next_bar` is a label of bars; set `row.on = \"bar\"`"
            }
            _ => return Ok(()),
        };
        Err(self.fault("kind", what))
    }

    /// Refuses keys that mean nothing for the kind.
    fn refuse_others(&self) -> Result<(), ConfigFault> {
        use LabelKindName as Name;
        let (config, kind) = (self.config, self.config.kind);
        let by_rows = matches!(
            kind,
            Name::MidMove | Name::TradeMove | Name::NextBar | Name::SmoothedMove
        );
        let has_horizon = !matches!(kind, Name::NextBar | Name::NextSession);
        let barrier = kind == Name::TripleBarrier;
        let session = kind == Name::NextSession;
        let default = kind == Name::DefaultWithin;
        let has_price = matches!(
            kind,
            Name::SmoothedMove | Name::TripleBarrier | Name::NextSession | Name::Volatility
        );
        let others = [
            ("horizon_ms", config.horizon_ms.is_some() && !has_horizon),
            ("horizon_rows", config.horizon_rows.is_some() && !by_rows),
            (
                "threshold_bps",
                config.threshold_bps.is_some() && !(by_rows || session),
            ),
            ("price", config.price.is_some() && !has_price),
            (
                "against",
                config.against != Against::Now && kind != Name::SmoothedMove,
            ),
            (
                "take_profit_bps",
                config.take_profit_bps.is_some() && !barrier,
            ),
            ("stop_loss_bps", config.stop_loss_bps.is_some() && !barrier),
            ("take_profit", config.take_profit.is_some() && !barrier),
            ("stop_loss", config.stop_loss.is_some() && !barrier),
            ("of", config.of.is_some() && !barrier),
            ("zone", config.zone.is_some() && !session),
            ("open", config.open.is_some() && !session),
            ("close", config.close.is_some() && !session),
            ("outcomes", config.outcomes.is_some() && !default),
            ("known_until", config.known_until.is_some() && !default),
        ];
        match others.iter().find(|(_, is_wrong)| *is_wrong) {
            None => Ok(()),
            Some((key, _)) => {
                let what = format!("`{key}` means nothing for this kind of label; take it out");
                Err(self.fault(key, what))
            }
        }
    }

    fn moved(&self, price: PriceOf, rows: Option<u64>) -> Result<LabelKind, ConfigFault> {
        Ok(LabelKind::Move {
            price,
            horizon: self.horizon(rows)?,
            threshold_bps: self.threshold()?,
        })
    }

    fn price(&self) -> PriceOf {
        match (self.config.price, self.on) {
            (Some(PriceName::Mid), _) => PriceOf::Mid,
            (Some(PriceName::Trade), _) | (None, RowOn::Bar) => PriceOf::Trade,
            (None, _) => PriceOf::Mid,
        }
    }

    /// The horizon, in rows where those are written or `rows` is the default.
    fn horizon(&self, rows: Option<u64>) -> Result<Horizon, ConfigFault> {
        match (self.config.horizon_rows, self.config.horizon_ms, rows) {
            (Some(_), Some(_), _) => Err(self.fault(
                "horizon_rows",
                "`horizon_rows` and `horizon_ms` exclude each other; take one out",
            )),
            (Some(0), ..) => Err(self.fault("horizon_rows", "`horizon_rows` must be above zero")),
            (Some(rows), None, _) | (None, None, Some(rows)) => Ok(Horizon::Rows(rows)),
            _ => Ok(Horizon::Time(self.horizon_ns()?)),
        }
    }

    fn horizon_ns(&self) -> Result<i64, ConfigFault> {
        match self.config.horizon_ms {
            None => Err(self.fault("horizon_ms", "this kind of label needs `horizon_ms`")),
            Some(..=0) => Err(self.fault("horizon_ms", "`horizon_ms` must be above zero")),
            Some(ms) => Ok(ms.saturating_mul(1_000_000)),
        }
    }

    fn threshold(&self) -> Result<f64, ConfigFault> {
        match self.config.threshold_bps {
            None => Err(self.fault("threshold_bps", "this kind of label needs `threshold_bps`")),
            Some(bps) if bps.is_nan() || bps < 0.0 => {
                Err(self.fault("threshold_bps", "`threshold_bps` must be zero or more"))
            }
            Some(bps) => Ok(bps),
        }
    }

    fn barriers(&self, plan: &FeaturePlan) -> Result<LabelKind, ConfigFault> {
        let config = self.config;
        let column = config.of.as_ref().map(|of| {
            let column = plan.names().iter().position(|name| name == of);
            column.ok_or_else(|| {
                let what =
                    format!("`of = \"{of}\"` is no column; write a [[feature]] that is not hidden");
                self.fault("of", what)
            })
        });
        let column = column.transpose()?;
        let upper = self.barrier(
            "take_profit",
            (config.take_profit_bps, config.take_profit),
            column,
        )?;
        let lower = self.barrier(
            "stop_loss",
            (config.stop_loss_bps, config.stop_loss),
            column,
        )?;
        if upper.is_none() && lower.is_none() {
            let what = "a triple barrier needs `take_profit_bps` or `stop_loss_bps`, or `take_profit` or \
                        `stop_loss` with `of`";
            return Err(self.fault("take_profit_bps", what));
        }
        Ok(LabelKind::Barriers {
            price: self.price(),
            horizon_ns: self.horizon_ns()?,
            upper,
            lower,
        })
    }

    fn barrier(
        &self,
        key: &str,
        (bps, times): (Option<f64>, Option<f64>),
        column: Option<usize>,
    ) -> Result<Option<Barrier>, ConfigFault> {
        let is_positive = |key: &str, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(value),
            false => Err(self.fault(key, format!("`{key}` must be above zero"))),
        };
        match (bps, times, column) {
            (None, None, _) => Ok(None),
            (Some(_), Some(_), _) => {
                let what = format!("`{key}` and `{key}_bps` exclude each other; take one out");
                Err(self.fault(key, what))
            }
            (Some(bps), None, _) => {
                Ok(Some(Barrier::Bps(is_positive(&format!("{key}_bps"), bps)?)))
            }
            (None, Some(factor), Some(column)) => Ok(Some(Barrier::Times {
                column,
                factor: is_positive(key, factor)?,
            })),
            (None, Some(_), None) => {
                let what = format!("`{key}` is a multiple of a feature; name it by `of`");
                Err(self.fault(key, what))
            }
        }
    }

    fn session(&self) -> Result<Session, ConfigFault> {
        let config = self.config;
        let Some(zone) = &config.zone else {
            return Err(self.fault(
                "zone",
                "`next_session` needs `zone`, such as `America/New_York`",
            ));
        };
        let session = Session::new(zone, config.open.as_deref(), config.close.as_deref());
        session.map_err(|fault| {
            let key = fault.0.trim_start_matches('`').split(' ').next();
            self.fault(key.unwrap_or("zone"), fault.0.clone())
        })
    }

    fn default_within(&self) -> Result<LabelKind, ConfigFault> {
        let Some(outcomes) = self.config.outcomes.clone() else {
            let what = "`default_within` needs `outcomes`, the file of failures";
            return Err(self.fault("outcomes", what));
        };
        let known_until = self
            .config
            .known_until
            .as_deref()
            .map(parse_time)
            .transpose();
        Ok(LabelKind::DefaultWithin {
            horizon_ns: self.horizon_ns()?,
            outcomes,
            known_until: known_until.map_err(|what| self.fault("known_until", what))?,
        })
    }

    fn fault(&self, key: &str, what: impl Into<String>) -> ConfigFault {
        config::ConfigFault::at(format!("{}.{key}", self.path), what)
    }
}

fn is_move(kind: &LabelKind) -> bool {
    matches!(
        kind,
        LabelKind::Move { .. } | LabelKind::Smoothed { .. } | LabelKind::NextSession { .. }
    )
}
